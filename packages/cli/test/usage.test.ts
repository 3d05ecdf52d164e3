import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AWS, daypass, temporaryFolder } from "./command.ts";

const env = { ...AWS, AWS_REGION: "us-east-1" };
const URL_TO_READ = "https://a.example/x?X-Amz-Signature=a";

test.each([
  ["sign", "s3://b/k", "--expires-at", "2026"],
  ["sign", "s3://b/k", "--expires-in", "abc"],
  ["sign", "s3://b/k", "--at", "nope"],
  ["sign", "s3://b/k", "--method", "get"],
  ["sign", "s3://b/k", "--endpoint", "nope"],
  ["sign", "https://a.example/x", "--method", "GET,PUT"],
  ["sign", "https://a.example/x", "--starts", "nope"],
  ["sign", "gs://b/k", "--starts", "nope"],
  ["sign", "--batch", "-", "--endpoint", "nope"],
  ["sign", "--batch", "-", "--method", "get"],
  ["doctor", "s3://b", "--endpoint", "nope"],
  ["verify", URL_TO_READ, "--at", "nope"],
  ["explain", URL_TO_READ, "--at", "nope"],
  ["scan", "-", "--at", "nope"],
  ["sign", "https://a.example/x", "--at", "9999-12-31T23:59:59-01:00"],
  // Of a variable that is not set.
  ["sign", "s3://b/k", "--expires-at", ""],
  ["verify", URL_TO_READ, "--at", ""],
  ["verify", URL_TO_READ, "--state", ""],
  ["keys", "list", "--state", ""],
  ["serve", ".", "--state", ""],
  ["serve", ".", "--host", ""],
  ["scan", "-", "--at", ""],
  ["scan", "--git", "--repo", ""],
  ["sign", "s3://b/k", "--sha256", "nope"],
  ["sign", "https://a.example/x", "--ip", "nope"],
  ["sign", "--batch", "-", "--sha256", "nope"],
  ["verify", URL_TO_READ, "--remote-address", "nope"],
  ["verify", URL_TO_READ, "--method", "put"],
  ["verify", URL_TO_READ, "--origin", "nonsense"],
  ["explain", URL_TO_READ, "--method", "put"],
  ["explain", URL_TO_READ, "--remote-address", "nope"],
  ["explain", URL_TO_READ, "--body-sha256", "nope"],
  ["explain", URL_TO_READ, "--origin", "nonsense"],
  ["doctor", "s3://b", "--origin", "nonsense"],
  ["doctor", "s3://b/", "--origin", "nonsense"],
])("is told as wrong usage: %s %s %s %s", async (...args) => {
  const { status, stdout, stderr } = await daypass(args, { env });
  const option = args.findLast((word) => word.startsWith("--"));
  expect([status, stdout, stderr]).toEqual([2, "", expect.stringContaining(`expected ${option} as`)]);
});

test.each([
  ["sign", "s3://b/k", "--expires-in", "999999999w"],
  ["sign", "s3://b/k", "--stable-window", "36501d"],
  ["keys", "create", "--max-life", "999999999w"],
  ["keys", "rotate", "ID", "--state", ".", "--overlap", "999999999w"],
])("takes no duration beyond a century: %s", async (...args) => {
  const { status, stderr } = await daypass(args, { env });
  expect([status, stderr]).toEqual([2, expect.stringContaining("of at most 36500d")]);
});

test.each(["s3://media/", "gs://media/", "az://account/media/"])("makes no URL for the whole of %s", async (target) => {
  const { status, stdout, stderr } = await daypass(["sign", target, "--method", "DELETE"], { env });
  expect([status, stdout, stderr]).toEqual([2, "", expect.stringContaining("found none")]);
});

test.each(["s3://media/", "gs://media/", "az://account/media/"])(
  "takes %s for what a batch has in common",
  async (target) => {
    const { status, stdout, stderr } = await daypass(["sign", target, "--batch", "-"], { input: "" });
    expect([status, stdout, stderr]).toEqual([0, "", expect.not.stringContaining("expected")]);
  },
);

test.each(["verify", "explain"])("%s names the file of AWS that was named and cannot be read", async (command) => {
  const folder = temporaryFolder();
  const { status, stderr } = await daypass([command, URL_TO_READ], { env: { AWS_CONFIG_FILE: folder } });
  expect([status, stderr]).toEqual([1, expect.stringContaining("expected AWS_CONFIG_FILE to name a file")]);
});

test("is told as wrong usage, and as no refusal: verify --schemes with a scheme that is none", async () => {
  const input = '{"scheme":"nope"}';
  const { status, stdout, stderr } = await daypass(["verify", URL_TO_READ, "--schemes", "-"], { env, input });
  expect([status, stdout, stderr]).toEqual([2, "", expect.stringContaining("expected scheme")]);
});

