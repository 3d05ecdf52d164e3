import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text as textOf } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { formFromText } from "../src/commands/explain/form-text.ts";
import { explainCommand } from "../src/commands/explain/index.ts";
import { daypass, type RunOptions, temporaryFolder, words } from "./command.ts";
import { at, life, PAIRS } from "./edge-pairs.ts";
import { type Signed, sign, verify } from "./line-batches.ts";

const AWS = {
  AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG",
  AWS_REGION: "eu-west-1",
};
const s3 = { accessKeyId: AWS.AWS_ACCESS_KEY_ID, secretAccessKey: AWS.AWS_SECRET_ACCESS_KEY };
const pem = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const oss = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "wJalrXUtnFEMI/K7MDENG" };
const cos = { secretId: "AKIDEXAMPLE", secretKey: "BQYIM75p8x0iWVFSIgqEKwFprpRSVHlz" };
const swift = { key: "mykey" };
const cloudfront = { keyPairId: "K2JCJMDEHXQW5F", privateKey: pem.privateKey };
const account = { client_email: "app@project.iam.gserviceaccount.com", private_key: pem.privateKey };
const azure = { accountKey: Buffer.from("0123456789abcdef0123456789abcdef").toString("base64") };
const urlKey = { kid: "k1", kty: "oct", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" };
const key = "talks/keynote.mp4";

/** A line to sign, and the entry that explains it, of every scheme. */
const EVERY: typeof PAIRS = {
  ...PAIRS,
  s3: {
    line: { scheme: "s3", region: "eu-west-1", bucket: "media", key, credentials: s3, ...life },
    entry: { scheme: "s3", credentials: s3 },
  },
  gcs: {
    line: { scheme: "gcs", bucket: "media", object: key, credentials: account, ...life },
    entry: { scheme: "gcs", credentials: account },
  },
  azure: {
    line: {
      ...{ scheme: "azure", kind: "service", account: "acme", container: "media", blob: key, permissions: "r" },
      ...{ credentials: azure, ...life },
    },
    entry: { scheme: "azure", account: "acme", credentials: azure },
  },
  oss: {
    line: { scheme: "oss", region: "cn-hangzhou", bucket: "media", key, credentials: oss, ...life },
    entry: { scheme: "oss", credentials: oss },
  },
  "oss, v1": {
    line: { scheme: "oss", version: "v1", region: "cn-hangzhou", bucket: "media", key, credentials: oss, ...life },
    entry: { scheme: "oss", credentials: oss },
  },
  cos: {
    line: { scheme: "cos", region: "ap-guangzhou", bucket: "media-1250000000", key, credentials: cos, ...life },
    entry: { scheme: "cos", credentials: cos },
  },
  swift: {
    line: {
      ...{ scheme: "swift", endpoint: "https://swift.example.com", account: "AUTH_test", container: "media" },
      ...{ object: key, credentials: swift, ...life },
    },
    entry: { scheme: "swift", account: "AUTH_test", credentials: swift },
  },
  cloudfront: {
    line: { scheme: "cloudfront", url: `https://media.example.com/${key}`, credentials: cloudfront, ...life },
    entry: { scheme: "cloudfront", credentials: cloudfront },
  },
  url: {
    line: { scheme: "url", url: `https://api.example.com/${key}`, key: urlKey, ...life },
    entry: { scheme: "url", key: urlKey },
  },
};
const names = Object.keys(EVERY);
// Signed once, by the first test that asks.
let links: Promise<readonly Signed[]> | undefined;
async function linkOf(name: string): Promise<Signed> {
  links ??= sign(names.map((each) => EVERY[each]?.line));
  return (await links)[names.indexOf(name)] as Signed;
}

interface Explained {
  readonly scheme: string;
  readonly cause?: { readonly code: string; readonly sentence: string };
}

const from = ["--remote-address", "203.0.113.9", "--at", at, "--json"];

/** The command in this process: with two starts for each scheme, the starts took longer than the rest of the file. */
async function explainHere(args: readonly string[], { input = "" }: RunOptions) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const said = Promise.all([textOf(stdout), textOf(stderr)]);
  const env = { HOME: temporaryFolder() };
  await explainCommand.run(args, { env, stdin: Readable.from([Buffer.from(input)]), stdout, stderr });
  stdout.end();
  stderr.end();
  const [out, err] = await said;
  return { stdout: out, stderr: err };
}

async function explain(link: Signed, entries: unknown): Promise<{ readonly found: Explained; readonly text: string }> {
  const headers = Object.entries(link.headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]);
  const args = [link.url, ...from, "--method", link.method, ...headers, "--schemes", "-"];
  const { stdout, stderr } = await explainHere(args, { input: JSON.stringify(entries) });
  expect(stderr).toBe("");
  return { found: JSON.parse(stdout) as Explained, text: stdout };
}

