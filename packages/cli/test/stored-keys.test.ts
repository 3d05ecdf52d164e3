import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keyStore } from "../src/state-folder/key-store.ts";
import { daypass, daypassProcess, parseLines, temporaryFolder, words } from "./command.ts";
import { exampleFiles, serve, status } from "./serving.ts";

interface Created {
  readonly id: string;
}

const keys = async (state: string, ...args: readonly string[]): Promise<Created> => {
  const { stdout, stderr } = await daypass(["keys", ...args, "--state", state, "--show-secret", "--json"]);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
};

const later = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();

/** A state with a rotated key of each kind. */
async function rotated() {
  const state = join(temporaryFolder(), "state");
  const old = { s3: await keys(state, "create"), url: await keys(state, "create", "url") };
  const next = {
    s3: await keys(state, "rotate", old.s3.id, "--overlap", "1h"),
    url: await keys(state, "rotate", old.url.id, "--overlap", "1h"),
  };
  const sign = (target: string, ...args: readonly string[]) =>
    daypass(["sign", target, ...(target.startsWith("s3") ? ["--endpoint", "http://127.0.0.1:8080"] : []), ...args], {
      env: { DAYPASS_STATE: state },
    });
  return { state, old, next, sign };
}

test("signs with the successor of a rotated key, and serve prints the successor", async () => {
  const { state, next, sign } = await rotated();
  expect((await sign("s3://media/a", "--state", state)).stdout).toContain(`Credential=${next.s3.id}`);
  expect((await sign("https://a.example/x", "--state", state)).stdout).toContain(`dp-key=${next.url.id}`);
  const { said } = await serve(exampleFiles(), "--port", "0", "--state", state);
  expect([said.accessKeyId, said.urlKeyId]).toEqual([next.s3.id, next.url.id]);
  expect(said.presignedUrl).toContain(next.s3.id);
});

test("prefers the key with the fewest limits, then the newest", async () => {
  const state = join(temporaryFolder(), "state");
  await keys(state, "create");
  const { id } = await keys(state, "create");
  await keys(state, "create", "--bucket", "media");
  const { stdout } = await daypass(["sign", "s3://other/a", "--endpoint", "http://127.0.0.1:8080", "--state", state]);
  expect(stdout).toContain(`Credential=${id}`);
});

test("prefers a key without expiry, and skips expired keys", async () => {
  const state = join(temporaryFolder(), "state");
  const place = ["--endpoint", "http://127.0.0.1:8080", "--state", state];
  const sign = (...args: readonly string[]) => daypass(["sign", "s3://media/a", ...place, ...args]);
  const lasting = await keys(state, "create", "--bucket", "media", "--prefix", "a");
  const ending = await keys(state, "create", "--until", later(3600));
  // Created an hour ago, because the command rejects an expired --until.
  const anHourAgo = keyStore({ folder: state, env: {}, clock: () => new Date(later(-3600)) });
  const ended = await anHourAgo.create({ algorithm: "AWS4-HMAC-SHA256", scope: { until: later(-60) } });
  expect((await sign("--expires-in", "2h")).stdout).toContain(`Credential=${lasting.id}`);
  expect((await daypass(["keys", "revoke", lasting.id, "--state", state])).status).toBe(0);
  expect((await sign("--expires-in", "10m")).stdout).toContain(`Credential=${ending.id}`);
  expect((await sign("--key", ended.record.id)).stderr).toContain("CREDENTIALS_EXPIRE");
});

test("rejects a URL that outlives a rotated key", async () => {
  const { state, old, sign } = await rotated();
  const late = ["--state", state, "--expires-in", "1d"];
  const refused = await sign("s3://media/a", ...late, "--key", old.s3.id);
  expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining("CREDENTIALS_EXPIRE_FIRST")]);
  const clamped = await sign("s3://media/a", ...late, "--key", old.s3.id, "--clamp", "--json");
  const { expiresAt } = JSON.parse(clamped.stdout);
  expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(3_600_000);
  const url = await sign("https://a.example/x", ...late, "--key", old.url.id);
  expect([url.status, url.stderr]).toEqual([1, expect.stringContaining("KEY_SCOPE")]);
});

test("verifies and explains with the keys that are active at --at", async () => {
  const { state, next, sign } = await rotated();
  const url = (await sign("s3://media/a", "--state", state, "--expires-in", "1d")).stdout.trim();
  await keys(state, "rotate", next.s3.id, "--overlap", "1h");
  const tell = async (command: string, seconds: number) =>
    JSON.parse((await daypass([command, url, "--state", state, "--at", later(seconds), "--json"])).stdout);
  expect(await tell("verify", 60)).toMatchObject({ ok: true });
  expect(await tell("verify", 7200)).toMatchObject({ ok: false, code: "UNKNOWN_KEY" });
  const [before, after] = [await tell("explain", 60), await tell("explain", 7200)];
  expect([before.cause, before.mayEndEarlier]).toEqual([undefined, expect.stringContaining("key ends")]);
  expect(after.cause).toMatchObject({ code: "UNKNOWN_KEY", sentence: expect.stringContaining(next.s3.id) });
});