test.each([
  ["sign", "https://a.example/x", "--audience", "a", "--audience", "b"],
  ["sign", "s3://b/k", "--expires-in", "1h", "--expires-in=2h"],
  ["sign", "s3://b/k", "--region", "a", "--region", "b"],
  ["verify", URL_TO_READ, "--at", "2026-01-02T03:04:05Z", "--at", "2026-01-02T03:04:05Z"],
])("refuses an option that is given twice and counts once: %s %s %s %s", async (...args) => {
  const { status, stdout, stderr } = await daypass(args, { env });
  expect([status, stdout, stderr]).toEqual([2, "", expect.stringContaining(`${args[2]} once`)]);
});

test("names what to do in its own options", async () => {
  const region = await daypass(["sign", "s3://b/k"], { env: AWS });
  expect([region.status, region.stderr]).toEqual([1, expect.stringMatching(/--region .*AWS_REGION/)]);
  const config = join(temporaryFolder(), "config");
  const end = new Date(Date.now() + 60_000).toISOString();
  const json = `{"Version":1,"AccessKeyId":"a","SecretAccessKey":"s","SessionToken":"t","Expiration":"${end}"}`;
  writeFileSync(config, `[default]\nregion = x\ncredential_process = echo '${json}'\n`);
  const late = await daypass(["sign", "s3://b/k"], { env: { AWS_CONFIG_FILE: config } });
  expect([late.status, late.stderr]).toEqual([1, expect.stringContaining("--clamp")]);
});

test("sends a directory bucket elsewhere before anything is sent", async () => {
  const { status, stderr } = await daypass(["doctor", "s3://media--use1-az4--x-s3"], { env });
  expect([status, stderr]).toEqual([2, expect.stringMatching(/directory bucket .*create-session/)]);
});

test("shows nothing of an endpoint that is none, which may hold a password", async () => {
  const { stderr } = await daypass(["sign", "s3://b/k", "--endpoint", "user:secret@host"], { env });
  expect(stderr).not.toContain("secret");
});

test.each([[["foo", "--json"]], [["--json"]], [["--json", "sign"]]])("answers %j in JSON", async (args) => {
  const { status, stdout, stderr } = await daypass(args);
  expect([status, stderr]).toEqual([2, ""]);
  expect(JSON.parse(stdout)).toEqual({ error: { code: "USAGE", message: expect.stringContaining("a command") } });
});

test("tells a person where the commands are listed", async () => {
  const { status, stdout, stderr } = await daypass(["foo"]);
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toBe('daypass: expected a command, found "foo"; see daypass --help\n');
});

test.each([
  [["--nope"], "expected a known option, found --nope"],
  [["-x"], "expected a known option, found -x"],
  [["--expires-in"], "expected a value after --expires-in, found none"],
  [["--expires-in", "-1"], "write --expires-in=-1"],
  [["--out", "--strict"], "expected a value after --out, found --strict"],
  [["--json=1"], "expected --json without a value"],
])("says of %j what was expected", async (args, said) => {
  const { status, stderr } = await daypass(["sign", "s3://b/k", ...args], { env });
  expect([status, stderr]).toEqual([2, expect.stringContaining(said)]);
});

test.each([
  [["sign", "https://a.example/x"], "DAYPASS_KEY_FILE"],
  [["explain", URL_TO_READ], "DAYPASS_KEY_FILE"],
  [["sign", "gs://b/k"], "GOOGLE_APPLICATION_CREDENTIALS"],
  [["explain", URL_TO_READ], "GOOGLE_APPLICATION_CREDENTIALS"],
  [["keys", "create", "--show-secret"], "DAYPASS_MASTER_KEY_FILE"],
])("%j says which variable names a folder, as Docker makes one of a file that is not there: %s", async (args, name) => {
  const { status, stderr } = await daypass(args, { env: { [name]: "." } });
  expect([status, stderr]).toEqual([
    1,
    expect.stringContaining(`expected ${name} to name a file, found a folder at .`),
  ]);
});

test("says which option names a folder in the place of the fields of all lines", async () => {
  const { status, stderr } = await daypass(["sign", "s3://b", "--batch", "-", "--defaults", "."]);
  expect([status, stderr]).toEqual([
    1,
    expect.stringContaining("expected --defaults to name a file, found a folder at ."),
  ]);
});