describe("explain, with the keys of --schemes", () => {
  test.each(names)("finds no cause for a valid URL of %s, and the cause for a changed one", async (name) => {
    const link = await linkOf(name);
    const entry = EVERY[name]?.entry ?? {};
    const { found: good } = await explain(link, entry);
    expect([good.scheme.split(/[/,]/)[0], good.cause]).toEqual([name.split(/[/,]/)[0], undefined]);
    const changed = { ...link, url: link.url.replace("talks", "other") };
    const { found, text } = await explain(changed, [{ scheme: "imgix", credentials: { secret: "of another" } }, entry]);
    expect(found.cause?.code).toMatch(/^(?:WRONG_SECRET|PATH|QUERY|UNSIGNED_PARAMETER|SIGNATURE)$/);
    expect(text).not.toContain("of another");
  });

  test("accepts the entries of verify --batch, as does verify for one URL", async () => {
    const link = await linkOf("nginx");
    const file = join(temporaryFolder(), "schemes.json");
    const entry = EVERY["nginx"]?.entry;
    writeFileSync(file, JSON.stringify(entry));
    const request = { method: link.method, url: link.url, remoteAddress: "203.0.113.9" };
    expect((await verify([{ request, at, schemes: [entry] }]))[0]?.ok).toBe(true);
    const verified = await daypass(["verify", link.url, ...from, "--schemes", file]);
    expect([verified.status, JSON.parse(verified.stdout).scheme]).toEqual([0, "nginx"]);
    const explained = await daypass(["explain", link.url, ...from, "--schemes", file]);
    expect(JSON.parse(explained.stdout)).not.toHaveProperty("cause");
  });

  test("finds a damaged secret", async () => {
    const { found } = await explain(await linkOf("nginx"), {
      scheme: "nginx",
      credentials: { secret: "SecurityKey\n" },
    });
    expect(found.cause).toMatchObject({ code: "WRONG_SECRET", sentence: expect.stringContaining("line ends cut off") });
  });

  test.each([
    ["{", 1, /^daypass explain: the text of --schemes is not JSON\. Correct it\n$/],
    ["[1]", 1, /^daypass explain: --schemes has another form\. Write \{"scheme"/],
    ['{"scheme":"nope"}', 1, /scheme is "nope"\. Pass the name of a scheme/],
    ['{"scheme":"nginx","secret":"S3CR3T"}', 1, /"secret" is not a field here/],
    ['{"scheme":"nginx"}', 1, /credentials is missing/],
    ['{"scheme":"s3","credentials":{"accessKeyId":"AKID"}}', 1, /INVALID_KEY: the given key of s3: /],
    ['{"scheme":"cloudflare","credentials":{"secret":"S3CR3T"}}', 1, /INVALID_KEY: the given key of cloudflare: /],
    ['{"scheme":"akamai","credentials":{"secret":"S3CR3T"}}', 1, /INVALID_KEY: the given key of akamai: /],
  ])("refuses %s, and shows nothing of it", async (input, status, says) => {
    const { url } = await linkOf("nginx");
    const finished = await daypass(["explain", url, "--schemes", "-"], { input });
    expect([finished.status, finished.stdout]).toEqual([status, ""]);
    expect(finished.stderr).toMatch(says);
    expect(finished.stderr).not.toContain("S3CR3T");
  });
});

test("rejects an incomplete key of the environment", async () => {
  const { url } = await linkOf("nginx");
  const env = { DAYPASS_KEY: '{"kty":"oct","kid":"k1","alg":"HS256"}' };
  const { status, stderr } = await daypass(["explain", url], { env });
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/INVALID_KEY: the given key of url: the key k1 cannot be used. Pass k as/),
  ]);
});

