import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { sqliteState } from "@daypass/gateway/state";
import { expect, test } from "vitest";
import { auditMac } from "../src/state-owner/audit-mac.ts";
import { daypass, temporaryFolder } from "./command.ts";
import { children, serve, status } from "./serving.ts";

/** The key file of the build before links (caf6e187), and the secret that sealed it. */
const OLD_KEYS = {
  version: 1,
  keys: [
    {
      record: {
        kind: "s3",
        id: "DPI3P2OC54NJZWZLHBRE",
        algorithm: "AWS4-HMAC-SHA256",
        label: "made at the first start",
        createdAt: "2026-12-01T06:11:05.960Z",
        scope: {},
      },
      secret:
        "SbNefx0_HjSYVdz3qKHBau6D27zH7VW8CKmR8eTIHOGCgUcUtcNAOHLvu1nt-_mBTfOe8ljVrpDdnFITwauJZAsuAYA1oNiyIYmNZN-tfl8IyGha7Nkr35SyMCsLEid13I6EZ0xtdWczF72NLqvwwXksWcOuyPdBKRtxe0ZQ3yqr2yYRm-DA65Hk2tLh8KV44XXQNQ7SJpj6wqc",
    },
    {
      record: {
        kind: "url",
        id: "k-7tstdyu3qhx3",
        algorithm: "HS256",
        label: "made at the first start",
        createdAt: "2026-12-01T06:11:05.964Z",
        scope: {},
      },
      secret:
        "YcCFXKoGepRyDR9Rs9fQVjZ-aJPzeJXp71VP_bXIuj3E8oX8Iubi_LZviampxyu82VUbS2dPeXhSXst6NWdJ-T9KM25zlkdBVNS3vJMxuVAVdWZl7UzsoRWwqgL3IQFUk6eTB10BUvKQYpSW4K_KUoiNFPaiSBmTV7nfDJMxVo5WkZnblvY4Lahkt4_pZwcd1B1V_HE2rJISPpAGTHbbzAE",
    },
  ],
};
const OLD_SECRET = "3cV7zePXn4fSFkdqdHBvK0rdwa1bOruqQ6WF9h9T8jI\n";

function holiday(): { folder: string; state: string } {
  const folder = temporaryFolder();
  const state = join(folder, ".daypass");
  mkdirSync(join(folder, "media"));
  writeFileSync(join(folder, "media/a.txt"), "first");
  mkdirSync(state, { mode: 0o700 });
  return { folder, state };
}

const run = async (...args: readonly string[]) => {
  const { status: code, stdout, stderr } = await daypass(args);
  expect([code, stderr, stdout]).toEqual([0, "", expect.anything()]);
  return stdout;
};
const links = async (...args: readonly string[]) => JSON.parse(await run("links", ...args, "--json"));

test("opens the state of the build before links, serves its keys, and makes the first link while it serves", async () => {
  const { folder, state } = holiday();
  writeFileSync(join(state, "keys.json"), JSON.stringify(OLD_KEYS), { mode: 0o600 });
  writeFileSync(join(state, "master.key"), OLD_SECRET, { mode: 0o600 });
  const gateway = await serve(folder, "--port", "0", "--workers", "2");
  const { accessKeyId, urlKeyId, presignedUrl } = gateway.said;
  expect([accessKeyId, urlKeyId]).toEqual(OLD_KEYS.keys.map(({ record }) => record.id));
  expect([await status(presignedUrl), existsSync(join(state, "state.db"))]).toEqual([200, false]);
  const link = await links("create", "media/a.txt", "--max-deliveries", "1", "--state", state);
  expect(await status(`${link.url}?dl=0123456789abcdef`)).toBe(200);
  expect([await status(`${link.url}?dl=0123456789abcdeX`), await status(presignedUrl)]).toEqual([410, 200]);
  const slugged = ["links", "create", "media/a.txt", "--slug", "summer-party", "--public", "--state", state, "--json"];
  const outputs = [await daypass(slugged), await daypass(slugged)].map(({ stdout }) => JSON.parse(stdout));
  expect(outputs).toMatchObject([{ slug: "summer-party" }, { error: { code: "SLUG_TAKEN" } }]);
  await gateway.stop();
});

