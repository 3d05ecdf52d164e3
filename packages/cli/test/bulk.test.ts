import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { csvReader, csvRecord } from "../src/lines/csv.ts";
import {
  AWS,
  daypass,
  daypassProcess,
  jsonLines,
  nodeCommand,
  parseLines,
  shellWord,
  start,
  temporaryFolder,
} from "./command.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const signedAt = "2026-01-02T03:04:05Z";
const pinned = { scheme: "s3", region: "us-east-1", bucket: "media", credentials, expiresIn: 900, signedAt };

interface Answer {
  readonly url?: string;
  readonly key?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A manifest with refused lines, and its results. */
async function manifest(
  count: number,
): Promise<{ readonly file: string; readonly whole: string; readonly folder: string }> {
  const folder = temporaryFolder();
  const file = join(folder, "in.jsonl");
  writeFileSync(
    file,
    jsonLines(Array.from({ length: count }, (_, i) => ({ ...pinned, key: i % 9 === 0 ? 7 : `k${i}` }))),
  );
  const { stdout } = await daypass(["sign", "--batch", file]);
  return { file, whole: stdout, folder };
}

test("replaces an incomplete line", async () => {
  const { file, whole, folder } = await manifest(40);
  const out = join(folder, "out.jsonl");
  const lineEnd = whole.indexOf("\n");
  const partial = [0, 1, lineEnd, lineEnd + 1, whole.length - 1].map((size) => whole.slice(0, size));
  for (const existing of [...partial, `${whole.slice(0, lineEnd + 1)}{"url":"${"x".repeat(whole.length)}`]) {
    writeFileSync(out, existing);
    const { status, stderr } = await daypass(["sign", "--batch", file, "--out", out, "--resume"]);
    expect([existing, status, stderr.includes("daypass sign:")]).toEqual([existing, 0, false]);
    expect(readFileSync(out, "utf8")).toBe(whole);
  }
});

test("resumes from standard input without a final line feed", async () => {
  const { file, whole, folder } = await manifest(10);
  const out = join(folder, "out.jsonl");
  writeFileSync(out, whole.slice(0, whole.indexOf("\n") + 20));
  const input = readFileSync(file, "utf8").trimEnd();
  expect((await daypass(["sign", "--batch", "-", "--out", out, "--resume"], { input })).status).toBe(0);
  expect(readFileSync(out, "utf8")).toBe(whole);
});

test("refuses to resume a file of another batch, and does not change the file", async () => {
  const { file, whole, folder } = await manifest(5);
  const out = join(folder, "out.jsonl");
  for (const other of [`${whole}${whole}`, `${whole}{"url":"htt`, "url,method\n"]) {
    writeFileSync(out, other);
    const { status, stderr } = await daypass(["sign", "--batch", file, "--out", out, "--resume"]);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^daypass sign: .*Choose another --out\n$/)]);
    expect(readFileSync(out, "utf8")).toBe(other);
  }
  expect((await daypass(["sign", "--batch", file, "--resume"])).status).toBe(2);
});

test("resumes a batch of verifications", async () => {
  const request = { method: "GET", url: "https://b.s3.us-east-1.amazonaws.com/a?X-Amz-Signature=0" };
  const input = jsonLines(Array.from({ length: 5 }, () => ({ request, schemes: [{ scheme: "s3", credentials }] })));
  const out = join(temporaryFolder(), "out.jsonl");
  const run = ["verify", "--batch", "-", "--out", out, "--resume"];
  await daypass(run, { input });
  const whole = readFileSync(out, "utf8");
  truncateSync(out, whole.length - 10);
  await daypass(run, { input });
  expect(readFileSync(out, "utf8")).toBe(whole);
});

