import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { keyStore } from "../src/state/key-store.ts";
import {
  daypass,
  daypassProcess,
  nodeCommand,
  parseLines,
  type RunOptions,
  shellWord,
  temporaryFolder,
  words,
} from "./command.ts";
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

async function createdKey(state: string, ...args: readonly string[]): Promise<CreatedKey> {
  const { stdout } = await daypass(["keys", "create", ...args, "--state", state, "--show-secret", "--json"]);
  return JSON.parse(stdout);
}

const sign = (state: string, options: RunOptions = {}) =>
  daypass(["sign", "https://a.example/x", "--state", state], options);

test("prints the active public keys with their scope", async () => {
  const state = join(temporaryFolder(), "state");
  const set = async () => {
    const { status, stdout, stderr } = await daypass(["keys", "public", "--state", state]);
    return [status, JSON.parse(stdout).keys, stderr === ""];
  };
  await createdKey(state);
  await createdKey(state, "url");
  expect(await set()).toEqual([0, [], false]);
  const old = await createdKey(
    state,
    "url",
    "--ed25519",
    "--origin",
    "https://a.example",
    "--until",
    "2100-01-02T03:04:05Z",
  );
  const rotated = await daypass(["keys", "rotate", old.id, "--state", state, "--show-secret", "--json"]);
  const { id }: CreatedKey = JSON.parse(rotated.stdout);
  const [, keys] = await set();
  const common = { kty: "OKP", crv: "Ed25519", alg: "Ed25519", use: "sig", x: expect.any(String) };
  const scope = { origins: ["https://a.example"], until: "21000102T030405Z" };
  expect(keys).toEqual([old.id, id].map((kid) => ({ ...common, kid, scope })));
  await daypass(["keys", "revoke", old.id, "--state", state]);
  expect((await set())[1]).toEqual([{ ...common, kid: id, scope }]);
});

test("encrypts secrets in files of mode 0600", async () => {
  const state = join(temporaryFolder(), "state");
  const s3 = await createdKey(state);
  const ed = await createdKey(state, "url", "--ed25519");
  const text = readFileSync(join(state, "keys.json"), "utf8");
  expect(text).toContain(s3.id);
  expect(text).not.toContain(s3.secretAccessKey);
  expect(text).not.toContain(ed.jwk?.d);
  expect(readdirSync(state).sort()).toEqual(["keys.json", "keys.json.spare", "master.key"]);
  for (const name of readdirSync(state)) expect(statSync(join(state, name)).mode & 0o777).toBe(0o600);
});

test("creates no key if its secret would be hidden", async () => {
  const state = join(temporaryFolder(), "state");
  const { status, stderr } = await daypass(["keys", "create", "--state", state]);
  expect([status, stderr]).toEqual([2, expect.stringContaining("--out FILE")]);
  expect(existsSync(state)).toBe(false);
});

test("writes a secret to a new file that tools can read", async () => {
  const folder = temporaryFolder();
  const [credentials, jwk] = [join(folder, "credentials"), join(folder, "key.jwk")];
  await daypass(["keys", "create", "--state", folder, "--out", credentials]);
  await daypass(["keys", "create", "url", "--state", folder, "--out", jwk]);
  expect(statSync(credentials).mode & 0o777).toBe(0o600);
  const env = { AWS_SHARED_CREDENTIALS_FILE: credentials, DAYPASS_KEY_FILE: jwk };
  expect((await daypass(["sign", "s3://media/a", "--region", "x"], { env })).stdout).toContain("Credential=DP");
  expect((await daypass(["sign", "https://a.example/x"], { env })).stdout).toContain("dp-key=k-");
  const again = await daypass(["keys", "create", "--state", folder, "--out", credentials]);
  expect(again.status).toBe(2);
  expect(parseLines((await daypass(["keys", "list", "--state", folder, "--json"])).stdout)).toHaveLength(2);
});

test("creates and rotates no key if the secret cannot be written", async () => {
  const folder = temporaryFolder();
  const state = join(folder, "state");
  writeFileSync(join(folder, "file"), "");
  const { id } = await createdKey(state);
  const run = (...args: readonly string[]) => daypass(["keys", ...args, "--state", state]);
  for (const action of [["create"], ["rotate", id], ["session", id]]) {
    const { status, stderr } = await run(...action, "--out", join(folder, "file", "key"));
    expect([status, stderr]).toEqual([1, expect.stringContaining("a file in place of a folder")]);
  }
  // An unset variable, and the name of a broken link.
  symlinkSync("nowhere", join(folder, "link"));
  for (const out of ["", join(folder, "link")]) {
    const { status, stderr } = await run("rotate", id, "--out", out);
    expect([status, stderr]).toEqual([2, expect.stringContaining("expected --out to name a new file")]);
  }
  expect(parseLines((await run("list", "--json")).stdout)).toEqual([expect.objectContaining({ id, state: "active" })]);
});

