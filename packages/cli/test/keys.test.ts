import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { keyStore } from "../src/state-folder/key-store.ts";
import { daypass, daypassProcess, nodeCommand, parseLines, shellWord, temporaryFolder } from "./command.ts";
import { movedClock } from "./moved-clock.ts";

interface CreatedKey {
  readonly id: string;
  readonly scope: object;
  readonly secretAccessKey?: string;
  readonly jwk?: { readonly d?: string };
}

/** The record of a row in the file. */
interface Editable {
  kind: string;
  readonly scope: { [member: string]: string[] };
}

type Env = Readonly<Record<string, string>>;

/** A new state, with commands on it. Command lines are split at spaces. */
function newState() {
  const folder = temporaryFolder();
  const state = join(folder, "state");
  const run = (line: string, env: Env = {}) => daypass([...line.split(" "), "--state", state], { env });
  const keys = (line: string, env?: Env) => run(`keys ${line}`, env);
  return {
    folder,
    state,
    keys,
    create: async (line = ""): Promise<CreatedKey> =>
      JSON.parse((await keys(`create ${line} --show-secret --json`.replace("  ", " "))).stdout),
    sign: (env?: Env) => run("sign https://a.example/x", env),
    states: async () =>
      Object.fromEntries(parseLines((await keys("list --json")).stdout).map((row) => [row["id"], row["state"]])),
  };
}

test("prints the active public keys with their scope", async () => {
  const { keys, create } = newState();
  const set = async () => {
    const { status, stdout, stderr } = await keys("public");
    return [status, JSON.parse(stdout).keys, stderr === ""];
  };
  await create();
  await create("url");
  expect(await set()).toEqual([0, [], false]);
  const old = await create("url --ed25519 --origin https://a.example --until 2100-01-02T03:04:05Z");
  const { id }: CreatedKey = JSON.parse((await keys(`rotate ${old.id} --show-secret --json`)).stdout);
  const common = { kty: "OKP", crv: "Ed25519", alg: "Ed25519", use: "sig", x: expect.any(String) };
  const scope = { origins: ["https://a.example"], until: "21000102T030405Z" };
  expect((await set())[1]).toEqual([old.id, id].map((kid) => ({ ...common, kid, scope })));
  await keys(`revoke ${old.id}`);
  expect((await set())[1]).toEqual([{ ...common, kid: id, scope }]);
});

test("encrypts secrets in files of mode 0600", async () => {
  const { state, create } = newState();
  const s3 = await create();
  const ed = await create("url --ed25519");
  const text = readFileSync(join(state, "keys.json"), "utf8");
  expect(text).toContain(s3.id);
  expect(text).not.toContain(s3.secretAccessKey);
  expect(text).not.toContain(ed.jwk?.d);
  expect(readdirSync(state).sort()).toEqual(["keys.json", "keys.json.spare", "master.key"]);
  for (const name of readdirSync(state)) expect(statSync(join(state, name)).mode & 0o777).toBe(0o600);
});

test("creates no key if its secret would be hidden", async () => {
  const { state, keys } = newState();
  const { status, stderr } = await keys("create");
  expect([status, stderr]).toEqual([2, expect.stringContaining("--out FILE")]);
  expect(existsSync(state)).toBe(false);
});

test("writes a secret to a new file that tools can read", async () => {
  const { folder, keys, states } = newState();
  const [credentials, jwk] = [join(folder, "credentials"), join(folder, "key.jwk")];
  await keys(`create --out ${credentials}`);
  await keys(`create url --out ${jwk}`);
  expect(statSync(credentials).mode & 0o777).toBe(0o600);
  const env = { AWS_SHARED_CREDENTIALS_FILE: credentials, DAYPASS_KEY_FILE: jwk };
  expect((await daypass(["sign", "s3://media/a", "--region", "x"], { env })).stdout).toContain("Credential=DP");
  expect((await daypass(["sign", "https://a.example/x"], { env })).stdout).toContain("dp-key=k-");
  expect((await keys(`create --out ${credentials}`)).status).toBe(2);
  expect(Object.keys(await states())).toHaveLength(2);
});

test("creates and rotates no key if the secret cannot be written", async () => {
  const { folder, keys, create, states } = newState();
  writeFileSync(join(folder, "file"), "");
  const { id } = await create();
  for (const action of ["create", `rotate ${id}`, `session ${id}`]) {
    const { status, stderr } = await keys(`${action} --out ${join(folder, "file", "key")}`);
    expect([status, stderr]).toEqual([1, expect.stringContaining("lies below a file")]);
  }
  // An unset variable, and the name of a broken link.
  symlinkSync("nowhere", join(folder, "link"));
  for (const out of ["", join(folder, "link")]) {
    const { status, stderr } = await keys(`rotate ${id} --out ${out}`);
    expect([status, stderr]).toEqual([2, expect.stringContaining("--out ")]);
  }
  expect(await states()).toEqual({ [id]: "active" });
});

