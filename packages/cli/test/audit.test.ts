import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { daypass, temporaryFolder } from "./command.ts";
import { serve, serveWith } from "./serving.ts";

/** A folder with one object, and its state. */
function shared(): { folder: string; state: string } {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "files"));
  writeFileSync(join(folder, "files/a.txt"), "first");
  return { folder, state: join(folder, ".daypass") };
}

async function run(args: readonly string[], status = 0): Promise<string> {
  const finished = await daypass(args);
  expect([finished.status, finished.stderr]).toEqual([status, ""]);
  return finished.stdout;
}

test("audit verifies, exports and proves the use of a link, served or not", async () => {
  const { folder, state } = shared();
  const place = ["--state", state] as const;
  const config = join(folder, "config.json");
  writeFileSync(config, JSON.stringify({ root: ".", audit: { headsFile: "heads.ndjson" } }));
  const gateway = await serve(folder, "--port", "0", "--config", config);
  const link = JSON.parse(await run(["links", "create", "files/a.txt", "--max-deliveries", "1", "--json", ...place]));
  expect(await (await fetch(`${link.url}?dl=0123456789abcdef`)).text()).toBe("first");
  expect((await fetch(`${link.url}?dl=fedcba9876543210`)).status).toBe(410);
  await expect.poll(() => run(["audit", "tail", "--link", link.id, ...place])).toContain("delivery.completed");
  expect(await run(["audit", "verify", ...place])).toMatch(
    /^as signed: \d+ records under \d+ heads, \d+ records have no head yet\n$/,
  );
  await gateway.stop();
  expect(await run(["audit", "verify", ...place, "--heads-file", join(folder, "heads.ndjson")])).toMatch(/^as signed/);

  const records = (await run(["audit", "tail", "--json", ...place]))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const started = records.find(({ record }) => JSON.parse(record).action === "delivery.started");
  expect(JSON.parse(started.record)).toMatchObject({ link: link.id, result: "ok", bytes: 5, target: "files/a.txt" });
  const receipt = join(folder, "receipt.json");
  const asked = ["audit", "export", "--receipt", String(started.sequence), ...place];
  await run([...asked, "--out", receipt]);
  expect((await daypass([...asked, "--out", receipt])).stderr).toContain("which exists");
  const key = ["--key", join(state, "audit.pub")] as const;
  const page = await run([...asked, "--html"]);
  for (const part of [
    "A delivery began",
    "files/a.txt",
    link.id,
    readFileSync(join(state, "audit.pub"), "utf8").trim(),
  ])
    expect(page).toContain(part);
  expect(await run(["audit", "verify", "--receipt", receipt, ...key])).toContain(started.record);
  writeFileSync(receipt, readFileSync(receipt, "utf8").replace("a.txt", "b.txt"));
  expect(await run(["audit", "verify", "--receipt", receipt, ...key], 1)).toContain("does not hold");

  const lines = await run(["audit", "export", ...place]);
  expect(lines).not.toContain("0123456789abcdef");
  const file = join(folder, "export.ndjson");
  writeFileSync(file, lines.replace("delivery.completed", "delivery.completee"));
  const report = JSON.parse(await run(["audit", "verify", file, "--json", ...key], 1));
  expect(report.faults).toEqual([expect.objectContaining({ kind: "changed", writer: "main" })]);
  expect(await run(["audit", "export", "--heads", ...place])).not.toContain('"record"');
});