test.each<[part: string, edit: (record: Editable) => void]>([
  ["buckets", ({ scope }) => scope["buckets"]?.push("private")],
  ["buckets that are left out", ({ scope }) => delete scope["buckets"]],
  ["prefix", (record) => Object.assign(record.scope, { prefix: "" })],
  ["methods", ({ scope }) => scope["methods"]?.push("PUT")],
  ["longest life", (record) => Object.assign(record.scope, { maxLife: 604_800 })],
  ["end", (record) => Object.assign(record.scope, { until: "2099-01-01T00:00:00.000Z" })],
  ["origins", (record) => Object.assign(record.scope, { origins: ["https://b.example"] })],
  ["id", (record) => Object.assign(record, { id: "AKIDANOTHER" })],
  ["kind", (record) => Object.assign(record, { kind: record.kind === "s3" ? "url" : "s3" })],
  ["algorithm", (record) => Object.assign(record, { algorithm: "Ed25519" })],
])("rejects a key if the %s in its row was edited", async (_, edit) => {
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
  await expect(store().active()).rejects.toThrow("was edited");
});

test("requires the master key", async () => {
  const state = join(temporaryFolder(), "state");
  await createdKey(state, "url");
  const master = readFileSync(join(state, "master.key"), "utf8").trim();
  chmodSync(join(state, "master.key"), 0o644);
  expect((await sign(state)).stderr).toContain("chmod 600");
  chmodSync(join(state, "master.key"), 0o600);
  const wrong = await sign(state, { env: { DAYPASS_MASTER_KEY: "ab".repeat(32) } });
  expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining("master key")]);
  expect((await sign(state, { env: { DAYPASS_MASTER_KEY: "short" } })).stderr).toContain("openssl rand");
  // In production the key belongs elsewhere.
  writeFileSync(join(state, "master.key"), "moved");
  expect((await sign(state, { env: { DAYPASS_MASTER_KEY: master } })).status).toBe(0);
});

test("adds no key with another master key", async () => {
  const state = join(temporaryFolder(), "state");
  const { id } = await createdKey(state);
  const env = { DAYPASS_MASTER_KEY: "ab".repeat(32) };
  const keys = (...args: readonly string[]) => daypass(["keys", ...args, "--state", state], { env });
  const created = await keys("create", "--show-secret");
  expect([created.status, created.stderr]).toEqual([1, expect.stringContaining("the master key is a different one")]);
  expect((await keys("rotate", id, "--show-secret")).status).toBe(1);
  // A revoked key does not require its master key.
  expect((await keys("revoke", id)).status).toBe(0);
  expect((await keys("create", "--show-secret")).status).toBe(0);
});

test("rotates with an overlap and revokes at once", async () => {
  const state = join(temporaryFolder(), "state");
  const old = await createdKey(state, "url", "--label", "web");
  const rotated = await daypass(words`keys rotate ${old.id} --overlap 1h --state ${state} --show-secret --json`);
  const next = JSON.parse(rotated.stdout);
  expect(next).toMatchObject({ label: "web", scope: old.scope });
  const states = async () =>
    Object.fromEntries(
      parseLines((await daypass(["keys", "list", "--state", state, "--json"])).stdout).map((record) => [
        record["id"],
        record["state"],
      ]),
    );
  expect(await states()).toEqual({ [old.id]: expect.stringMatching(/^until /), [next.id]: "active" });
  await daypass(["keys", "revoke", old.id, "--state", state]);
  expect(await states()).toMatchObject({ [old.id]: "revoked" });
  expect((await sign(state)).stdout).toContain(`dp-key=${next.id}`);
  expect((await daypass(["keys", "rotate", old.id, "--state", state, "--show-secret"])).status).toBe(1);
  expect((await daypass(["keys", "revoke", "nobody", "--state", state])).status).toBe(1);
});

test("rejects an unknown key id", async () => {
  const state = join(temporaryFolder(), "state");
  await createdKey(state);
  for (const action of ["rotate", "revoke", "session"]) {
    const { status, stderr } = await daypass(["keys", action, "NOPE", "--state", state]);
    expect([action, status, stderr]).toEqual([action, 1, expect.stringContaining("NOPE")]);
  }
});

test("rejects a session without lifetime or with an unknown method", async () => {
  const state = join(temporaryFolder(), "state");
  const { id } = await createdKey(state);
  const session = ["keys", "session", id, "--state", state, "--show-secret"];
  expect((await daypass([...session, "--expires-in", "0"])).status).toBe(2);
  expect((await daypass([...session, "--method", "FOO"])).status).toBe(2);
});

test("limits a session to the given scope", async () => {
  const state = join(temporaryFolder(), "state");
  const { id } = await createdKey(state);
  const scope = ["--bucket", "media", "--bucket", "other", "--prefix", "in/", "--method", "PUT"];
  const { stdout } = await daypass(["keys", "session", id, "--state", state, "--show-secret", "--json", ...scope]);
  const [payload = ""] = JSON.parse(stdout).SessionToken.split(".");
  expect(JSON.parse(Buffer.from(payload, "base64url").toString())).toContainEqual({
    buckets: ["media", "other"],
    prefix: "in/",
    methods: ["PUT"],
  });
});