test("signs CSV like the same JSON lines, and writes CSV", async () => {
  const folder = temporaryFolder();
  const lines = [
    { ...pinned, key: 'a "quoted", key.txt', response: { contentDisposition: 'attachment; filename="é.txt"' } },
    { ...pinned, key: "two\nlines", headers: { "x-amz-meta-a.b": "1" }, method: "PUT" },
    { ...pinned, key: "7", query: { versionId: "3" }, expiresIn: 60 },
  ];
  const columns = [
    "scheme,region,bucket,signedAt,credentials.accessKeyId,credentials.secretAccessKey",
    "key,method,expiresIn,response.contentDisposition,headers.x-amz-meta-a.b,query.versionId",
  ].join(",");
  const rows = lines.map((line) => {
    const {
      key,
      expiresIn,
      method = "",
      response,
      headers,
      query,
    } = line as {
      key: string;
      expiresIn: number;
      method?: string;
      response?: { contentDisposition: string };
      headers?: Record<string, string>;
      query?: { versionId: string };
    };
    const cells = ["s3", "us-east-1", "media", signedAt, ...Object.values(credentials), key, method, String(expiresIn)];
    return [...cells, response?.contentDisposition ?? "", headers?.["x-amz-meta-a.b"] ?? "", query?.versionId ?? ""]
      .map((cell) => `"${cell.replaceAll('"', '""')}"`)
      .join(",");
  });
  const csv = `\ufeff${[columns, ...rows, "too,few"].join("\r\n")}\r\n`;
  const file = join(folder, "in.csv");
  writeFileSync(file, csv);
  const expected = parseLines<Answer>(
    (await daypassProcess(["sign", "--batch", "-"], { input: jsonLines(lines) })).stdout,
  );
  for (const workers of ["0", "2"]) {
    const { stdout } = await daypassProcess(["sign", "--batch", file, "--workers", workers]);
    const answers = parseLines<Answer>(stdout);
    expect(answers.slice(0, 3)).toEqual(expected);
    expect(answers[3]?.error).toEqual({
      code: "INVALID_INPUT",
      message: expect.stringContaining("has 2 cells, not 12"),
    });
  }
  const byPipe = await daypassProcess(["sign", "--batch", "-", "--format", "csv"], { input: csv });
  expect(parseLines<Answer>(byPipe.stdout).slice(0, 3)).toEqual(expected);

  const out = join(folder, "out.csv");
  await daypassProcess(["sign", "--batch", file, "--out", out]);
  const whole = readFileSync(out, "utf8");
  const [header = "", ...records] = whole.trimEnd().split("\n");
  const read = csvReader(header);
  expect(records.map((record) => read(record)["url"])).toEqual([...expected.map(({ url }) => url), undefined]);
  expect(read(records[1] ?? "")).toMatchObject({
    method: "PUT",
    expiresAt: "2026-01-02T03:19:05.000Z",
    headers: '{"x-amz-meta-a.b":"1"}',
  });
  expect(read(records[3] ?? "")).toMatchObject({ error: "INVALID_INPUT" });
  for (const size of [5, header.length + 1, whole.length - 3]) {
    writeFileSync(out, whole.slice(0, size));
    expect((await daypassProcess(["sign", "--batch", file, "--out", out, "--resume"])).status).toBe(0);
    expect(readFileSync(out, "utf8")).toBe(whole);
  }
});

test("rejects a CSV record with an empty object name", async () => {
  const defaults = join(temporaryFolder(), "defaults.json");
  const { scheme: _, ...others } = pinned;
  const codes = async (csv: string, fields: object = others) => {
    writeFileSync(defaults, JSON.stringify(fields));
    const run = ["sign", "--batch", "-", "--format", "csv", "--defaults", defaults, "--method", "DELETE"];
    const { stdout } = await daypass(run, { input: csv });
    return parseLines<Answer>(stdout).map(({ error }) => error?.code);
  };
  expect(await codes("scheme,key,method\ns3,a,GET\ns3,,DELETE\n")).toEqual([undefined, "INVALID_INPUT"]);
  // With several schemes, some columns are empty. A request on the bucket says so.
  expect(await codes("scheme,key,object\ns3,a,\ns3,,\n")).toEqual([undefined, "INVALID_INPUT"]);
  expect(await codes("scheme,method,resource\ns3,GET,\ns3,GET,bucket\n")).toEqual(["INVALID_INPUT", undefined]);
  expect(await codes("scheme,key,resource,query.list-type\ns3,a,,\ns3,,bucket,2\ns3,,,2\n")).toEqual([
    undefined,
    undefined,
    "INVALID_INPUT",
  ]);
  expect(await codes("scheme,key,query.versionId\ns3,,1\n")).toEqual(["INVALID_INPUT"]);
  const sas = { scheme: "azure", account: "acme", container: "media", permissions: "d", expiresIn: 60 };
  const azure = { ...sas, credentials: { accountKey: Buffer.alloc(32).toString("base64") } };
  expect(await codes("blob,kind\na,service\n,service\n,\n", azure)).toEqual([
    undefined,
    "INVALID_INPUT",
    "INVALID_INPUT",
  ]);
});

test("reads records of Azure accounts, containers and blobs", () => {
  const read = csvReader("blob,kind,services,resource");
  expect(read(",account,b,")).toEqual({ kind: "account", services: "b" });
  expect(read(",service,,c")).toEqual({ kind: "service", resource: "c" });
});