test("a receipt that is asked for too early, or of no record, leaves no file", async () => {
  const { folder, state } = shared();
  const gateway = await serve(folder, "--port", "0");
  await run(["links", "create", "files/a.txt", "--state", state]);
  const [latest = "{}"] = (await run(["audit", "tail", "--json", "--lines", "1", "--state", state])).split("\n");
  const { sequence } = JSON.parse(latest);
  const out = join(folder, "receipt.json");
  for (const [number, text] of [
    [sequence, "Heads are signed every minute: ask again then"],
    [sequence + 100, `there is no record ${sequence + 100}`],
  ]) {
    const { status, stderr } = await daypass([
      "audit",
      "export",
      "--receipt",
      `${number}`,
      "--out",
      out,
      "--state",
      state,
    ]);
    expect([status, stderr]).toEqual([1, expect.stringContaining(text)]);
    expect(existsSync(out)).toBe(false);
  }
  await gateway.stop();
});

test("keeps heads in a bucket, which reveal an older database to a machine that kept nothing", async () => {
  const bucket = join(temporaryFolder(), "served");
  mkdirSync(join(bucket, "heads"), { recursive: true });
  const server = await serve(bucket, "--port", "0");
  const { folder, state } = shared();
  const config = join(folder, "config.json");
  const heads = { endpoint: server.said.s3Endpoint, bucket: "heads", prefix: "of-one/" };
  writeFileSync(config, JSON.stringify({ root: ".", audit: { heads } }));
  const created = await run(["keys", "create", "--state", join(bucket, ".daypass"), "--show-secret", "--json"]);
  const { id, secretAccessKey } = JSON.parse(created);
  const env = { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const begin = () => serveWith({ env }, folder, "--port", "0", "--config", config);
  const signOne = async () => {
    const gateway = await begin();
    await run(["links", "create", "files/a.txt", "--state", state]);
    await gateway.stop();
  };
  await signOne();
  cpSync(join(state, "state.db"), join(folder, "older.db"));
  await signOne();
  const kept = readFileSync(join(bucket, "heads/of-one/kept.ndjson"), "utf8");
  expect(kept).toBe(readFileSync(join(state, "audit.kept.ndjson"), "utf8"));
  const { last } = JSON.parse(JSON.parse(kept).head);
  expect(readFileSync(join(bucket, `heads/of-one/main/${last}.ndjson`), "utf8")).toBe(kept);

  cpSync(join(folder, "older.db"), join(state, "state.db"));
  for (const name of ["audit.kept.ndjson", "audit.last", "audit.heads.ndjson"]) rmSync(join(state, name));
  const gateway = await begin();
  await expect.poll(gateway.log).toContain(`the state has lost the head of the writer main that ends at ${last}`);
  await gateway.stop();
  await server.stop();
}, 60_000);

test("rotates the key that signs at the next start, and verifies what the key before signed", async () => {
  const { folder, state } = shared();
  const place = ["--state", state] as const;
  const signOne = async () => {
    const gateway = await serve(folder, "--port", "0");
    await run(["links", "create", "files/a.txt", ...place]);
    return gateway;
  };
  const first = await signOne();
  const [key] = (await run(["audit", "rotate", ...place])).split(" ");
  await first.stop();
  await (await signOne()).stop();
  expect(await run(["audit", "verify", ...place])).toMatch(/^as signed/);
  const heads = (await run(["audit", "export", "--heads", ...place])).trim().split("\n");
  const keys = heads.map((line) => JSON.parse(JSON.parse(line).head).key);
  expect([keys[0] === key, keys.at(-1) === key]).toEqual([false, true]);
  expect(statSync(join(state, "audit.key")).mode & 0o777).toBe(0o600);
});

test.each([
  [["audit"], 2, "the action is missing. Pass "],
  [["audit", "tail", "x"], 2, "takes no argument"],
  [["audit", "export", "--html", "--state", "."], 2, "Add --receipt NUMBER"],
  [["audit", "verify", "--key", "/nowhere"], 1, "cannot be read"],
  [["audit", "rotate", "--key", "/nowhere", "--state", "."], 1, "has no Ed25519 key that can be read"],
])("refuses daypass %j", async (args, status, text) => {
  const finished = await daypass(args as string[]);
  expect([finished.status, finished.stderr]).toEqual([status, expect.stringContaining(text)]);
});