test("writes a session to a new file, and prints the format of credential_process", async () => {
  const folder = temporaryFolder();
  const [state, out] = [join(folder, "state"), join(folder, "session")];
  const { id } = await createdKey(state);
  const session = ["keys", "session", id, "--state", state, "--expires-in", "30m"];
  const written = await daypass([...session, "--out", out]);
  expect([written.status, statSync(out).mode & 0o777]).toEqual([0, 0o600]);
  expect(readFileSync(out, "utf8")).toContain("aws_session_token = ");
  expect(written.stdout).not.toContain(/aws_secret_access_key = (.*)/.exec(readFileSync(out, "utf8"))?.[1]);
  const sign = (env: Readonly<Record<string, string>>, ...args: readonly string[]) =>
    daypass(["sign", "s3://media/a", "--region", "us-east-1", ...args], { env });
  expect((await sign({ AWS_SHARED_CREDENTIALS_FILE: out })).stdout).toMatch(/Credential=ASIA.*X-Amz-Security-Token=/);
  expect((await daypass([...session, "--out", out])).status).toBe(2);

  const config = join(folder, "config");
  const command = `${nodeCommand} ${[...session, "--json", "--show-secret"].map(shellWord).join(" ")}`;
  writeFileSync(config, `[profile build]\ncredential_process = ${command}\n`);
  const byProcess = await sign({ AWS_CONFIG_FILE: config }, "--profile", "build");
  expect(byProcess.stdout).toMatch(/Credential=ASIA.*X-Amz-Security-Token=/);
  expect((await sign({ AWS_CONFIG_FILE: config }, "--profile", "build", "--expires-in", "1h")).stderr).toContain(
    "CREDENTIALS_EXPIRE_FIRST",
  );
  // A log must not contain the secret.
  const hidden = await daypass([...session, "--json"]);
  expect([hidden.status, hidden.stdout]).toEqual([2, expect.stringContaining("--show-secret")]);
});

test("lists an expired key as ended, and neither rotates nor uses the key for sessions", async () => {
  const state = join(temporaryFolder(), "state");
  const { env, move } = movedClock();
  const { id } = await createdKey(state, "--until", new Date(Date.now() + 1800_000).toISOString());
  const run = (...args: readonly string[]) => daypassProcess(["keys", ...args, "--state", state], { env });
  const early = await run("session", id, "--expires-in", "1h", "--show-secret");
  expect([early.status, early.stderr]).toEqual([1, expect.stringContaining("CREDENTIALS_EXPIRE_FIRST")]);
  move(3600);
  expect((await run("list")).stdout).toMatch(/ ended /);
  const rotated = await run("rotate", id, "--show-secret");
  expect([rotated.status, rotated.stderr]).toEqual([1, expect.stringContaining("has ended")]);
  expect((await run("session", id, "--expires-in", "1s", "--show-secret")).status).toBe(1);
  expect(parseLines((await run("list", "--json")).stdout)).toEqual([expect.objectContaining({ id, state: "ended" })]);
});

test("creates keys concurrently", async () => {
  const state = join(temporaryFolder(), "state");
  await Promise.all(Array.from({ length: 5 }, () => createdKey(state)));
  const { stdout } = await daypass(["keys", "list", "--state", state, "--json"]);
  expect(parseLines(stdout)).toHaveLength(5);
});

test("rejects scopes without effect and scopes without permissions", async () => {
  const state = join(temporaryFolder(), "state");
  const create = (...args: readonly string[]) =>
    daypass(["keys", "create", ...args, "--state", state, "--show-secret"]);
  for (const prefix of ["no-slash", "/no-slash-behind", "no-slash-before/", ""]) {
    const { status, stderr } = await create("url", "--prefix", prefix);
    expect([status, stderr]).toEqual([2, expect.stringContaining("expected --prefix as")]);
  }
  for (const origin of ["a.example", "https://a.example/", "https://A.example", "https://a.example:443", ""]) {
    const { status, stderr } = await create("url", "--origin", origin);
    expect([status, stderr]).toEqual([2, expect.stringContaining("expected --origin as")]);
  }
  for (const bucket of ["media/photos", ""]) expect((await create("s3", "--bucket", bucket)).status).toBe(2);
  expect((await create("s3", "--prefix", "")).status).toBe(2);
  expect((await create("url", "--bucket", "media")).status).toBe(2);
  expect((await create("s3", "--origin", "https://a.example")).status).toBe(2);
  expect((await create("s3", "--method", "get")).status).toBe(2);
  expect((await create("s3", "--ed25519")).status).toBe(2);
  for (const kind of ["s3", "url"]) {
    expect((await create(kind, "--max-life", "0")).status).toBe(2);
    expect((await create(kind, "--until", "2020-01-01T00:00:00Z")).status).toBe(2);
    for (const until of ["2026", ""]) expect((await create(kind, "--until", until)).status).toBe(2);
  }
  expect((await create("s3", "--method", "FOO")).status).toBe(2);
  expect((await create("url", "--method", "GET,PUT")).status).toBe(2);
  expect(existsSync(join(state, "keys.json"))).toBe(false);
});
