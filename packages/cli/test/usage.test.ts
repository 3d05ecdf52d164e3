import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AWS, daypass, daypassProcess, temporaryFolder } from "./command.ts";

const env = {
  ...AWS,
  AWS_REGION: "us-east-1",
  AZURE_STORAGE_ACCOUNT: "acme",
  AZURE_STORAGE_KEY: Buffer.alloc(64, 7).toString("base64"),
};
const URL_TO_READ = "https://a.example/x?X-Amz-Signature=a";

/** The words of a command line. `''` is an empty word, and URL is {@link URL_TO_READ}. */
const argumentsOf = (line: string): string[] =>
  line.split(" ").map((word) => (word === "''" ? "" : word === "URL" ? URL_TO_READ : word));

describe("an invalid value", () => {
  test.each([
    ...["sign s3://b/k --expires-at 2026", "sign s3://b/k --expires-in abc", "sign s3://b/k --at nope"],
    ...["sign s3://b/k --method g,t", "sign s3://b/k --endpoint nope", "sign s3://b/k --sha256 nope"],
    ...["sign https://a.example/x --method GET,PUT", "sign https://a.example/x --starts nope"],
    ...["sign gs://b/k --starts nope", "sign https://a.example/x --ip nope", "sign s3://b/k --expires-in soon"],
    ...["sign --batch - --endpoint nope", "sign --batch - --method g,t", "sign --batch - --sha256 nope"],
    ...["doctor s3://b --endpoint nope", "doctor s3://b --origin nonsense", "doctor s3://b/ --origin nonsense"],
    ...["verify URL --at nope", "verify URL --remote-address nope", "verify URL --method put"],
    ...["verify URL --origin nonsense", "explain URL --at nope", "explain URL --method put"],
    ...["explain URL --remote-address nope", "explain URL --body-sha256 nope", "explain URL --origin nonsense"],
    ...["scan - --at nope", "sign https://a.example/x --at 9999-12-31T23:59:59-01:00"],
    ...["sign --batch - --workers many", "doctor s3://media --origin https://page.example:443"],
    // Empty words come from unset variables.
    ...["sign s3://b/k --expires-at ''", "verify URL --at ''", "verify URL --state ''", "keys list --state ''"],
    ...["serve . --state ''", "serve . --host ''", "scan - --at ''", "scan --git --repo ''"],
  ])("is rejected with the name of the option: %s", async (line) => {
    const args = argumentsOf(line);
    const { status, stdout, stderr } = await daypass(args, { env });
    const option = args.findLast((word) => word.startsWith("--"));
    expect([status, stdout, stderr]).toEqual([2, "", expect.stringMatching(new RegExp(`${option} is `))]);
  });
});