test("backs up the state while it serves, and after the restore suspends counted links and finds the lost records", async () => {
  const { folder, state } = holiday();
  const [config, heads] = [join(folder, "config.json"), join(folder, "heads.ndjson")];
  writeFileSync(config, JSON.stringify({ root: ".", audit: { headsFile: heads } }));
  const gateway = await serve(folder, "--port", "0", "--config", config);
  const { presignedUrl, port } = { ...gateway.said, port: new URL(gateway.said.url).port };
  const create = (...more: readonly string[]) => links("create", "media/a.txt", ...more, "--state", state);
  const audit = async (...args: readonly string[]) => {
    const { status: code, stdout } = await daypass(["audit", ...args, "--state", state]);
    return { code, lines: stdout.trim().split("\n") };
  };
  const [open, withdrawn, counted] = [await create(), await create(), await create("--max-deliveries", "1")];
  const copy = join(temporaryFolder(), "daypass.db");
  const busy = { isOn: true, requests: 0 };
  const load = (async () => {
    for (; busy.isOn; busy.requests++) expect(await status(open.url)).toBe(200);
  })();
  const [, later] = await Promise.all([run("links", "backup", copy, "--state", state), create("--label", "later")]);
  busy.isOn = false;
  await load;
  expect([busy.requests > 0, statSync(copy).mode & 0o777]).toEqual([true, 0o600]);
  // Decided after the backup, so the copy does not know it.
  expect(await status(`${counted.url}?dl=0123456789abcdef`)).toBe(200);
  await links("revoke", withdrawn.id, "--state", state);
  await run("revoke", presignedUrl, "--state", state);
  expect([await status(withdrawn.url), await status(presignedUrl)]).toEqual([410, 403]);
  await gateway.stop();
  const [oldExport, oldHeads] = [join(folder, "export.old"), join(folder, "heads.old")];
  writeFileSync(oldExport, (await audit("export")).lines.join("\n"));
  renameSync(heads, oldHeads);
  const last = JSON.parse(readFileSync(oldExport, "utf8").split("\n")[0] ?? "").last;

  // The steps of docs/links.md.
  renameSync(copy, join(state, "state.db"));
  for (const name of ["state.db-wal", "state.run"]) rmSync(join(state, name), { force: true });
  const restored = await serve(folder, "--port", port, "--config", config);
  await expect.poll(restored.log).toContain("counted links are suspended");
  expect([await status(open.url), await status(`${counted.url}?dl=another-key-01234567`)]).toEqual([200, 410]);
  expect((await links("show", counted.id, "--state", state)).suspended).toBe("restored");
  const ready = async () => (await fetch(`${restored.said.url}/-/readyz?links`)).text();
  expect([await ready(), existsSync(heads)]).toEqual(["degraded: audit not signed\n", false]);
  expect(restored.log()).toContain("the state has lost the head of the writer main");
  expect(await run("audit", "accept-restore", "--state", state)).toContain(`accepted: the state has lost the head`);
  expect([await ready(), existsSync(heads)]).toEqual(["ready\n", true]);
  expect(await audit("accept-restore")).toMatchObject({ code: 1 });
  await links("resume", counted.id, "--state", state);
  expect(await status(`${counted.url}?dl=another-key-01234567`)).toBe(200);
  expect([200, 404]).toContain(await status(later.url));
  // What was revoked since the backup is valid again, until it is revoked again.
  expect([await status(withdrawn.url), await status(presignedUrl)]).toEqual([200, 200]);
  await run("revoke", presignedUrl, "--state", state);
  expect(await status(presignedUrl)).toBe(403);
  await restored.stop();

  // What docs/guide/audit.md says.
  expect((await audit("tail", "--lines", "1000")).lines.join("\n")).toContain(
    "state.restored  ok  by gateway  1 links",
  );
  expect(await audit("verify", "--heads-file", heads)).toMatchObject({ code: 0 });
  for (let times = 0; times < 2; times += 1) {
    expect(await audit("verify", "--heads-file", oldHeads)).toEqual({
      code: 1,
      lines: [
        `cut: main 1 to ${last}: an exported head covers these records, and it is not in the audit`,
        expect.stringMatching(/^NOT as signed: \d+ records under \d+ heads$/),
      ],
    });
  }
  const offline = ["verify", oldExport, "--key", join(state, "audit.pub"), "--heads-file", oldHeads];
  expect(await audit(...offline)).toEqual({ code: 0, lines: [`as signed: ${last} records under 1 heads`] });
}, 60_000);