test("reads quotes inside CSV cells, and reports the line of an unclosed quote", async () => {
  const defaults = join(temporaryFolder(), "defaults.json");
  writeFileSync(defaults, JSON.stringify(pinned));
  const sign = (csv: string) =>
    daypass(["sign", "--batch", "-", "--format", "csv", "--defaults", defaults], { input: csv });
  const keys = (answers: string) =>
    answers
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { url?: string }).url?.split("?")[0]?.split("/").at(-1));
  const literal = await sign('key\na\nb"ad\nc\n5" disk.jpg\n');
  expect([literal.status, keys(literal.stdout)]).toEqual([0, ["a", "b%22ad", "c", "5%22%20disk.jpg"]]);
  const bent = await sign('key\na\n"b"ad\nc\n');
  expect([bent.status, keys(bent.stdout)]).toEqual([0, ["a", undefined, "c"]]);
  const open = await sign('key\na\n"bad\nc\nd\n');
  expect([open.status, keys(open.stdout)]).toEqual([1, ["a", undefined]]);
  expect(open.stderr).toContain("opens in line 3");
});

test("rejects ambiguous CSV records", () => {
  const read = csvReader('a,b.c,"d",expiresIn,conditions:json');
  expect(read('1,,"x ""y"" , z",90,"[[""eq"",1]]"')).toEqual({
    a: "1",
    d: 'x "y" , z',
    expiresIn: 90,
    conditions: [["eq", 1]],
  });
  expect(read("1,2,3,9e1,")).toEqual({ a: "1", b: { c: "2" }, d: "3", expiresIn: "9e1" });
  for (const bad of ['1,2,3,4,"x', '1,2,3,4,"x"y', '1,2,3,4,x"y"', "1,2,3,4", "1,2,3,4,5,6", "1,2,3,4,{", ""])
    expect(() => read(bad)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  expect(csvReader("key,b")('5" disk.jpg,a"')).toEqual({ key: '5" disk.jpg', b: 'a"' });
  for (const bad of ["a,a", "a,,b", "__proto__.x", '"a', "", "key\ra\rb"])
    expect(() => csvReader(bad)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  expect(() => csvReader("bind,bind.ip")("a,b")).toThrow(/^"bind" has its own column and columns below it/);
  expect(csvReader(csvRecord(["a,b", 'c"d', "e"]))(csvRecord(["1", '"', ","]))).toEqual({
    "a,b": "1",
    'c"d': '"',
    e: ",",
  });
});

test("reads defaults from a target, options, a file and the environment", async () => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, "defaults.json"),
    JSON.stringify({ expiresIn: 60, response: { contentType: "text/plain" } }),
  );
  const args = ["sign", "s3://media", "--batch", "-", "--defaults", join(folder, "defaults.json"), "--at", signedAt];
  const input = jsonLines([
    { key: "a" },
    { key: "b", expiresAt: "2026-01-02T03:10:00Z", region: "eu-west-1" },
    { key: "c", credentials: { accessKeyId: "OTHER", secretAccessKey: "s" }, region: "eu-west-1", expiresIn: 5 },
  ]);
  const env = { ...AWS, AWS_REGION: "us-west-2" };
  for (const workers of ["0", "2"]) {
    const { stdout } = await daypassProcess([...args, "--workers", workers], { input, env });
    const urls = parseLines<Answer>(stdout).map(({ url }) => new URL(url ?? ""));
    const facts = urls.map((url) => [
      url.host,
      url.pathname,
      ...["Expires", "Credential"].map((name) => url.searchParams.get(`X-Amz-${name}`)),
    ]);
    expect(facts).toEqual([
      ["media.s3.us-west-2.amazonaws.com", "/a", "60", "AKIDEXAMPLE/20260102/us-west-2/s3/aws4_request"],
      ["media.s3.eu-west-1.amazonaws.com", "/b", "355", "AKIDEXAMPLE/20260102/eu-west-1/s3/aws4_request"],
      ["media.s3.eu-west-1.amazonaws.com", "/c", "5", "OTHER/20260102/eu-west-1/s3/aws4_request"],
    ]);
    expect(urls[0]?.searchParams.get("response-content-type")).toBe("text/plain");
  }
  // Options override the file.
  const { stdout } = await daypassProcess([...args, "--expires-in", "2m"], { input, env });
  expect(stdout).toContain("X-Amz-Expires=120&");
});

test.each([
  [["--format", "csv"], "a,a\n"],
  [["--workers", "1", "--out", "/dev/full"], `${"{}\n".repeat(50_000)}`],
])("exits with an error while its input stays open: %j", async (args, input) => {
  const child = start(["sign", "--batch", "-", ...args]);
  child.stdin.on("error", () => undefined);
  // The input stays open.
  child.stdin.write(input);
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  expect(await once(child, "close")).toEqual([1, null]);
  expect(stderr).toMatch(/^daypass sign: .*\n$/);
});