describe("a wrong command line", () => {
  test.each([
    ["sign s3://b/k --expires-in 999999999w", 2, "Pass at most 36500d"],
    ["sign s3://b/k --stable-window 36501d", 2, "Pass at most 36500d"],
    ["keys create --max-life 999999999w", 2, "Pass at most 36500d"],
    ["keys rotate ID --state . --overlap 999999999w", 2, "Pass at most 36500d"],
    ["sign s3://media/ --method DELETE", 2, "has no key"],
    ["sign gs://media/ --method DELETE", 2, "has no object"],
    ["sign az://account/media/ --method DELETE", 2, "has no blob"],
    ["sign https://a.example/x --audience a --audience b", 2, "--audience is given twice"],
    ["sign s3://b/k --expires-in 1h --expires-in=2h", 2, "--expires-in is given twice"],
    ["sign s3://b/k --region a --region b", 2, "--region is given twice"],
    ["verify URL --at 2026-01-02T03:04:05Z --at 2026-01-02T03:04:05Z", 2, "--at is given twice"],
    ["sign s3://b/k --content-length 1-10G", 2, '--content-length is "10G". Pass a whole number of bytes'],
    ["explain --form - --file-size 1.5MB", 2, "with or without a unit: kB, MB, GB, TB (1GB is 10^9), KiB"],
    ["sign s3://b/k --nope", 2, "--nope is not an option"],
    ["sign s3://b/k -x", 2, "-x is not an option"],
    ["sign s3://b/k --expires-in", 2, "--expires-in needs a value"],
    ["sign s3://b/k --expires-in -1", 2, "If it is the value, write --expires-in=-1"],
    ["sign s3://b/k --out --strict", 2, "--out needs a value, and --strict looks like an option"],
    ["sign s3://b/k --json=1", 2, "--json takes no value"],
    ["sign", 2, "the target is missing"],
    ["sign s3://media/a s3://media/b", 2, "there are 2 arguments instead of one"],
    ["sign ftp://x/y", 2, 'the target is "ftp://x/y". Write s3://bucket/key'],
    ["sign gs://", 2, 'the target is "gs://". Write gs://bucket/object'],
    ["sign az://acme", 2, 'the target is "az://acme". Write az://account/container/blob'],
    ["sign s3://media/a --subject x", 2, "--subject is not an option of the scheme s3, only of url. "],
    ["sign https://a.example/x --region x", 2, "--region is not an option of the scheme url, only of s3. "],
    ["sign gs://media/a --state x", 2, "--state is not an option of the scheme gcs, only of s3, url. "],
    ["sign az://acme/media/a --query a=b", 2, "--query is not an option of the scheme azure, only of s3, gcs, url. "],
    ["sign az://acme/media/a --ip 192.0.2.1 --ip 192.0.2.2", 2, "--ip is given twice"],
    ["sign s3://media/a --method GET --method PUT", 2, "--method is given twice"],
    ["sign s3://media/a --header a:b --header a:c", 2, "--header a is given twice"],
    ["sign s3://media/a --workers 2", 2, "--workers needs --batch or --all"],
    ["sign s3://media/a --batch -", 2, "the target of a batch has a key"],
    ["sign az://acme/media/a --as html-form", 2, "has no upload forms"],
    ["sign https://a.example/x --as html-form", 2, "has no upload forms"],
    ["sign s3://media/a --as html-form --method PUT", 2, "a form has no method"],
    ["sign s3://media/a --field acl=private", 2, "--field needs --as html-form"],
    ["sign s3://media/../x", 1, "--dot-segments"],
    ["sign s3://media/a --expires-in 8d", 1, "INVALID_EXPIRY"],
    ["sign --batch none.jsonl", 1, "--batch names none.jsonl, which does not exist. "],
    ["sign --batch .", 1, "--batch names ., which is a folder. "],
    ["sign s3://b --batch - --defaults .", 1, "--defaults names ., which is a folder. "],
    ["scan", 2, "there is nothing to scan"],
    ["scan a b", 2, "there are 2 arguments instead of one"],
    ["scan . --repo .", 2, "--repo needs --git"],
    ["scan none", 1, "the argument names none, which does not exist. "],
    ["explain URL --error none", 1, "--error names none, which does not exist. "],
    ["explain URL --error .", 1, "--error names ., which is a folder. "],
    ["explain URL --file-size 1", 2, "--file-size needs --form"],
    ["explain --form - URL", 2, "--form and a URL are both given"],
    ["explain --form - --method PUT", 2, "--method is not for a form"],
    ["explain --form - --error -", 2, "both read standard input"],
    ["explain --form /no/such/file", 1, "--form names /no/such/file, which does not exist. "],
    ["doctor", 2, "the bucket is missing"],
    ["doctor b", 2, 'the bucket is "b". Write s3://bucket'],
    ["doctor s3://", 2, 'the bucket is "s3://". Write s3://bucket'],
    ["doctor gs://b", 2, 'the bucket is "gs://b". Write s3://bucket'],
    ["doctor https://b.s3.amazonaws.com", 2, 'the bucket is "https://b.s3.amazonaws.com". Write s3://bucket'],
    ["doctor s3://media/key", 2, "Write s3://bucket, without a key"],
    ["doctor s3://media--use1-az4--x-s3", 2, "create-session"],
    ["help foo", 2, '"foo" is not a command'],
    ["foo", 2, 'daypass: "foo" is not a command. See daypass --help'],
  ])("is rejected: %s", async (line, code, message) => {
    const { status, stdout, stderr } = await daypass(argumentsOf(line), { env });
    expect([status, stdout, stderr]).toEqual([code, "", expect.stringContaining(message)]);
    expect(stderr).toMatch(/^daypass[^\n]*\n$/);
  });

  test.each(["foo --json", "--json", "--json sign"])("is rejected in JSON: %s", async (line) => {
    const { status, stdout, stderr } = await daypass(argumentsOf(line));
    expect([status, stderr]).toEqual([2, ""]);
    expect(JSON.parse(stdout)).toEqual({ error: { code: "USAGE", message: expect.stringContaining("a command") } });
  });

  test("prints the overview to standard error without arguments", async () => {
    const { status, stdout, stderr } = await daypass([]);
    expect([status, stdout, stderr]).toEqual([2, "", expect.stringContaining("daypass COMMAND --help")]);
  });
});

