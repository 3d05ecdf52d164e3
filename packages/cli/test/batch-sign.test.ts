import { once } from "node:events";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { daypass, daypassProcess, jsonLines, parseLines, peakMemory, start, temporaryFolder } from "./command.ts";

/** Whether the system reports the memory of a process. */
const hasProc = existsSync("/proc/self/status");
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const s3Line = { scheme: "s3", region: "us-east-1", bucket: "media", key: "a.txt", credentials, expiresIn: 900 };
const pinned = { ...s3Line, signedAt: "2026-01-02T03:04:05Z" };
const urlKey = { kid: "k1", kty: "oct", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" };

async function sign(...lines: readonly unknown[]): Promise<readonly Readonly<Record<string, never>>[]> {
  const { stdout } = await daypass(["sign", "--batch", "-"], { input: jsonLines(lines) });
  return parseLines(stdout);
}

test("returns url, method, headers, expiresAt and warnings", async () => {
  const [answer] = await sign({
    ...pinned,
    version: "v4",
    method: "PUT",
    endpoint: "https://s3.us-east-1.amazonaws.com",
    addressing: "virtual",
    key: "a b.txt",
    query: { versionId: "1", tag: ["x", "y"] },
    headers: { "content-type": "text/plain" },
    response: { contentDisposition: "attachment" },
  });
  expect(Object.keys(answer ?? {})).toEqual(["url", "method", "headers", "expiresAt", "warnings"]);
  expect(answer).toMatchObject({
    method: "PUT",
    headers: { "content-type": "text/plain" },
    expiresAt: "2026-01-02T03:19:05.000Z",
    warnings: [],
  });
  const url = new URL((answer as { url: string } | undefined)?.url ?? "");
  expect(url.origin + url.pathname).toBe("https://media.s3.us-east-1.amazonaws.com/a%20b.txt");
  expect(url.searchParams.getAll("tag")).toEqual(["x", "y"]);
  expect(url.searchParams.get("response-content-disposition")).toBe("attachment");
});

test("signs the example of the Daypass URL specification", async () => {
  const [answer] = await sign({
    scheme: "url",
    url: "https://api.example.com/invoices/7.pdf?lang=de",
    methods: ["GET"],
    expiresIn: 900,
    signedAt: "2026-01-02T03:04:05Z",
    key: urlKey,
  });
  expect(answer).toMatchObject({
    url: "https://api.example.com/invoices/7.pdf?lang=de&dp-date=20260102T030405Z&dp-expires=20260102T031905Z&dp-key=k1&dp-methods=GET&dp-signature=9y5KnKIOCIa4LWCJg6HcOsAoveTMv5zKneZ_e-36YRY&dp-v=1",
  });
});

test("returns an error for an invalid line, and signs the lines after it", async () => {
  const good = JSON.stringify(pinned);
  const lines = [
    good,
    "",
    "nonsense",
    "[]",
    "null",
    '{"scheme":"gcs"}',
    JSON.stringify({ ...pinned, expiresln: 5 }),
    JSON.stringify({ ...pinned, bind: { contentTyp: "text/plain" } }),
    JSON.stringify({ ...pinned, headers: "content-type" }),
    JSON.stringify({ ...pinned, credentials: undefined }),
    JSON.stringify({ ...pinned, credentials: { accessKeyId: "A" } }),
    JSON.stringify({ ...pinned, region: undefined }),
    JSON.stringify({ ...pinned, version: "v3" }),
    JSON.stringify({ ...pinned, form: {} }),
    JSON.stringify({ ...pinned, signedAt: "yesterday" }),
    JSON.stringify({ ...pinned, signedAt: "2026-02-30T00:00:00Z" }),
    JSON.stringify({ ...pinned, __proto__: null, constructor: "x" }),
    JSON.stringify({ scheme: "url", url: "https://a.example/x", expiresIn: 5 }),
    JSON.stringify({ scheme: "url", url: "https://a.example/x", expiresIn: 5, key: urlKey, methods: "GET" }),
    good,
  ];
  const { status, stdout, stderr } = await daypass(["sign", "--batch", "-"], { input: `${lines.join("\r\n")}\r\n` });
  const answers = parseLines(stdout) as readonly { url?: string; error?: { code: string; message: string } }[];
  expect(status).toBe(0);
  expect(answers).toHaveLength(lines.length);
  expect(answers.at(-1)).toEqual(answers[0]);
  const codes = answers.slice(1, -1).map((answer) => answer.error?.code);
  expect(new Set(codes)).toEqual(new Set(["INVALID_INPUT", "INVALID_KEY"]));
  expect(stderr).toContain("18 refused");
});

test("requires a bucket in the first line of a signer", async () => {
  const { bucket: _, ...line } = pinned;
  const { credentials: __, ...unsigned } = line;
  const answers = await sign(
    line,
    { ...line, addressing: "virtual" },
    { ...line, version: "v2" },
    { ...line, version: "v4a", region: undefined, regionSet: ["*"] },
    { ...line, key: undefined, form: { key: "a.txt" } },
    { ...line, key: undefined, form: { key: "a.txt" }, version: "v2" },
    { ...line, key: undefined, region: undefined, scheme: "gcs", object: "a.txt" },
    { ...unsigned, scheme: "oss", credentials: { accessKeyId: "a", accessKeySecret: "s" } },
    { ...unsigned, scheme: "cos", credentials: { secretId: "a", secretKey: "s" } },
  );
  for (const { error } of answers)
    expect(error).toMatchObject({ code: "INVALID_INPUT", message: expect.stringContaining("bucket") });
});

test("rejects an unknown version before its fields", async () => {
  const [v5, number, form] = await sign(
    { ...pinned, version: "v5", regionSets: ["*"] },
    { ...pinned, version: 4 },
    { ...pinned, version: "v4a", form: {} },
  );
  expect(v5).toMatchObject({ error: { code: "INVALID_INPUT", message: expect.stringContaining('version is "v5"') } });
  expect(number).toMatchObject({ error: { code: "INVALID_INPUT", message: expect.stringContaining("version") } });
  expect(form).toMatchObject({ error: { code: "INVALID_INPUT", message: expect.stringContaining("for a form") } });
});

test("signs and verifies a region set", async () => {
  const line = {
    ...pinned,
    version: "v4a",
    regionSet: ["eu-*"],
    endpoint: "https://s3.example.com",
    region: undefined,
  };
  const [one, other, alias] = await sign(
    line,
    { ...line, regionSet: ["us-*"] },
    { ...line, bucket: "mfzwi23gnjvgw.mrap", endpoint: undefined, regionSet: undefined },
  );
  const url = (answer: unknown): string => (answer as { readonly url: string }).url;
  expect(url(one)).toMatch(/X-Amz-Region-Set=eu-%2A&/);
  expect(url(other)).toMatch(/X-Amz-Region-Set=us-%2A&/);
  expect(url(alias)).toMatch(/^https:\/\/mfzwi23gnjvgw\.mrap\.accesspoint\.s3-global\.amazonaws\.com\/a\.txt\?/);
  const schemes = [{ scheme: "s3", credentials, regions: ["eu-west-1"] }];
  const { stdout } = await daypass(["verify", "--batch", "-"], {
    input: jsonLines([one, other].map((answer) => ({ request: { url: url(answer) }, at: pinned.signedAt, schemes }))),
  });
  expect(parseLines<{ readonly ok: boolean }>(stdout).map(({ ok }) => ok)).toEqual([true, false]);

  // The verifier accepts the signer's field.
  const own = { scheme: "s3", credentials, version: "v4a", regionSet: ["eu-*"] };
  const again = await daypass(["verify", "--batch", "-"], {
    input: jsonLines(
      [one, other].map((answer) => ({ request: { url: url(answer) }, at: pinned.signedAt, schemes: [own] })),
    ),
  });
  expect(parseLines<{ readonly ok: boolean }>(again.stdout).map(({ ok }) => ok)).toEqual([true, false]);
});

test("signs upload forms of both versions among URLs", async () => {
  const { bucket: _, key: __, ...common } = pinned;
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the placeholder of S3
  const key = "uploads/${filename}";
  const form = {
    bucket: "media",
    key,
    conditions: [["content-length-range", 1, 1_048_576]],
    fields: { acl: "private" },
  };
  const [v4, url, v2, prefix, bad] = await sign(
    { ...common, form },
    pinned,
    { ...common, version: "v2", form },
    {
      ...common,
      form: { bucket: "media", prefix: "in/", contentLength: { max: 9 }, bind: { contentType: "image/png" } },
    },
    { ...common, form: { ...form, filds: {} } },
  );
  expect(Object.keys(v4 ?? {})).toEqual(["url", "fields", "expiresAt", "warnings"]);
  expect(v4).toMatchObject({
    url: "https://media.s3.us-east-1.amazonaws.com/",
    fields: { key, acl: "private", "X-Amz-Signature": expect.stringMatching(/^[0-9a-f]{64}$/) },
    expiresAt: "2026-01-02T03:19:05.000Z",
  });
  expect(url).toHaveProperty("method", "GET");
  expect(v2).toHaveProperty("fields.AWSAccessKeyId", "AKIDEXAMPLE");
  expect(prefix).toHaveProperty("fields.Content-Type", "image/png");
  expect(bad).toHaveProperty("error.code", "INVALID_INPUT");
});

test("exits with 1 for a refused line with --strict", async () => {
  const strict = (input: string) => daypass(["sign", "--batch", "-", "--strict"], { input });
  expect((await strict(jsonLines([pinned]))).status).toBe(0);
  expect((await strict(jsonLines([pinned, {}]))).status).toBe(1);
});

test("prints no secret of a refused line", async () => {
  const { stdout, stderr } = await daypass(["sign", "--batch", "-"], {
    input: [
      JSON.stringify({ ...pinned, credentials: { ...credentials, secretAccessKey: { hidden: "S3CR3T" } } }),
      JSON.stringify({ ...pinned, S3CR3Tless: 1, expiresIn: "S3CR3T" }),
      '{"credentials":"S3CR3T',
    ].join("\n"),
  });
  expect(stdout + stderr).not.toMatch(/S3CR3T(?!less)/);
});

test("prints no misplaced token or signature", async () => {
  const { region: _, bucket, key, ...line } = pinned;
  const gcs = { ...line, scheme: "gcs", bucket, object: key };
  const oss = { ...pinned, scheme: "oss", credentials: { accessKeyId: "a", accessKeySecret: "s" } };
  const cos = { ...pinned, scheme: "cos", credentials: { secretId: "a", secretKey: "s" } };
  const misplaced = [
    { headers: { authorization: "Bearer S3CR3T" } },
    { headers: { cookie: "S3CR3T\n" } },
    ...["X-Amz-Security-Token", "X-Goog-Signature", "Signature", "security-token", "x-oss-security-token"].map(
      (name) => ({
        query: { [name]: "S3CR3T\n" },
      }),
    ),
    { query: { "x-cos-security-token": "S3CR3T" } },
  ];
  const lines = [
    pinned,
    { ...pinned, version: "v2" },
    gcs,
    { ...gcs, version: "v2" },
    oss,
    { ...oss, version: "v1" },
    cos,
  ];
  const answers = await sign(
    ...lines.flatMap((each) => misplaced.map((fields) => ({ ...each, ...fields }))),
    { ...line, region: "us-east-1", form: { bucket, key, fields: { "X-Amz-Security-Token": "S3CR3T" } } },
    { ...line, scheme: "cloudfront", url: "https://d.example/x?Signature=S3CR3T" },
  );
  for (const { error } of answers) expect(JSON.stringify(error ?? "")).not.toContain("S3CR3T");
  expect(answers.filter(({ error }) => error !== undefined).length).toBeGreaterThan(20);
});

test("rejects a line that is not UTF-8", async () => {
  const bytes = Buffer.concat([
    Buffer.from(JSON.stringify({ ...pinned, key: "é" })),
    Buffer.from('\n{"scheme":"s3","key":"'),
    Buffer.from([0xff]),
    Buffer.from(`"}\n${JSON.stringify({ ...pinned, key: "é" })}`),
  ]);
  const { stdout } = await daypass(["sign", "--batch", "-"], { input: bytes });
  const [first, second, third] = parseLines(stdout);
  expect(first).toHaveProperty("url");
  expect(second).toHaveProperty("error.code", "INVALID_INPUT");
  expect(third).toEqual(first);
});

test.each(["jsonl", "csv"])("reports invalid UTF-8 and a line that is too long (%s)", async (format) => {
  const long = Buffer.from(`${"x".repeat(1_100_000)}\n`);
  const input = Buffer.concat([Buffer.from("key\n"), Buffer.from([0xff, 10]), long]);
  const { stdout } = await daypass(["sign", "--batch", "-", "--format", format], { input });
  const messages = parseLines<{ error: { message: string } }>(stdout).map(({ error }) => error.message);
  expect(messages.slice(-2)).toEqual([expect.stringContaining("is not UTF-8"), expect.stringContaining("1 MB")]);
});

test.each(["0", "1"])("replies to each line before the next one is sent (%s workers)", async (workers) => {
  const child = start(["sign", "--batch", "-", "--workers", workers]);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  for (const key of ["one", "two", "three"]) {
    child.stdin.write(jsonLines([{ ...pinned, key }]));
    const { value } = await answers.next();
    expect(JSON.parse(value)).toHaveProperty("url", expect.stringContaining(`/${key}?`));
  }
  // A line may arrive in two parts.
  const line = JSON.stringify({ ...pinned, key: "four" });
  child.stdin.write(line.slice(0, 40));
  child.stdin.write(`${line.slice(40)}\n`);
  expect(JSON.parse((await answers.next()).value)).toHaveProperty("url", expect.stringContaining("/four?"));
  child.stdin.end();
  expect(await once(child, "close")).toEqual([0, null]);
});

test("returns the same results with several workers", async () => {
  const lines = Array.from({ length: 5000 }, (_, i) =>
    i % 7 === 0
      ? { scheme: "s3", i }
      : i % 3 === 0
        ? { scheme: "url", url: `https://a.example/${i}`, expiresIn: 60, signedAt: pinned.signedAt, key: urlKey }
        : { ...pinned, key: `file ${i}` },
  );
  const folder = temporaryFolder();
  const file = join(folder, "in.jsonl");
  writeFileSync(file, jsonLines(lines));
  const run = async (workers: string): Promise<string> => {
    const out = join(folder, `out-${workers}.jsonl`);
    const { status } = await daypassProcess(["sign", "--batch", file, "--out", out, "--workers", workers]);
    expect(status).toBe(0);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    return readFileSync(out, "utf8");
  };
  const [one, three] = await Promise.all([run("0"), run("3")]);
  expect(three).toBe(one);
  expect(parseLines(one)).toHaveLength(lines.length);
});

test.skipIf(!hasProc)("skips a line that is too long in constant memory", async () => {
  const child = start(["sign", "--batch", "-"]);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const megabyte = "x".repeat(1024 * 1024);
  for (let i = 0; i < 200; i++) {
    if (!child.stdin.write(megabyte)) await once(child.stdin, "drain");
  }
  const peak = peakMemory(child.pid);
  child.stdin.end(`\n${JSON.stringify(pinned)}\n`);
  expect(JSON.parse((await answers.next()).value)).toHaveProperty("error.code", "INVALID_INPUT");
  expect(JSON.parse((await answers.next()).value)).toHaveProperty("url");
  expect(peak).toBeLessThan(200);
});

test.skipIf(!hasProc)("signs 100,000 lines in constant memory", async () => {
  const child = start(["sign", "--batch", "-"]);
  let answered = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    for (const byte of chunk) if (byte === 10) answered += 1;
  });
  const peaks: number[] = [];
  for (let i = 0; i < 100; i++) {
    const lines = jsonLines(Array.from({ length: 1000 }, (_, j) => ({ ...pinned, key: `photos/${i}/${j}.jpg` })));
    if (!child.stdin.write(lines)) await once(child.stdin, "drain");
    peaks.push(peakMemory(child.pid));
  }
  child.stdin.end();
  await once(child, "close");
  expect(answered).toBe(100_000);
  // The heap reaches its size in the first part.
  expect((peaks[99] ?? 0) - (peaks[40] ?? 0)).toBeLessThan(40);
});