test("ends with what would tell more: the answer, the method and a key", async () => {
  const link = (await daypass(["sign", "s3://media/a.png"], { env: AWS })).stdout.trim();
  const [alone, sent, keyed, refused] = await Promise.all([
    daypass(["explain", link]),
    daypass(["explain", link, "--method", "PUT", "--status", "403"]),
    daypass(["explain", link], { env: AWS }),
    daypass(["explain", link, "--status", "200"]),
  ]);
  expect(alone?.stdout).toMatch(/\nTo find out more, add .*--error FILE.*--method PUT.*a key \(--schemes FILE.*\.\n$/);
  expect(sent?.stdout).toMatch(/\nTo find out more, add the body.*; a key[^;]*\.\n$/);
  expect(keyed?.stdout).toMatch(/\nTo find out more, add [^k]*\.\n$/);
  expect(refused?.stdout).not.toContain("To find out more");
});

describe("explain, of a form", () => {
  const form = words`sign s3://media/up/ --content-length 1-10kB --field acl=private --at 2026-01-02T03:04:05Z`;
  const signed = async (...args: readonly string[]): Promise<string> =>
    (await daypass([...form, "--as", "html-form", ...args], { env: AWS })).stdout;
  const later = ["--at", at];

  test("explains the HTML and the JSON of sign in the same way", async () => {
    const told = await Promise.all(
      [await signed(), await signed("--json")].map(async (input) => {
        const { stdout, stderr } = await daypass(["explain", "--form", "-", ...later], { env: AWS, input });
        expect(stderr).toBe("");
        return stdout;
      }),
    );
    expect(told[0]).toMatch(/^An S3 upload form .* to upload objects whose key starts with up\/ in bucket media/);
    expect(told[0]).toContain("the file has from 1 to 10000 bytes");
    expect(told[0]).toContain("form-action https://media.s3.eu-west-1.amazonaws.com");
    expect(told[1]).toBe(told[0]);
  });

  test("reads a line of sign --batch", async () => {
    const [line] = await sign([
      { scheme: "gcs", form: { bucket: "media", object: "a" }, credentials: account, ...life },
    ]);
    const args = ["explain", "--form", "-", ...later, "--json"];
    const { stdout } = await daypass(args, { input: JSON.stringify(line) });
    expect(JSON.parse(stdout)).toMatchObject({ scheme: "gcs/form", signedBy: account.client_email });
  });

  test("finds the cause by the posted form, its file, the key and the response", async () => {
    const folder = temporaryFolder();
    const file = (name: string, text: string): string => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    };
    const json = await signed("--json");
    const { url, fields } = JSON.parse(json) as {
      readonly url: string;
      readonly fields: Readonly<Record<string, string>>;
    };
    const path = file("form.json", json);
    const cause = async (...args: readonly string[]) => {
      const { stdout } = await daypass(["explain", "--form", path, ...later, "--json", ...args], { env: AWS });
      return JSON.parse(stdout).cause as { readonly code: string; readonly sentence: string } | undefined;
    };
    expect(await cause()).toBeUndefined();
    const list = [["file", ""], ...Object.entries(fields)];
    expect(await cause("--sent-form", file("order.json", JSON.stringify({ url, fields: list })))).toMatchObject({
      code: "FILE",
    });
    const html = (await signed()).replace('value="private"', 'value="public-read"');
    expect(await cause("--sent-form", file("sent.html", html))).toMatchObject({
      code: "FIELD",
      sentence: expect.stringContaining('acl is sent as "public-read"'),
    });
    expect(await cause("--file-size", "11kB", "--file-name", "a.png")).toMatchObject({ code: "FILE" });
    const body =
      "<Error><Code>AccessDenied</Code><Message>Invalid according to Policy: Extra input fields: submit</Message></Error>";
    expect(await cause("--error", file("error.xml", body))).toMatchObject({ code: "FIELD" });
    const other = { ...AWS, AWS_SECRET_ACCESS_KEY: "another" };
    const wrong = await daypass(["explain", "--form", path, ...later], { env: other });
    expect(wrong.stdout).toMatch(/^The form was signed with a different secret than the one given for AKIDEXAMPLE/);
    expect(wrong.stdout).not.toContain(fields["X-Amz-Signature"]);
  });

  test.each([
    [["explain", "--form", "-", "--file-size", "1k"], '{"url":"https://a.example/","fields":{}}', 2],
    [["explain", "--form", "-"], "<p>no form</p>", 1],
    [["explain", "--form", "-"], '{"url":"https://a.example/","fields":{"key":1}}', 1],
    [["explain", "--form", "-"], '{"url":"https://a.example/","fields":{"key":"a"}}', 1],
  ])("tells by its exit status what went wrong: %j", async (args, input, status) => {
    const finished = await daypass(args, { input });
    expect([finished.status, finished.stdout]).toEqual([status, ""]);
    expect(finished.stderr).toMatch(/^daypass explain: [^\n]+\n$/);
  });
});

test("reads the first form of a page with entities and quotes", () => {
  const page = `<p><form method=post action="https://a.example/?x=1&amp;y=2">
    <input type="hidden" name="key" value="a<b>&quot;"><input name=policy value=eyJ9><input type=file name=upload></form>`;
  expect(formFromText("--form", page)).toEqual({
    url: "https://a.example/?x=1&y=2",
    fields: [
      ["key", 'a<b>"'],
      ["policy", "eyJ9"],
      ["file", ""],
    ],
  });
});

test.each(["<input ", "<input a=b ", '<input a="', "<input a"])(
  "rejects a page of unclosed tags in linear time: %s",
  (tag) => {
    expect(() => formFromText("--form", tag.repeat(100_000))).toThrow("--form is neither JSON");
  },
);