test.each(["serve", "sign", "verify", "explain", "scan", "doctor", "keys"])("prints help for %s", async (command) => {
  const { status, stdout } = await daypassProcess([command, "--help"]);
  expect([status, stdout]).toEqual([0, expect.stringContaining(`daypass ${command}`)]);
  expect((await daypass(["help", command])).stdout).toBe(stdout);
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThan(150);
});

describe("a missing credential or file", () => {
  test.each([
    ["sign s3://media/a", {}, "AWS_ACCESS_KEY_ID"],
    ["sign s3://b/k", AWS, "--region or by AWS_REGION"],
    ["sign https://a.example/x", { DAYPASS_KEY_FILE: "." }, "DAYPASS_KEY_FILE names ., which is a folder. "],
    ["explain URL", { DAYPASS_KEY_FILE: "." }, "DAYPASS_KEY_FILE names ., which is a folder. "],
    ["verify URL", { AWS_CONFIG_FILE: "." }, "AWS_CONFIG_FILE names ., which is a folder"],
    ["explain URL", { AWS_CONFIG_FILE: "." }, "AWS_CONFIG_FILE names ., which is a folder"],
    [
      "sign gs://b/k",
      { GOOGLE_APPLICATION_CREDENTIALS: "." },
      "GOOGLE_APPLICATION_CREDENTIALS names ., which is a folder",
    ],
    [
      "explain URL",
      { GOOGLE_APPLICATION_CREDENTIALS: "." },
      "GOOGLE_APPLICATION_CREDENTIALS names ., which is a folder",
    ],
    [
      "keys create --show-secret",
      { DAYPASS_MASTER_KEY_FILE: "." },
      "DAYPASS_MASTER_KEY_FILE names ., which is a folder",
    ],
    ["sign https://a.example/x", { DAYPASS_KEY: "{}" }, 'DAYPASS_KEY has a key whose kty is not "oct" or "OKP". '],
    [
      "verify https://a.example/x?dp-v=1",
      { DAYPASS_KEY: '{"kid":"k1","kty":"RSA"}' },
      'DAYPASS_KEY has a key whose kty is not "oct" or "OKP". ',
    ],
    ["sign https://a.example/x", { DAYPASS_KEY: '{"k":"S3CR3T' }, "DAYPASS_KEY is not JSON"],
  ])("is named: %s with %j", async (line, variables: Readonly<Record<string, string>>, message) => {
    const { status, stderr } = await daypass(argumentsOf(line), {
      env: { DAYPASS_STATE: temporaryFolder(), ...variables },
    });
    expect([status, stderr]).toEqual([1, expect.stringContaining(message)]);
    expect(stderr).not.toContain("S3CR3T");
  });

  test.each([
    "sign https://a.example/x",
    "sign s3://b/k --endpoint http://127.0.0.1:8080",
    "verify URL",
    "explain URL",
    "doctor s3://b --endpoint http://127.0.0.1:8080",
    "keys list",
  ])("of --state is named: %s", async (line) => {
    const state = join(temporaryFolder(), "none");
    const { status, stdout, stderr } = await daypass([...argumentsOf(line), "--state", state], { env });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`${state} does not exist. Correct --state`);
  });

  test("of an empty --state is named by verify", async () => {
    const state = temporaryFolder();
    const { status, stderr } = await daypass(["verify", URL_TO_READ, "--state", state], { env });
    expect([status, stderr]).toEqual([1, expect.stringContaining(`${state} has no key that is in use`)]);
  });

  test.each(["verify", "explain"])("of a home is no error for %s", async (command) => {
    const url = "https://a.example/x?md5=AAAAAAAAAAAAAAAAAAAAAA&expires=1";
    const file = join(temporaryFolder(), "schemes.json");
    writeFileSync(file, '{"scheme":"nginx","credentials":{"secret":"s"}}');
    const { stderr } = await daypass([command, url, "--schemes", file], { env: { HOME: "/dev/null" } });
    expect(stderr).toBe("");
  });
});

test.each(["s3://media/", "gs://media/", "az://account/media/"])(
  "accepts %s as the target of a batch",
  async (target) => {
    const { status, stdout, stderr } = await daypass(["sign", target, "--batch", "-"], { input: "" });
    expect([status, stdout, stderr]).toEqual([0, "", expect.not.stringContaining("daypass sign:")]);
  },
);