test.each<[part: string, edit: (record: Editable) => void]>([
  ["buckets", ({ scope }) => scope["buckets"]?.push("private")],
  ["missing buckets", ({ scope }) => delete scope["buckets"]],
  ["prefix", (record) => Object.assign(record.scope, { prefix: "" })],
  ["methods", ({ scope }) => scope["methods"]?.push("PUT")],
  ["maximum lifetime", (record) => Object.assign(record.scope, { maxLife: 604_800 })],
  ["expiry", (record) => Object.assign(record.scope, { until: "2099-01-01T00:00:00.000Z" })],
  ["origins", (record) => Object.assign(record.scope, { origins: ["https://b.example"] })],
  ["id", (record) => Object.assign(record, { id: "AKIDANOTHER" })],
  ["kind", (record) => Object.assign(record, { kind: record.kind === "s3" ? "url" : "s3" })],
  ["algorithm", (record) => Object.assign(record, { algorithm: "Ed25519" })],
])("rejects a key with edited %s in its row", async (_, edit) => {
  const folder = join(temporaryFolder(), "state");
  const store = () => keyStore({ folder, env: {}, clock: () => new Date("2026-01-02T03:04:05Z") });
  const limits = { prefix: "/a/", methods: ["GET"], maxLife: 60, until: "2027-01-02T03:04:05.000Z" };
  await store().create({ algorithm: "AWS4-HMAC-SHA256", scope: { buckets: ["media"], ...limits } });
  await store().create({ algorithm: "HS256", scope: { origins: ["https://a.example"], ...limits } });
  expect(await store().active()).toHaveLength(2);
  const file = join(folder, "keys.json");
  const whole = JSON.parse(readFileSync(file, "utf8"));
  const rows: readonly { readonly record: Editable }[] = structuredClone(whole.keys);
  for (const { record } of rows) edit(record);
  const isSame = rows.map((row, at) => isDeepStrictEqual(row, whole.keys[at]));
  expect(isSame).toContain(false);
  writeFileSync(file, JSON.stringify({ ...whole, keys: rows }));
  expect((await store().opened()).map(({ key }) => key !== undefined)).toEqual(isSame);
  await expect(store().active()).rejects.toThrow("the master key does not decrypt");
});

test("requires the master key", async () => {
  const { state, create, sign } = newState();
  await create("url");
  const file = join(state, "master.key");
  const master = readFileSync(file, "utf8").trim();
  chmodSync(file, 0o644);
  expect((await sign()).stderr).toContain("chmod 600");
  chmodSync(file, 0o600);
  const wrong = await sign({ DAYPASS_MASTER_KEY: "ab".repeat(32) });
  expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining("master key")]);
  expect((await sign({ DAYPASS_MASTER_KEY: "short" })).stderr).toContain("openssl rand");
  // In production the key belongs elsewhere.
  writeFileSync(file, "moved");
  expect((await sign({ DAYPASS_MASTER_KEY: master })).status).toBe(0);
});

test("adds no key with another master key", async () => {
  const { keys, create } = newState();
  const { id } = await create();
  const env = { DAYPASS_MASTER_KEY: "ab".repeat(32) };
  const created = await keys("create --show-secret", env);
  expect([created.status, created.stderr]).toEqual([1, expect.stringContaining("the master key does not decrypt")]);
  expect((await keys(`rotate ${id} --show-secret`, env)).status).toBe(1);
  // A revoked key does not require its master key.
  expect((await keys(`revoke ${id}`, env)).status).toBe(0);
  expect((await keys("create --show-secret", env)).status).toBe(0);
});

test("rotates with an overlap and revokes at once", async () => {
  const { keys, create, sign, states } = newState();
  const old = await create("url --label web");
  const next = JSON.parse((await keys(`rotate ${old.id} --overlap 1h --show-secret --json`)).stdout);
  expect(next).toMatchObject({ label: "web", scope: old.scope });
  expect(await states()).toEqual({ [old.id]: expect.stringMatching(/^until /), [next.id]: "active" });
  await keys(`revoke ${old.id}`);
  expect(await states()).toMatchObject({ [old.id]: "revoked" });
  expect((await sign()).stdout).toContain(`dp-key=${next.id}`);
  expect((await keys(`rotate ${old.id} --show-secret`)).status).toBe(1);
});

test.each(["rotate", "revoke", "session"])("rejects an unknown key id in keys %s", async (action) => {
  const { keys, create } = newState();
  await create();
  const { status, stderr } = await keys(`${action} NOPE`);
  expect([status, stderr]).toEqual([1, expect.stringContaining("NOPE")]);
});