test("runs credential_process once, and rejects lines without keys", async () => {
  const folder = temporaryFolder();
  const count = join(folder, "count");
  writeFileSync(
    join(folder, "config"),
    `[default]\nregion = eu-north-1\ncredential_process = sh -c 'echo x >> ${count}; cat ${folder}/keys.json'\n`,
  );
  writeFileSync(
    join(folder, "keys.json"),
    JSON.stringify({ Version: 1, AccessKeyId: "AKPROCESS", SecretAccessKey: "s" }),
  );
  const env = { AWS_CONFIG_FILE: join(folder, "config") };
  const args = ["sign", "s3://media", "--expires-in", "60", "--batch", "-", "--workers", "2"];
  const input = jsonLines(
    Array.from({ length: 3000 }, (_, i) => ({ key: `a-long-enough-key-${"x".repeat(200)}-${i}` })),
  );
  const { stdout } = await daypassProcess(args, { input, env });
  const answers = parseLines<Answer>(stdout);
  expect(answers.filter(({ url }) => url?.includes("AKPROCESS"))).toHaveLength(3000);
  expect(readFileSync(count, "utf8")).toBe("x\n");
  // Lines with credentials do not need the process.
  await daypassProcess(["sign", "--batch", "-"], { input: jsonLines([{ ...pinned, key: "a" }]), env });
  expect(readFileSync(count, "utf8")).toBe("x\n");

  const none = await daypassProcess(args, { input: jsonLines([{ key: "a" }, { ...pinned, key: "b" }]) });
  const [refused, signed] = parseLines<Answer>(none.stdout);
  expect(refused?.error).toEqual({ code: "INVALID_INPUT", message: expect.stringContaining("AWS_ACCESS_KEY_ID") });
  expect(signed).toHaveProperty("url");
});

test("uses a Daypass URL key of the environment, and rejects options of other schemes", async () => {
  const DAYPASS_KEY = JSON.stringify({
    kid: "k1",
    kty: "oct",
    alg: "HS256",
    k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
  });
  const input = jsonLines([
    { scheme: "url", url: "https://a.example/x" },
    { ...pinned, key: "a" },
  ]);
  const args = ["sign", "--batch", "-", "--subject", "cus_42", "--expires-in", "60"];
  const [url, s3] = parseLines<Answer>((await daypass(args, { input, env: { DAYPASS_KEY } })).stdout);
  expect(url?.url).toContain("dp-subject=cus_42");
  expect(s3?.error).toEqual({ code: "INVALID_INPUT", message: expect.stringContaining("--subject") });
});

test.each([
  [["sign", "--batch", "-", "--format", "xml"], 2],
  [["sign", "--batch", "-", "--expires-in", "soon"], 2],
  [["sign", "s3://media/a", "--batch", "-"], 2],
  [["sign", "ftp://media", "--batch", "-"], 2],
  [["sign", "s3://a", "s3://b", "--batch", "-"], 2],
  [["sign", "s3://media/a", "--defaults", "x"], 2],
  [["sign", "--batch", "-", "--as", "curl"], 2],
  [["sign", "--batch", "-", "--as-bucket", "media"], 2],
  [["sign", "--all", "s3://media", "--as", "curl"], 2],
  [["sign", "--all", "/no/such/folder", "--as-bucket", "media"], 1],
  [["sign", "--batch", "-", "--defaults", "/no/such/file"], 1],
  [["sign", "--batch", "-", "--format", "csv"], 1],
  [["verify", "--batch", "-", "--format", "csv"], 2],
])("tells by its exit status what is wrong with a batch: %j", async (args, status) => {
  const finished = await daypass(args);
  expect([finished.status, finished.stdout]).toEqual([status, ""]);
  expect(finished.stderr).toMatch(/^daypass[^\n]*\n$/);
});

test("shows rate and remaining time on a terminal only", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "in.jsonl");
  const line = JSON.stringify({ ...pinned, key: "a" });
  for (let i = 0; i < 60; i++) appendFileSync(file, `${line}\n`.repeat(2000));
  const args = ["sign", "--batch", file, "--out", join(folder, "out.jsonl")].map(shellWord).join(" ");
  const child = spawn("script", ["-qec", `${nodeCommand} ${args}`, "/dev/null"], {
    env: { PATH: process.env["PATH"], HOME: folder },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let shown = "";
  child.stdout.on("data", (chunk) => {
    shown += chunk;
  });
  expect(await once(child, "close")).toEqual([0, null]);
  // Each line is written over the one before it.
  const lines = shown.split("\r\u001b[K");
  expect(lines[1]).toMatch(/^[\d,]+ lines, 0 refused, [\d,]+\/s, \d+%, \d+:\d\d left$/);
  expect(lines.at(-1)).toMatch(/^120,000 lines, 0 refused, [\d,]+\/s\r\n$/);

  const quiet = await daypass(["sign", "--batch", "-", "--out", join(folder, "out.jsonl")], { input: `${line}\n` });
  expect([quiet.stdout, quiet.stderr]).toEqual(["", ""]);
  const forced = await daypass(["sign", "--batch", "-", "--progress"], { input: `${line}\n` });
  expect(forced.stderr).toMatch(/^1 lines, 0 refused, [\d,]+\/s\n$/);
});