test("exits quietly after its output was closed", async () => {
  const child = start(["sign", "--batch", "-"]);
  child.stdin.on("error", () => undefined);
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  child.stdin.write(jsonLines([pinned]));
  await once(child.stdout, "data");
  child.stdout.destroy();
  const closed = once(child, "exit");
  child.stdin.write(jsonLines(Array.from({ length: 2000 }, () => pinned)));
  await closed;
  expect(stderr).not.toMatch(/Error|at /);
});

test("reports an output that cannot be written or a full disk", async () => {
  const input = jsonLines([pinned]);
  const folder = temporaryFolder();
  for (const out of [join(folder, "none", "urls.jsonl"), folder]) {
    const { stderr, status } = await daypassProcess(["sign", "--batch", "-", "--out", out], { input });
    expect(stderr).toMatch(/^daypass sign: --out names .*, which (?:has no folder|is a folder)\. .*\n$/);
    expect(status).toBe(1);
  }
  if (!existsSync("/dev/full")) return;
  for (const workers of ["0", "2"]) {
    const args = ["sign", "--batch", "-", "--workers", workers, "--out", "/dev/full"];
    const { stderr, status } = await daypassProcess(args, { input });
    expect(stderr).toMatch(/^daypass sign: \/dev\/full cannot take every answer: .*ENOSPC.*\n$/);
    expect(status).toBe(1);
  }
});