test.each(["verify", "explain"])("%s needs no home", async (command) => {
  const url = "https://a.example/x?md5=AAAAAAAAAAAAAAAAAAAAAA&expires=1";
  const file = join(temporaryFolder(), "schemes.json");
  writeFileSync(file, '{"scheme":"nginx","credentials":{"secret":"s"}}');
  const { stderr } = await daypass([command, url, "--schemes", file], { env: { HOME: "/dev/null" } });
  expect(stderr).toBe("");
});

const JWK = { kid: "k1", kty: "oct", alg: "HS256", k: Buffer.alloc(32).toString("base64url") };

test("signs, verifies and explains with a key as WebCrypto exports it, with members beside those of a Daypass URL key", async () => {
  const env = { DAYPASS_KEY: JSON.stringify({ ...JWK, key_ops: ["sign", "verify"], ext: true }) };
  const { stdout: url } = await daypass(["sign", "https://a.example/x"], { env });
  const verified = await daypass(["verify", url.trim()], { env });
  expect([verified.status, verified.stdout]).toEqual([0, expect.stringContaining("granted")]);
  const explained = await daypass(["explain", url.trim(), "--json"], { env });
  expect(JSON.parse(explained.stdout)).not.toHaveProperty("cause");
});

test.each(["{}", '{"kid":"k1","kty":"RSA","n":"AQAB","e":"AQAB"}'])(
  "says of the key %s in the environment what kinds there are, to whoever wants to sign or to verify",
  async (DAYPASS_KEY) => {
    for (const command of ["sign", "verify"]) {
      const { status, stderr } = await daypass([command, "https://a.example/x?dp-v=1"], { env: { DAYPASS_KEY } });
      expect([command, status, stderr]).toEqual([command, 1, expect.stringMatching(/"oct" or "OKP" in DAYPASS_KEY, /)]);
    }
  },
);

test("says which member of a key in --schemes is none of such a key's", async () => {
  const input = JSON.stringify({ scheme: "url", keys: [{ ...JWK, ext: true }] });
  const { status, stderr } = await daypass(["verify", "https://a.example/x?dp-v=1", "--schemes", "-"], { input });
  expect([status, stderr]).toEqual([2, expect.stringMatching(/expected keys as .*, found one with "ext"/)]);
});

test.each([
  ["sign", "https://a.example/x"],
  ["sign", "s3://b/k", "--endpoint", "http://127.0.0.1:8080"],
  ["verify", URL_TO_READ],
  ["explain", URL_TO_READ],
  ["doctor", "s3://b", "--endpoint", "http://127.0.0.1:8080"],
  ["keys", "list"],
])("tells that the folder of --state is not there, and asks for none: %s %s", async (...args) => {
  const state = join(temporaryFolder(), "none");
  const { status, stdout, stderr } = await daypass([...args, "--state", state], { env });
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(`${state}, found no such folder: correct --state`);
});

test("verify names the folder of --state where no key is in use", async () => {
  const state = temporaryFolder();
  const { status, stderr } = await daypass(["verify", URL_TO_READ, "--state", state], { env });
  expect([status, stderr]).toEqual([1, expect.stringContaining(`in ${state}, found none that is in use`)]);
});

test.each(["b", "s3://", "gs://b", "https://b.s3.amazonaws.com"])(
  "doctor expects a bucket alone, not %s",
  async (target) => {
    const { status, stderr } = await daypass(["doctor", target], { env });
    expect([status, stderr]).toEqual([2, expect.stringContaining(`expected s3://bucket, found "${target}"`)]);
  },
);

test.each([
  ["s3://media/a", "http://127.0.0.1:9000"],
  ["s3://media/a", "http://[::1]:9000"],
  ["s3://media/a", "http://127.1"],
  ["gs://media/a", "https://10.0.0.1"],
])("says of %s at %s that no bucket stands in front of an IP address", async (target, endpoint) => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const account = join(temporaryFolder(), "account.json");
  const private_key = privateKey.export({ type: "pkcs8", format: "pem" });
  writeFileSync(account, JSON.stringify({ type: "service_account", client_email: "a@b.example", private_key }));
  const { status, stderr } = await daypass(["sign", target, "--endpoint", endpoint, "--addressing", "virtual"], {
    env: { ...env, GOOGLE_APPLICATION_CREDENTIALS: account },
  });
  expect([status, stderr]).toEqual([1, expect.stringMatching(/found an IP address, .* use path addressing/)]);
});

test("says of a JSON file without a type that it has none", async () => {
  const file = join(temporaryFolder(), "account.json");
  writeFileSync(file, "{}");
  const { stderr } = await daypass(["sign", "gs://b/k"], { env: { GOOGLE_APPLICATION_CREDENTIALS: file } });
  expect(stderr).toContain("the key of a service account, found no type: ");
});
