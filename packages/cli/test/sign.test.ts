import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AWS, daypass, start, temporaryFolder } from "./command.ts";

const AT = ["--at", "2026-01-02T03:04:05Z"];
const JWK = { kid: "k1", kty: "oct", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" };

async function signed(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Record<string, never>> {
  const { stdout } = await daypass(["sign", ...args, "--json"], { env });
  return JSON.parse(stdout);
}

test("signs an S3 target with the environment's credentials and region", async () => {
  const { stdout, status } = await daypass(["sign", "s3://media/a b%2F.txt", "--expires-in", "15m", ...AT], {
    env: { ...AWS, AWS_REGION: "eu-west-1" },
  });
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /^https:\/\/media\.s3\.eu-west-1\.amazonaws\.com\/a%20b%252F\.txt\?X-Amz-Algorithm=.*Expires=900&.*Signature=[0-9a-f]{64}\n$/,
  );
});

test("prints the grant id that verify prints", async () => {
  for (const target of ["s3://media/a", "https://a.example/x"]) {
    const env = { ...AWS, AWS_REGION: "eu-west-1", DAYPASS_KEY: JSON.stringify(JWK) };
    const { url, id } = await signed([target], env);
    const verified = JSON.parse((await daypass(["verify", String(url), "--json"], { env })).stdout);
    expect([typeof id, id]).toEqual(["string", verified.grant.id]);
  }
  const form = ["s3://media/up/", "--as", "html-form", "--content-length", "1-9"];
  expect((await signed(form, { ...AWS, AWS_REGION: "eu-west-1" }))["id"]).toMatch(/^[\w-]{22}$/);
});

test("reads credentials, region and endpoint of a profile", async () => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, "config"),
    `[default]
region = us-west-2
[profile minio]
region = eu-central-1   # a comment
services = local
[services local]
s3 =
  endpoint_url = http://127.0.0.1:9000
  addressing_style = path
[profile process]
region = eu-north-1
credential_process = echo '{"Version":1,"AccessKeyId":"AKPROCESS","SecretAccessKey":"s","SessionToken":"t","Expiration":"2026-01-02T03:10:00.123456+00:00"}'
[profile sso]
sso_session = corp
[profile 'two words']
region = eu-south-1
aws_access_key_id = AKQUOTED
aws_secret_access_key = s
`,
  );
  writeFileSync(
    join(folder, "credentials"),
    `[default]
aws_access_key_id = AKDEFAULT
aws_secret_access_key = s#1
; a comment
[minio]
aws_access_key_id=AKMINIO
aws_secret_access_key=s2
aws_session_token=tok
`,
  );
  const env = { AWS_CONFIG_FILE: join(folder, "config"), AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials") };
  expect((await signed(["s3://media/a"], env))["url"]).toMatch(/media\.s3\.us-west-2.*Credential=AKDEFAULT%2F/);
  const minio =
    /^http:\/\/127\.0\.0\.1:9000\/media\/a\?.*Credential=AKMINIO%2F\d+%2Feu-central-1.*X-Amz-Security-Token=tok/;
  expect((await signed(["s3://media/a"], { ...env, AWS_PROFILE: "minio" }))["url"]).toMatch(minio);
  expect((await signed(["s3://media/a", "--profile", "minio"], { ...env, ...AWS }))["url"]).toMatch(minio);

  // The spelling of `aws configure`.
  const quoted = await signed(["s3://media/a", "--profile", "two words"], env);
  expect(quoted["url"]).toMatch(/Credential=AKQUOTED%2F\d+%2Feu-south-1/);

  // The URL must not outlive the credentials.
  const late = ["sign", "s3://media/a", "--profile", "process", ...AT];
  const { status, stderr } = await daypass(late, { env });
  expect([status, stderr]).toEqual([1, expect.stringContaining("CREDENTIALS_EXPIRE_FIRST")]);
  expect((await daypass([...late, "--clamp"], { env })).stdout).toContain("X-Amz-Expires=355&");

  const sso = await daypass(["sign", "s3://media/a", "--profile", "sso"], { env });
  expect([sso.status, sso.stderr]).toEqual([1, expect.stringContaining("export-credentials")]);
  const missing = await daypass(["sign", "s3://media/a", "--profile", "nobody"], { env });
  expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining('"nobody"')]);
});

test("continues after standard error was closed", async () => {
  const env = { ...AWS, AWS_REGION: "us-east-1" };
  const child = start(["sign", "s3://media/a", "--header", "x-amz-meta-a: b"], { env });
  child.stderr.destroy();
  let stdout = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk;
  });
  expect(await once(child, "close")).toEqual([0, null]);
  expect(stdout).toContain("X-Amz-Signature=");
});

