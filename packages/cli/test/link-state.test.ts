import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { daypass, temporaryFolder } from "./command.ts";
import { serve, status } from "./serving.ts";

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
  expect([code, stderr]).toEqual([0, ""]);
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

test("backs up the state while it serves, and suspends counted links after the restore until they are resumed", async () => {
  const { folder, state } = holiday();
  const gateway = await serve(folder, "--port", "0");
  const create = (...more: readonly string[]) => links("create", "media/a.txt", ...more, "--state", state);
  const open = await create();
  const counted = await create("--max-deliveries", "1");
  const copy = join(temporaryFolder(), "daypass.db");
  const busy = { isOn: true, requests: 0 };
  const load = (async () => {
    for (; busy.isOn; busy.requests++) expect(await status(open.url)).toBe(200);
  })();
  const [, later] = await Promise.all([run("links", "backup", copy, "--state", state), create("--label", "later")]);
  busy.isOn = false;
  await load;
  expect(busy.requests).toBeGreaterThan(0);
  // Taken after the backup, so the copy does not know it.
  expect(await status(`${counted.url}?dl=0123456789abcdef`)).toBe(200);
  await gateway.stop();
  // The steps of docs/links.md.
  renameSync(copy, join(state, "state.db"));
  for (const name of ["state.db-wal", "state.run"]) rmSync(join(state, name), { force: true });
  const restored = await serve(folder, "--port", "0");
  const at = ({ url }: { url: string }): string => restored.said.url + new URL(url).pathname;
  expect([await status(at(open)), await status(`${at(counted)}?dl=another-key-01234567`)]).toEqual([200, 410]);
  expect((await links("show", counted.id, "--state", state)).suspended).toBe("restored");
  await links("resume", counted.id, "--state", state);
  expect(await status(`${at(counted)}?dl=another-key-01234567`)).toBe(200);
  expect([200, 404]).toContain(await status(at(later)));
  await restored.stop();
});