test("checks S3 URLs against the scope of the stored key", async () => {
  const state = join(temporaryFolder(), "state");
  const scope = ["--bucket", "media", "--method", "GET", "--prefix", "a/", "--max-life", "1h"];
  const { id } = await keys(state, "create", ...scope);
  const { said } = await serve(exampleFiles(), "--port", "0", "--state", state);
  const { stdout: credentials } = await daypass(["keys", "create", "--state", state, "--show-secret", "--json"]);
  const unlimited: { readonly id: string } = JSON.parse(credentials);
  const cases: readonly (readonly [args: readonly string[], inside: boolean])[] = [
    [["s3://media/a/x.txt"], true],
    [["s3://media/a/x.txt", "--method", "HEAD"], true],
    [["s3://media/x.txt"], false],
    [["s3://other/a/x.txt"], false],
    [["s3://media/a/x.txt", "--method", "PUT"], false],
    [["s3://media/a/x.txt", "--expires-in", "2h"], false],
    [["s3://media/a/x.txt", "--expires-in", "30m", "--stable-window", "1h"], false],
  ];
  for (const [args, inside] of cases) {
    const sign = (key: string) =>
      daypass(["sign", ...args, "--state", state, "--endpoint", said.s3Endpoint, "--key", key]);
    const signed = await sign(id);
    expect([args, signed.status, signed.stderr.includes("KEY_SCOPE")]).toEqual([args, inside ? 0 : 1, !inside]);
    expect((await sign(unlimited.id)).status).toBe(0);
  }
});

test("verifies and explains an S3 URL outside its key's scope like the gateway", async () => {
  const state = join(temporaryFolder(), "state");
  const wide = await keys(state, "create");
  const { said } = await serve(exampleFiles(), "--port", "0", "--state", state);
  const { stdout } = await daypass(words`keys create --bucket media --state ${state} --show-secret --json`);
  const narrow: { readonly id: string; readonly secretAccessKey: string } = JSON.parse(stdout);
  const env = { AWS_ACCESS_KEY_ID: narrow.id, AWS_SECRET_ACCESS_KEY: narrow.secretAccessKey };
  const place = ["--endpoint", said.s3Endpoint, "--addressing", "path"];
  const url = (await daypass(["sign", "s3://files/hello.txt", ...place], { env })).stdout.trim();
  await expect.poll(() => status(url)).toBe(403);
  const verified = await daypass(["verify", url, "--state", state, "--json"]);
  expect([verified.status, JSON.parse(verified.stdout)]).toMatchObject([1, { ok: false, code: "KEY_SCOPE" }]);
  const ours = await daypass(["sign", "s3://files/hello.txt", ...place, "--state", state, "--key", wide.id]);
  expect((await daypass(["verify", ours.stdout.trim(), "--state", state])).status).toBe(0);
  const explained = JSON.parse((await daypass(["explain", url, "--state", state, "--json"])).stdout);
  expect(explained.traps).toContainEqual({ name: "key-scope", text: expect.stringContaining("buckets=media") });
  expect(explained.cause).toMatchObject({ code: "PERMISSION", sentence: expect.stringContaining("bucket") });
});

test("explains a Daypass URL outside its key's scope", async () => {
  const state = join(temporaryFolder(), "state");
  const file = join(state, "..", "narrow.jwk");
  await keys(state, "create", "url", "--max-life", "10m", "--out", file);
  const sign = async (...options: readonly string[]) => {
    const env = { DAYPASS_KEY_FILE: file };
    const about = ["--subject", "cus_42", "--audience", "invoice", ...options];
    return (await daypass(["sign", "https://a.example/x", ...about], { env })).stdout.trim();
  };
  const explained = async (url: string, ...options: readonly string[]) =>
    JSON.parse((await daypass(["explain", url, "--state", state, "--json", ...options])).stdout);
  const cause = async (...args: Parameters<typeof explained>) => (await explained(...args)).cause;
  const long = await sign("--expires-in", "1h");
  expect(await cause(long)).toMatchObject({ code: "PERMISSION", sentence: expect.stringContaining("maxLife") });
  // Causes in the URL rank first.
  expect(await cause(long, "--at", "2100-01-01T00:00:00Z")).toMatchObject({ code: "EXPIRED" });
  const short = await sign("--expires-in", "5m");
  expect(await explained(short)).toMatchObject({ signatureFits: true });
  expect(await cause(short)).toBeUndefined();
  expect((await daypass(["explain", short, "--state", state])).stdout).toMatch(/signature +fits/);
  const bound = await sign("--expires-in", "5m", "--ip", "10.0.0.0/8");
  expect(await explained(bound, "--remote-address", "10.1.2.3")).toMatchObject({ signatureFits: true });
  // Without the key, the signature is not checked.
  const other = join(temporaryFolder(), "state");
  await keys(other, "create", "url");
  expect(await explained(short, "--state", other)).not.toHaveProperty("signatureFits");
});

