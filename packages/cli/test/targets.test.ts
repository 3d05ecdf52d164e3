import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gcsVerifier } from "daypass/gcs";
import { gcsFormVerifier } from "daypass/gcs/form";
import { guardNode } from "daypass/node";
import { s3FormVerifier } from "daypass/s3/form";
import { expect, onTestFinished, test } from "vitest";
import { AWS, daypass, daypassProcess, jsonLines, parseLines, temporaryFolder, words } from "./command.ts";

const AT = ["--at", "2026-01-02T03:04:05Z"];
const LATER = ["--at", "2026-01-02T03:05:00Z"];
const client_email = "signer@project.iam.gserviceaccount.com";
const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const private_key = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const public_key = pair.publicKey.export({ type: "spki", format: "pem" }).toString();
const accountKey = Buffer.alloc(64, 7).toString("base64");

function keyFile(content: object = { type: "service_account", project_id: "p", client_email, private_key }): string {
  const file = join(temporaryFolder(), "key.json");
  writeFileSync(file, JSON.stringify(content));
  return file;
}

type Env = Readonly<Record<string, string>>;

test("signs, verifies and explains gs:// with the key file of a service account", async () => {
  const env = { GOOGLE_APPLICATION_CREDENTIALS: keyFile() };
  const { stdout, stderr, status } = await daypass(["sign", "gs://media/talks/a b%2F.txt", ...AT], { env });
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(
    /^https:\/\/storage\.googleapis\.com\/media\/talks\/a%20b%252F\.txt\?X-Goog-Algorithm=GOOG4-RSA-SHA256&.*X-Goog-Expires=900&.*X-Goog-Signature=[0-9a-f]{512}\n$/,
  );
  const url = stdout.trim();
  expect((await daypass(["verify", url, ...LATER], { env })).status).toBe(0);
  expect((await daypass(["verify", url.replace("a%20b", "a%20c"), ...LATER], { env })).stdout).toContain(
    "SIGNATURE_MISMATCH",
  );
  const explained = await daypass(["explain", url, "--method", "PUT", ...LATER, "--json"], { env });
  expect(JSON.parse(explained.stdout)).toHaveProperty("cause.code", "METHOD");
  const v2 = await daypass(["sign", "gs://media/a", "--signature-version", "v2", ...AT], { env });
  expect(v2.stdout).toContain("GoogleAccessId=");
});

test("uses gcloud's default credentials and the address of an emulator", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "application_default_credentials.json");
  const sign = (env: Env) => daypass(["sign", "gs://media/a", ...AT], { env: { CLOUDSDK_CONFIG: folder, ...env } });
  expect((await sign({})).stderr).toContain("GOOGLE_APPLICATION_CREDENTIALS");
  writeFileSync(file, JSON.stringify({ type: "authorized_user", refresh_token: "S3CR3T" }));
  const user = await sign({});
  expect([user.status, user.stderr]).toEqual([1, expect.stringContaining('"authorized_user"')]);
  expect(user.stderr).not.toContain("S3CR3T");
  writeFileSync(file, JSON.stringify({ type: "service_account", client_email, private_key }));
  expect((await sign({ STORAGE_EMULATOR_HOST: "localhost:4443" })).stdout).toMatch(
    /^http:\/\/localhost:4443\/media\/a\?/,
  );
  writeFileSync(file, '{"private_key":"S3CR3T');
  expect((await sign({})).stderr).not.toContain("S3CR3T");
  expect((await sign({ GOOGLE_APPLICATION_CREDENTIALS: join(folder, "none") })).status).toBe(1);
});