test("signs a Daypass URL with the key of the environment or of a file", async () => {
  const file = join(temporaryFolder(), "key.jwk");
  writeFileSync(file, JSON.stringify(JWK));
  const args = ["https://api.example.com/invoices/7.pdf?lang=de", ...AT];
  const expected =
    "https://api.example.com/invoices/7.pdf?lang=de&dp-date=20260102T030405Z&dp-expires=20260102T031905Z&dp-key=k1&dp-methods=GET&dp-signature=9y5KnKIOCIa4LWCJg6HcOsAoveTMv5zKneZ_e-36YRY&dp-v=1";
  expect((await signed(args, { DAYPASS_KEY: JSON.stringify(JWK) }))["url"]).toBe(expected);
  expect((await signed(args, { DAYPASS_KEY_FILE: file }))["url"]).toBe(expected);
  const bound = await signed(
    [
      ...args,
      "--method",
      "PUT",
      "--subject",
      "cus_42",
      "--ip",
      "192.0.2.0/24",
      "--content-length",
      "1-10",
      "--create-only",
      "--uses",
      "1",
    ],
    { DAYPASS_KEY_FILE: file },
  );
  expect(bound["url"]).toMatch(/dp-create=1.*dp-ip=192-0-2-0_24.*dp-length=1-10.*dp-subject=cus_42.*dp-uses=1/);
});