test("confirms the signature of a URL from a pipe or in angle brackets", async () => {
  const key = { kty: "oct", kid: "k1", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" };
  const env = { DAYPASS_KEY: JSON.stringify(key) };
  const { stdout } = await daypass(["sign", "https://a.example/x"], { env });
  expect((await daypass(["explain", "-", "--json"], { env, input: stdout })).stdout).toContain('"signatureFits":true');
  const marked = `<${stdout.trim()}>`;
  expect((await daypass(["explain", marked, "--json"], { env })).stdout).toContain('"signatureFits":true');
});

test("confirms the signature only for the sent request", async () => {
  const state = join(temporaryFolder(), "state");
  await keys(state, "create");
  const place = ["--state", state, "--endpoint", "http://127.0.0.1:8080"];
  const url = (await daypass(["sign", "s3://media/a", ...place])).stdout.trim();
  // With an error of the server, explain does not search for another cause.
  const input = "<Error><Code>InternalError</Code></Error>";
  const fits = async (...sent: readonly string[]) => {
    const { stdout } = await daypass(["explain", url, "--state", state, "--json", "--error", "-", ...sent], { input });
    return JSON.parse(stdout).signatureFits;
  };
  expect(await fits()).toBe(true);
  expect(await fits("--method", "PUT")).toBeUndefined();
  expect(await fits("--sent-url", url.replace("/a?", "/b?"))).toBeUndefined();
});

test("explains that the key was revoked", async () => {
  const state = join(temporaryFolder(), "state");
  const { id } = await keys(state, "create");
  await keys(state, "create");
  const place = ["--state", state, "--endpoint", "http://127.0.0.1:8080", "--key", id];
  const url = (await daypass(["sign", "s3://media/a", ...place])).stdout.trim();
  await daypass(["keys", "revoke", id, "--state", state]);
  for (const at of [[], ["--at", "2100-01-01T00:00:00Z"]]) {
    const { stdout } = await daypass(["explain", url, "--state", state, "--json", ...at]);
    expect(JSON.parse(stdout).cause).toMatchObject({
      code: "UNKNOWN_KEY",
      sentence: expect.stringContaining("was revoked"),
    });
  }
});

test("rejects a batch line outside the scope of the stored key", async () => {
  const state = join(temporaryFolder(), "state");
  await keys(state, "create", "--bucket", "media", "--prefix", "a/");
  const place = ["--state", state, "--endpoint", "http://127.0.0.1:8080", "--expires-in", "1h"];
  const input = '{"key":"a/1"}\n{"key":"b/1"}\n{"form":{"bucket":"media","prefix":"b/"}}\n';
  for (const workers of ["0", "1"]) {
    const { stdout } = await daypassProcess(["sign", "s3://media", "--batch", "-", ...place, "--workers", workers], {
      input,
    });
    const codes = parseLines<{ error?: { code: string } }>(stdout).map(({ error }) => error?.code);
    expect(codes.slice(0, 2)).toEqual([undefined, "KEY_SCOPE"]);
  }
});

test("lists an edited row as not opening, and signs with other keys", async () => {
  const state = join(temporaryFolder(), "state");
  const edited = await keys(state, "create", "url", "--max-life", "1h");
  const good = await keys(state, "create", "url", "--max-life", "2h");
  const file = join(state, "keys.json");
  writeFileSync(file, readFileSync(file, "utf8").replace("3600", "999999"));
  const list = async (env = {}) =>
    Object.fromEntries(
      parseLines((await daypass(["keys", "list", "--state", state, "--json"], { env })).stdout).map((row) => [
        row["id"],
        row["state"],
      ]),
    );
  expect(await list()).toEqual({ [edited.id]: "does not open", [good.id]: "active" });
  const sign = (id: string) => daypass(["sign", "https://a.example/x", "--state", state, "--key", id]);
  expect((await sign(good.id)).status).toBe(0);
  expect((await sign(edited.id)).stderr).toContain("the master key does not decrypt");
});