test("reads lines after a byte order mark", async () => {
  const line = `\ufeff${JSON.stringify(pinned)}\n`;
  const { stdout } = await daypass(["sign", "--batch", "-"], { input: line + line });
  expect(parseLines(stdout)).toEqual(await sign(pinned, pinned));
});

test("refuses to overwrite its input", async () => {
  const file = join(temporaryFolder(), "lines.jsonl");
  writeFileSync(file, jsonLines([pinned]));
  const { status } = await daypass(["sign", "--batch", file, "--out", file]);
  expect(status).toBe(2);
  expect(readFileSync(file, "utf8")).toBe(jsonLines([pinned]));
});

test("accepts the credentials of AWS SDK providers, and rejects unknown members", async () => {
  const left = { $source: { CREDENTIALS_ENV_VARS: "g" }, accountId: "123456789012", credentialScope: "us-east-1" };
  const line = { ...s3Line, signedAt: "2026-01-02T03:04:05Z" };
  const { stdout } = await daypass(["sign", "--batch", "-"], {
    input: jsonLines([
      line,
      { ...line, credentials: { ...credentials, ...left } },
      { ...line, credentials: { ...credentials, sessiontoken: "S3CR3T" } },
    ]),
  });
  const [plain, same, misspelt] = parseLines<{ url?: string; error?: { message: string } }>(stdout);
  expect(plain?.url).toMatch(/^https:/);
  expect(same?.url).toBe(plain?.url);
  expect(misspelt?.error?.message).toContain('the field "sessiontoken". Did you mean sessionToken?');
  expect(misspelt?.error?.message).not.toContain("S3CR3T");
});