test("limits a session to the given scope, and rejects a session without lifetime", async () => {
  const { keys, create } = newState();
  const { id } = await create();
  const session = `session ${id} --show-secret`;
  const { stdout } = await keys(`${session} --json --bucket media --bucket other --prefix in/ --method PUT`);
  const [payload = ""] = JSON.parse(stdout).SessionToken.split(".");
  expect(JSON.parse(Buffer.from(payload, "base64url").toString())).toContainEqual({
    buckets: ["media", "other"],
    prefix: "in/",
    methods: ["PUT"],
  });
  for (const wrong of ["--expires-in 0", "--method FOO", "--label x"])
    expect((await keys(`${session} ${wrong}`)).status).toBe(2);
});

test("writes a session to a new file, and prints the format of credential_process", async () => {
  const { folder, state, keys, create } = newState();
  const out = join(folder, "session");
  const { id } = await create();
  const session = `session ${id} --expires-in 30m`;
  const written = await keys(`${session} --out ${out}`);
  expect([written.status, statSync(out).mode & 0o777]).toEqual([0, 0o600]);
  expect(readFileSync(out, "utf8")).toContain("aws_session_token = ");
  expect(written.stdout).not.toContain(/aws_secret_access_key = (.*)/.exec(readFileSync(out, "utf8"))?.[1]);
  const sign = (env: Env, ...args: readonly string[]) =>
    daypass(["sign", "s3://media/a", "--region", "us-east-1", ...args], { env });
  expect((await sign({ AWS_SHARED_CREDENTIALS_FILE: out })).stdout).toMatch(/Credential=ASIA.*X-Amz-Security-Token=/);
  expect((await keys(`${session} --out ${out}`)).status).toBe(2);

  const config = join(folder, "config");
  const words = ["keys", ...session.split(" "), "--json", "--show-secret", "--state", state];
  writeFileSync(config, `[profile build]\ncredential_process = ${nodeCommand} ${words.map(shellWord).join(" ")}\n`);
  const env = { AWS_CONFIG_FILE: config };
  expect((await sign(env, "--profile", "build")).stdout).toMatch(/Credential=ASIA.*X-Amz-Security-Token=/);
  const late = await sign(env, "--profile", "build", "--expires-in", "1h");
  expect(late.stderr).toContain("CREDENTIALS_EXPIRE_FIRST");
  // A log must not contain the secret.
  const hidden = await keys(`${session} --json`);
  expect([hidden.status, hidden.stdout]).toEqual([2, expect.stringContaining("--show-secret")]);
});

test("lists an expired key as ended, and neither rotates nor uses the key for sessions", async () => {
  const { state, create } = newState();
  const { env, move } = movedClock();
  const { id } = await create(`--until ${new Date(Date.now() + 1800_000).toISOString()}`);
  const run = (line: string) => daypassProcess(["keys", ...line.split(" "), "--state", state], { env });
  const early = await run(`session ${id} --expires-in 1h --show-secret`);
  expect([early.status, early.stderr]).toEqual([1, expect.stringContaining("CREDENTIALS_EXPIRE_FIRST")]);
  move(3600);
  expect((await run("list")).stdout).toMatch(/ ended /);
  const rotated = await run(`rotate ${id} --show-secret`);
  expect([rotated.status, rotated.stderr]).toEqual([1, expect.stringContaining("has expired")]);
  expect((await run(`session ${id} --expires-in 1s --show-secret`)).status).toBe(1);
  expect(parseLines((await run("list --json")).stdout)).toEqual([expect.objectContaining({ id, state: "ended" })]);
});

test("creates keys concurrently", async () => {
  const { create, states } = newState();
  await Promise.all(Array.from({ length: 5 }, () => create()));
  expect(Object.keys(await states())).toHaveLength(5);
});

test.each([
  ...["url --prefix no-slash", "url --prefix /no-slash-behind", "url --prefix no-slash-before/", "url --prefix "],
  ...["url --origin a.example", "url --origin https://a.example/", "url --origin https://A.example"],
  ...[
    "url --origin https://a.example:443",
    "url --origin ",
    "s3 --bucket media/photos",
    "s3 --bucket ",
    "s3 --prefix ",
  ],
  ...["url --bucket media", "s3 --origin https://a.example", "s3 --method get", "s3 --method FOO", "s3 --ed25519"],
  ...["url --method GET,PUT", "s3 --overlap 1h", "s3 --expires-in 1h"],
  ...["s3", "url"].flatMap((kind) =>
    ["--max-life 0", "--until 2020-01-01T00:00:00Z", "--until 2026", "--until "].map((scope) => `${kind} ${scope}`),
  ),
])("rejects the scope of keys create %s", async (line) => {
  const { state, keys } = newState();
  const { status, stderr } = await keys(`create --show-secret ${line}`);
  expect([status, stderr]).toEqual([2, expect.stringContaining(`--${/--([\w-]+)/.exec(line)?.[1]}`)]);
  expect(existsSync(join(state, "keys.json"))).toBe(false);
});