test("after the restore of a state without links, refuses older URLs with uses until they are resumed, and says so", async () => {
  const { folder, state } = holiday();
  const gateway = await serve(folder, "--port", "0", "--workers", "2");
  const { url, port } = { url: gateway.said.url, port: new URL(gateway.said.url).port };
  // The first token creates the state.
  await daypass(["tokens", "create", "--scope", "links:read", "--state", state]);
  const copy = join(temporaryFolder(), "daypass.db");
  await run("links", "backup", copy, "--state", state);
  const sign = async () =>
    (await daypass(["sign", `${url}/media/a.txt`, "--uses", "1", "--state", state])).stdout.trim();
  const [used, unused] = [await sign(), await sign()];
  expect([await status(used), await status(used)]).toEqual([200, 403]);
  await gateway.stop();

  renameSync(copy, join(state, "state.db"));
  for (const name of ["state.db-wal", "state.run"]) rmSync(join(state, name), { force: true });
  const restored = await serve(folder, "--port", port, "--workers", "2");
  await expect.poll(restored.log).toContain("older URLs with uses refused, until `daypass links resume --all`");
  expect([await status(used), await status(unused)]).toEqual([403, 403]);
  // The time in a URL has no fractions of a second, so one of the same second looks older.
  await expect.poll(async () => status(await sign())).toBe(200);
  expect(await run("revocations", "list", "--state", state)).toBe("lost-uses  uses-before restore\n");
  expect(await run("links", "resume", "--all", "--state", state)).toBe("");
  expect([await status(used), await status(used), await status(unused)]).toEqual([200, 403, 200]);
  expect(await run("audit", "tail", "--lines", "1000", "--state", state)).toMatch(/use\.claimed {2}restored .*\n/);
  await restored.stop();
}, 60_000);

test("resumes several links by id, then all that a restore suspended, with recipients in their order", async () => {
  const { state } = holiday();
  const create = (...more: readonly string[]) => links("create", "media/a.txt", ...more, "--state", state);
  const names = ["Zoe", "Anna", "Mia"];
  const made = [
    await create("--max-deliveries", "1"),
    await create("--max-bytes", "9"),
    await create("--max-deliveries", "1", ...names.map((name) => `--to=${name}`)),
  ];
  const [first, second, third] = made.map(({ id }) => id);
  const database = await sqliteState({ path: join(state, "state.db"), mac: await auditMac(state, {}) });
  await database.beginRun(undefined);
  // A gateway that does not know the last run has another state than before.
  expect((await database.beginRun(undefined)).suspended).toBe(3);
  await database.close();
  const resume = async (...args: readonly string[]) => {
    const printed = await run("links", "resume", ...args, "--state", state, "--json");
    return printed.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
  };
  const resumed = await resume(first, made[1].url);
  expect(resumed.map(({ id, status: now }) => [id, now])).toEqual([first, second].map((id) => [id, "open"]));
  const rest = await resume("--all");
  expect(rest.map(({ id, status: now }) => [id, now])).toEqual([[third, "open"]]);
  expect(rest[0].recipients.map(({ name }: { name: string }) => name)).toEqual(names);
  expect(await resume("--all")).toEqual([]);
});

test("a worker that replaces a killed one refuses a revoked URL, also before the state answers", async () => {
  const { folder, state } = holiday();
  const gateway = await serve(folder, "--port", "0", "--workers", "2");
  const { presignedUrl } = gateway.said;
  await links("create", "media/a.txt", "--state", state);
  await run("revoke", presignedUrl, "--state", state);
  // A connection for each request, so that the workers take turns.
  const get = (): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      request(presignedUrl, { agent: false }, (answer) => resolve(answer.resume().statusCode))
        .on("error", reject)
        .end();
    });
  const { owner, workers } = children(gateway.child.pid);
  process.kill(owner, "SIGSTOP");
  try {
    process.kill(Number(workers[0]), "SIGKILL");
    const seen = new Set<number | undefined>();
    for (let turn = 0; turn < 60; turn++) {
      await setTimeout(50);
      seen.add(await get());
    }
    expect([...seen]).toEqual([403]);
  } finally {
    process.kill(owner, "SIGCONT");
  }
  await gateway.stop();
});