const JWK = { kid: "k1", kty: "oct", alg: "HS256", k: Buffer.alloc(32).toString("base64url") };

test.each([
  ['{"scheme":"nope"}', 'scheme is "nope"'],
  [JSON.stringify({ scheme: "url", keys: [{ ...JWK, ext: true }] }), 'the field "ext"'],
])("rejects the --schemes %s as wrong usage", async (input, message) => {
  const { status, stdout, stderr } = await daypass(["verify", "https://a.example/x?dp-v=1", "--schemes", "-"], {
    input,
  });
  expect([status, stdout, stderr]).toEqual([2, "", expect.stringContaining(message)]);
});

test("signs, verifies and explains with an exported WebCrypto key", async () => {
  const env = { DAYPASS_KEY: JSON.stringify({ ...JWK, key_ops: ["sign", "verify"], ext: true }) };
  const { stdout: url } = await daypass(["sign", "https://a.example/x"], { env });
  const verified = await daypass(["verify", url.trim()], { env });
  expect([verified.status, verified.stdout]).toEqual([0, expect.stringContaining("granted")]);
  const explained = await daypass(["explain", url.trim(), "--json"], { env });
  expect(JSON.parse(explained.stdout)).not.toHaveProperty("cause");
});

test("suggests --clamp if the credentials expire before the URL", async () => {
  const config = join(temporaryFolder(), "config");
  const end = new Date(Date.now() + 60_000).toISOString();
  const json = `{"Version":1,"AccessKeyId":"a","SecretAccessKey":"s","SessionToken":"t","Expiration":"${end}"}`;
  writeFileSync(config, `[default]\nregion = x\ncredential_process = echo '${json}'\n`);
  const late = await daypass(["sign", "s3://b/k"], { env: { AWS_CONFIG_FILE: config } });
  expect([late.status, late.stderr]).toEqual([1, expect.stringContaining("--clamp")]);
});

test("does not print an invalid endpoint, which may contain a password", async () => {
  const { stderr } = await daypass(["sign", "s3://b/k", "--endpoint", "user:secret@host"], { env });
  expect(stderr).not.toContain("secret");
});

test.each([
  ["s3://media/a", "http://127.0.0.1:9000"],
  ["s3://media/a", "http://[::1]:9000"],
  ["s3://media/a", "http://127.1"],
  ["gs://media/a", "https://10.0.0.1"],
])("rejects virtual addressing of %s at the IP address %s", async (target, endpoint) => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const account = join(temporaryFolder(), "account.json");
  const private_key = privateKey.export({ type: "pkcs8", format: "pem" });
  writeFileSync(account, JSON.stringify({ type: "service_account", client_email: "a@b.example", private_key }));
  const { status, stderr } = await daypass(["sign", target, "--endpoint", endpoint, "--addressing", "virtual"], {
    env: { ...env, GOOGLE_APPLICATION_CREDENTIALS: account },
  });
  expect([status, stderr]).toEqual([1, expect.stringMatching(/is the IP address .*, .* Use path addressing/)]);
});

test.each([
  [{}, "has no type. "],
  [{ type: "service_account", client_email: "a@b.example" }, "has no private_key. "],
])("rejects the Google key file %j", async (content, message) => {
  const file = join(temporaryFolder(), "account.json");
  writeFileSync(file, JSON.stringify(content));
  const { stderr } = await daypass(["sign", "gs://b/k"], { env: { GOOGLE_APPLICATION_CREDENTIALS: file } });
  expect(stderr).toContain(message);
});

test("does not run a credential_process of the current folder if HOME is empty", async () => {
  const cwd = temporaryFolder();
  for (const folder of [".aws", ".config/gcloud"]) mkdirSync(join(cwd, folder), { recursive: true });
  writeFileSync(join(cwd, ".aws/config"), `[default]\ncredential_process = touch '${join(cwd, "ran")}'\n`);
  writeFileSync(join(cwd, ".config/gcloud/application_default_credentials.json"), "{}");
  const run = (...args: readonly string[]) => daypassProcess(args, { cwd, env: { HOME: "" } });
  expect((await run("explain", URL_TO_READ)).status).toBe(0);
  expect((await run("sign", "s3://media/a")).stderr).toContain("there are no AWS credentials");
  expect((await run("sign", "gs://b/o")).stderr).toContain("there are no Google credentials");
});