test("prints commands to paste", async () => {
  const env = { ...AWS, AWS_REGION: "eu-west-1" };
  const as = async (...args: readonly string[]) => (await daypass(["sign", ...args, ...AT], { env })).stdout;
  expect(await as("s3://media/a", "--as", "curl", "--method", "PUT", "--content-type", "it's/x")).toMatch(
    /^curl --fail --request PUT --header 'content-type: it'\\''s\/x' --upload-file FILE 'https:\/\/[^']+'\n$/,
  );
  expect(await as("s3://media/a/../b", "--as", "curl", "--dot-segments")).toContain("--path-as-is");
  expect(await as("s3://media/a", "--as", "wget")).toMatch(/^wget 'https:/);
  expect(await as("s3://media/a", "--as", "fetch", "--method", "DELETE")).toMatch(
    /^await fetch\("https:[^"]+", { method: "DELETE" }\);/,
  );
});

test("prints no command that would request another object or omit a header", async () => {
  const env = { ...AWS, AWS_REGION: "eu-west-1" };
  const as = (...args: readonly string[]) => daypass(["sign", ...args, ...AT], { env });
  for (const format of ["wget", "fetch"]) {
    for (const more of [[], ["--json"]]) {
      const { status, stdout, stderr } = await as("s3://media/a/../b", "--as", format, "--dot-segments", ...more);
      expect([status, stdout + stderr]).toEqual([2, expect.stringContaining("--as curl")]);
    }
  }
  // No tool removes dots in a query.
  const key = JSON.stringify({ kty: "oct", kid: "k", alg: "HS256", k: "A".repeat(43) });
  for (const format of ["wget", "fetch", "curl"]) {
    const run = ["sign", "https://a.example/x?path=/../y", "--as", format];
    const { status, stdout } = await daypass(run, { env: { DAYPASS_KEY: key } });
    expect([status, stdout]).toEqual([0, expect.stringContaining("path=/../y")]);
    expect(stdout).not.toContain("--path-as-is");
  }
  const { stdout } = await as("s3://media/a", "--as", "curl", "--header", "x-amz-meta-empty:");
  expect(stdout).toContain("--header 'x-amz-meta-empty;'");
});

test("prints the form in JSON", async () => {
  const form = ["s3://media/up/", "--as", "html-form", "--content-length", "1-9"];
  const answer = await signed(form, { ...AWS, AWS_REGION: "eu-west-1" });
  // Without the charset, the file name would be sent in the encoding of the page.
  expect(answer["html-form"]).toMatch(/^<form action="https:\/\/media.*" accept-charset="utf-8">\n/);
});

test("reports an incomplete profile and a failed credential_process", async () => {
  const folder = temporaryFolder();
  const [config, credentials] = [join(folder, "config"), join(folder, "credentials")];
  writeFileSync(
    config,
    `[profile fails]
credential_process = echo S3CR3T; echo "no vault today" >&2; exit 7
[profile silent]
credential_process = exit 3
[profile nothing]
credential_process = echo null
`,
  );
  writeFileSync(
    credentials,
    "\ufeff[marked]\naws_access_key_id = AKMARKED\naws_secret_access_key = s\n[half]\naws_access_key_id = AKHALF\n",
  );
  const sign = (profile: string, more: Readonly<Record<string, string>> = {}) => {
    const env = { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: credentials, ...more };
    return daypass(["sign", "s3://media/a", "--region", "x", "--profile", profile], { env });
  };
  expect((await sign("marked")).stdout).toContain("Credential=AKMARKED");
  expect((await sign("half")).stderr).toContain("has no aws_secret_access_key. Set it");
  const { stderr } = await sign("fails");
  expect(stderr).toMatch(/exit status 7 .*no vault today/);
  expect(stderr).not.toContain("S3CR3T");
  expect((await sign("silent")).stderr).toContain("exit status 3");
  expect((await sign("nothing")).stderr).toContain("credential_process prints no JSON object. ");
  expect((await sign("any", { AWS_SHARED_CREDENTIALS_FILE: folder })).stderr).toContain(
    `AWS_SHARED_CREDENTIALS_FILE names ${folder}, which is a folder. `,
  );
});

test("reports an expiry in the past with the given instant", async () => {
  const args = ["s3://media/a", "--expires-at", "2026-01-02T03:04:05Z", "--at", "2026-01-02T03:04:05Z", "--json"];
  const { status, stdout } = await daypass(["sign", ...args], { env: { ...AWS, AWS_REGION: "eu-west-1" } });
  expect([status, JSON.parse(stdout)]).toMatchObject([
    1,
    {
      error: {
        code: "INVALID_EXPIRY",
        message: expect.stringContaining("expiresAt is 2026-01-02T03:04:05Z, not after "),
      },
    },
  ]);
});

test("prints errors as JSON with --json", async () => {
  const { status, stdout } = await daypass(["sign", "s3://media/a", "--expires-in", "8d", "--json"], {
    env: { ...AWS, AWS_REGION: "eu-west-1" },
  });
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toHaveProperty("error.code", "INVALID_EXPIRY");
});

test("signs for a directory bucket with session credentials", async () => {
  const target = "s3://media--use1-az4--x-s3/a.txt";
  const folder = temporaryFolder();
  writeFileSync(join(folder, "config"), "[default]\ns3 =\n  addressing_style = path\n");
  const key = { ...AWS, AWS_REGION: "us-east-1", AWS_CONFIG_FILE: join(folder, "config") };
  const session = { ...key, AWS_SESSION_TOKEN: "token" };
  for (const [name, zone] of [
    [target, "use1-az4"],
    ["s3://point--use1-az5--xa-s3/a.txt", "use1-az5"],
  ] as const) {
    const url = String((await signed([name, "--expires-in", "5m"], session))["url"]);
    expect(url).toMatch(new RegExp(`--xa?-s3\\.s3express-${zone}\\.us-east-1\\.amazonaws\\.com/a\\.txt\\?`));
    expect(url).toContain("X-Amz-S3session-Token=token");
    expect(url).not.toContain("X-Amz-Security-Token");
  }
  const lines = ["sign", target.replace("/a.txt", ""), "--batch", "-", "--expires-in", "5m"];
  const batch = await daypass(lines, { env: session, input: '{"key":"a.txt"}\n' });
  expect(batch.stdout).toContain("X-Amz-S3session-Token=token");
  const { status, stderr } = await daypass(["sign", target], { env: key });
  expect([status, stderr]).toEqual([1, expect.stringContaining("INVALID_KEY: the key has no session token")]);
  const plain = await signed([target, "--signature-version", "v4"], key);
  expect(plain["url"]).toContain("s3%2Faws4_request");
});

test("names --expires-in for lines without a lifetime", async () => {
  const lines = ["sign", "s3://media", "--batch", "-"];
  const { stdout } = await daypass(lines, { env: { ...AWS, AWS_REGION: "us-east-1" }, input: '{"key":"a"}\n' });
  expect(JSON.parse(stdout).error).toEqual({ code: "INVALID_INPUT", message: expect.stringContaining("--expires-in") });
});

test("verifies and explains a signed URL", async () => {
  const env = { ...AWS, AWS_REGION: "eu-west-1" };
  const { stdout } = await daypass(["sign", "s3://media/a.txt", ...AT], { env });
  const url = stdout.trim();
  const verify = (...args: readonly string[]) =>
    daypass(["verify", url, "--at", "2026-01-02T03:05:00Z", ...args], { env });
  expect((await verify()).status).toBe(0);
  const refused = await verify("--method", "PUT", "--json");
  expect([refused.status, JSON.parse(refused.stdout).code]).toEqual([1, "SIGNATURE_MISMATCH"]);

  const explain = (...args: readonly string[]) => daypass(["explain", url, ...args], { env });
  expect((await explain()).stdout).toMatch(/^The URL has expired: it was valid until 2026-01-02T03:19:05.000Z\.\n/);
  const asPut = await explain("--method", "PUT", "--at", "2026-01-02T03:05:00Z", "--json");
  expect(JSON.parse(asPut.stdout)).toHaveProperty("cause.code", "METHOD");
  expect(asPut.stdout).not.toMatch(/Signature=[0-9a-f]{64}/);
  const put = await daypass(["sign", "s3://media/a.txt", "--method", "PUT", ...AT], { env });
  const upload = await daypass(["explain", put.stdout.trim(), "--origin", "https://page.example"], { env });
  expect(upload.stdout).toContain("Content-Security-Policy: connect-src https://media.s3.eu-west-1.amazonaws.com\n");
  expect(upload.stdout).toContain('"https://page.example"');
});

test("adds the command of --as to the output of --json", async () => {
  const options = ["--as", "curl", "--region", "eu-west-1", ...AT];
  const json = await signed(["s3://media/a.txt", ...options], AWS);
  expect(json).toMatchObject({ method: "GET", expiresAt: "2026-01-02T03:19:05.000Z" });
  const { stdout } = await daypass(["sign", "s3://media/a.txt", ...options], { env: AWS });
  expect(`${json["curl"]}\n`).toBe(stdout);
  expect(await signed(["s3://media/a.txt", "--region", "eu-west-1", ...AT], AWS)).not.toHaveProperty("curl");
});