test("signs az:// with the account key of Azure's tools", async () => {
  const sign = (args: readonly string[], env: Env) => daypass(["sign", ...args, ...AT], { env });
  const key = { AZURE_STORAGE_ACCOUNT: "acme", AZURE_STORAGE_KEY: accountKey };
  const { stdout } = await sign(["az://acme/media/talks/a b.txt"], key);
  expect(stdout).toMatch(/^https:\/\/acme\.blob\.core\.windows\.net\/media\/talks\/a%20b\.txt\?sv=.*&sp=r&.*sig=/);
  const url = stdout.trim();
  expect((await daypass(["verify", url, ...LATER], { env: key })).status).toBe(0);
  expect((await daypass(["verify", url.replace("sp=r", "sp=rw"), ...LATER], { env: key })).status).toBe(1);
  const explained = await daypass(["explain", url, ...LATER], { env: key });
  expect(explained.stdout).toContain("service SAS");

  const put = await sign(["az://acme/media/a", "--method", "PUT", "--as", "curl"], key);
  expect(put.stdout).toMatch(
    /^curl --fail --request PUT --header 'x-ms-blob-type: BlockBlob' --upload-file FILE 'https:.*sp=cw/,
  );
  const text = `DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=${accountKey};EndpointSuffix=core.chinacloudapi.cn`;
  const china = await sign(["az://acme/media/a"], { AZURE_STORAGE_CONNECTION_STRING: text });
  expect(china.stdout).toMatch(/^https:\/\/acme\.blob\.core\.chinacloudapi\.cn\/media\/a\?/);
  const azurite = await sign(["az://devstoreaccount1/media/a"], {
    AZURE_STORAGE_CONNECTION_STRING: "UseDevelopmentStorage=true",
  });
  expect(azurite.stdout).toMatch(/^http:\/\/127\.0\.0\.1:10000\/devstoreaccount1\/media\/a\?/);

  // The key is for its own account. A container needs explicit permissions.
  const other = await sign(["az://other/media/a"], key);
  expect([other.status, other.stderr]).toEqual([1, expect.stringContaining('"acme"')]);
  const container = await sign(["az://acme/media"], key);
  expect([container.status, container.stderr]).toEqual([1, expect.stringContaining("--permissions")]);
  expect(
    (
      await sign(
        [
          "az://acme/media",
          "--resource",
          "container",
          "--permissions",
          "rl",
          "--ip",
          "192.0.2.1",
          "--protocol",
          "https",
        ],
        key,
      )
    ).stdout,
  ).toMatch(/sr=c.*sip=192\.0\.2\.1|sip=192\.0\.2\.1.*sr=c/);
  const sas = await sign(["az://acme/media/a"], {
    AZURE_STORAGE_CONNECTION_STRING: "BlobEndpoint=https://acme;SharedAccessSignature=sv=x&sig=S3CR3T",
  });
  expect([sas.status, sas.stderr.includes("S3CR3T")]).toEqual([1, false]);
});

/** The fields of an HTML form. */
function fieldsOf(html: string): readonly (readonly [string, string])[] {
  const plain = (text = ""): string =>
    text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
  return [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(([, name, value]) => [
    plain(name),
    plain(value),
  ]);
}

test("prints an HTML form for S3 and Cloud Storage", async () => {
  const clock = (): Date => new Date("2026-01-02T03:05:00Z");
  const form = (target: string, args: readonly string[], env: Env) =>
    daypass(words`sign ${target} --as html-form --content-type image/png --content-length 1-1000 ${AT} ${args}`, {
      env,
    });
  const hostile = "a \"quoted\" <b> & 'c'";
  const s3 = await form("s3://media/uploads/7/", ["--field", `x-amz-meta-note=${hostile}`], {
    ...AWS,
    AWS_REGION: "eu-west-1",
  });
  expect(s3.stdout).toMatch(
    /^<form action="https:\/\/media\.s3\.eu-west-1\.amazonaws\.com\/" method="post" enctype="multipart\/form-data" accept-charset="utf-8">\n/,
  );
  // Fields after the file are ignored.
  expect(s3.stdout).toMatch(/<input type="file" name="file" required>\n {2}<button>Upload<\/button>\n<\/form>\n$/);
  const credentials = { accessKeyId: AWS.AWS_ACCESS_KEY_ID, secretAccessKey: AWS.AWS_SECRET_ACCESS_KEY };
  const enforces = ["body-length"] as const;
  const s3Grant = await s3FormVerifier({ credentials, clock, enforces }).verify({
    bucket: "media",
    fields: fieldsOf(s3.stdout),
    fileName: "a.png",
  });
  expect(s3Grant.key).toBe("uploads/7/a.png");
  expect(s3Grant.fields).toMatchObject({
    "content-type": "image/png",
    "x-amz-meta-note": hostile,
  });

  const gcs = await form("gs://media/up/one.png", [], { GOOGLE_APPLICATION_CREDENTIALS: keyFile() });
  const verifier = gcsFormVerifier({ keys: { client_email, public_key }, clock, enforces });
  const gcsGrant = await verifier.verify({ bucket: "media", fields: fieldsOf(gcs.stdout), fileName: "x.png" });
  expect(gcsGrant.object).toBe("up/one.png");

  const json = await form("s3://media/a", ["--json"], { ...AWS, AWS_REGION: "eu-west-1" });
  expect(JSON.parse(json.stdout)).toHaveProperty("fields.key", "a");
});

test("completes batch lines with the keys of each cloud", async () => {
  const env = {
    ...AWS,
    AWS_REGION: "eu-west-1",
    GOOGLE_APPLICATION_CREDENTIALS: keyFile(),
    AZURE_STORAGE_ACCOUNT: "acme",
    AZURE_STORAGE_KEY: accountKey,
  };
  const input = jsonLines([
    { scheme: "s3", bucket: "media", key: "a" },
    { scheme: "gcs", bucket: "media", object: "a" },
    { scheme: "azure", account: "acme", container: "media", blob: "a" },
    { scheme: "azure", account: "other", container: "media", blob: "a" },
  ]);
  const { stdout } = await daypassProcess(["sign", "--batch", "-", "--expires-in", "60", "--workers", "2"], {
    input,
    env,
  });
  const answers = parseLines<{ readonly url?: string; readonly error?: { readonly code: string } }>(stdout);
  expect(answers.map(({ url }) => new URL(url ?? "x://-").host)).toEqual([
    "media.s3.eu-west-1.amazonaws.com",
    "storage.googleapis.com",
    "acme.blob.core.windows.net",
    "-",
  ]);
  expect(answers[3]?.error?.code).toBe("INVALID_INPUT");
});

test("signs all objects of a Cloud Storage bucket", async () => {
  const keys = ["a b", "z/1", "é"];
  // The server verifies like Cloud Storage, which supports ListObjectsV2.
  const verifier = (origin: string) => gcsVerifier({ keys: { client_email, public_key }, origins: [origin] });
  const server = createServer((request, response) => {
    const origin = `http://${request.headers.host}`;
    guardNode(verifier(origin), (grant, _, answer) => {
      const { pathname, searchParams } = new URL(grant.target, origin);
      const asked = [
        pathname,
        searchParams.get("list-type"),
        searchParams.get("encoding-type"),
        searchParams.get("prefix"),
      ];
      if (asked.join() !== "/media,2,url,p/") {
        answer.statusCode = 400;
        answer.end();
        return;
      }
      const contents = keys.map((key) => `<Contents><Key>${encodeURIComponent(`p/${key}`)}</Key></Contents>`).join("");
      answer.end(
        `<?xml version='1.0' encoding='UTF-8'?><ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'><EncodingType>url</EncodingType>${contents}<IsTruncated>false</IsTruncated></ListBucketResult>`,
      );
    })(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = { GOOGLE_APPLICATION_CREDENTIALS: keyFile() };
  const { stdout, stderr } = await daypass(
    ["sign", "--all", "gs://media/p/", "--endpoint", endpoint, "--expires-in", "60"],
    { env },
  );
  expect(stderr).toBe("");
  const answers = parseLines<{ readonly bucket: string; readonly object: string; readonly url: string }>(stdout);
  expect(answers.map(({ bucket, object }) => [bucket, object])).toEqual(keys.map((key) => ["media", `p/${key}`]));
  expect(answers[0]?.url).toMatch(/\/media\/p\/a%20b\?X-Goog-Algorithm=/);
});
