import { once } from "node:events";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

import { folderKeys } from "../src/commands/sign/listing/folder-keys.ts";
import { compareUtf8 } from "../src/commands/sign/listing/listed-objects.ts";
import { AWS, daypass, parseLines, start, temporaryFolder, words } from "./command.ts";

interface Answer {
  readonly bucket: string;
  readonly key: string;
  readonly url?: string;
  readonly error?: { readonly code: string };
}

function folderOf(...paths: readonly string[]): string {
  const root = join(temporaryFolder(), "files");
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `content of ${path}`);
  }
  return root;
}

const keysOf = (stdout: string): readonly string[] => parseLines<Answer>(stdout).map(({ key }) => key);

test("signs every file of a folder as a key of a bucket, in listing order", async () => {
  const files = ["a-b", "a/b/c", "a/b d", "a0", "b/é", "b/🙂", "b/\ue000", "z", ".hidden", "b/.daypass/index.db"];
  const root = folderOf(...files, ".daypass/index.db");
  symlinkSync("/etc/passwd", join(root, "link"));
  symlinkSync("/etc", join(root, "etc"));
  const expected = [".hidden", "a-b", "a/b d", "a/b/c", "a0", "b/é", "b/\ue000", "b/🙂", "z"];
  const run = ["sign", "--all", root, "--as-bucket", "media", "--expires-in", "1h", "--at", "2026-01-02T03:04:05Z"];
  const env = { ...AWS, AWS_REGION: "eu-west-1" };
  const { status, stdout } = await daypass(run, { env });
  expect([status, keysOf(stdout)]).toEqual([0, expected]);
  const [first] = parseLines<Answer>(stdout);
  expect(Object.keys(first ?? {})).toEqual(["bucket", "key", "url", "method", "headers", "expiresAt", "warnings"]);
  expect(first?.url).toMatch(/^https:\/\/media\.s3\.eu-west-1\.amazonaws\.com\/\.hidden\?/);

  // A resumed run continues after the last key.
  for (const form of ["jsonl", "csv"]) {
    const out = join(temporaryFolder(), `out.${form}`);
    await daypass([...run, "--out", out], { env });
    const whole = readFileSync(out, "utf8");
    for (const size of [10, whole.indexOf("a/b/c") + 300, whole.length]) {
      writeFileSync(out, Buffer.from(whole).subarray(0, size));
      expect((await daypass([...run, "--out", out, "--resume"], { env })).status).toBe(0);
      expect(readFileSync(out, "utf8")).toBe(whole);
    }
  }
});

test("reports an empty listing", async () => {
  const run = ["sign", "--all", temporaryFolder(), "--as-bucket", "media", "--expires-in", "1h"];
  const { status, stdout, stderr } = await daypass(run, { env: { ...AWS, AWS_REGION: "eu-west-1" } });
  expect([status, stdout, stderr]).toEqual([0, "", expect.stringContaining("nothing to sign")]);
});

test("refuses to resume results for another bucket", async () => {
  const root = folderOf("media/a", "media/b");
  const out = join(temporaryFolder(), "out.jsonl");
  const env = { ...AWS, AWS_REGION: "eu-west-1" };
  const all = (...args: readonly string[]) =>
    daypass(["sign", "--all", root, "--expires-in", "1h", "--out", out, ...args], { env });
  await all("--as-bucket", "zebra");
  const standing = readFileSync(out, "utf8");
  for (const args of [
    ["--as-bucket", "media"],
    ["--endpoint", "http://127.0.0.1:1"],
  ]) {
    const { status, stderr } = await all(...args, "--resume");
    expect([status, stderr]).toEqual([1, expect.stringContaining("of zebra, which is not in ")]);
    expect(readFileSync(out, "utf8")).toBe(standing);
  }
});

test("fails before the listing if no object can be signed", async () => {
  const root = folderOf("a", "b");
  const all = (args: readonly string[], env: Readonly<Record<string, string>> = { ...AWS, AWS_REGION: "eu-west-1" }) =>
    daypass(["sign", "--all", root, "--as-bucket", "media", ...args], { env });
  const life = ["--expires-in", "1h"];
  const cases: readonly (readonly [run: ReturnType<typeof all>, status: number, told: string])[] = [
    [all([]), 2, "--expires-in"],
    [all([...life, "--audience", "x"]), 2, "--audience"],
    [all([...life, "--addressing", "nope"]), 2, "--addressing"],
    [all([...life, "--profile", "nope"]), 1, "nope"],
    [all(life, {}), 1, "AWS_ACCESS_KEY_ID"],
    [all(life, AWS), 1, "region"],
    [all(["--expires-in", "8d"]), 1, "INVALID_EXPIRY"],
  ];
  for (const [run, status, told] of cases) {
    const found = await run;
    expect([found.status, found.stdout, found.stderr]).toEqual([status, "", expect.stringContaining(told)]);
  }
});

test("skips and reports a name that is not UTF-8", async () => {
  const root = folderOf("a", "c");
  writeFileSync(Buffer.concat([Buffer.from(`${root}/b`), Buffer.from([0xff])]), "");
  const run = ["sign", "--all", root, "--as-bucket", "media", "--expires-in", "1h"];
  const { status, stdout, stderr } = await daypass(run, { env: { ...AWS, AWS_REGION: "eu-west-1" } });
  expect([status, keysOf(stdout), stderr]).toEqual([1, ["a", "c"], expect.stringContaining("NAME_NOT_UTF8")]);
});

test("lists a folder from any key on", async () => {
  const root = folderOf("a-b", "a/b/c", "a/b d", "a0", "b/é", "b/c/d/e", "b/c/d-e", "z");
  const keys = async (after?: string): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const key of folderKeys(root, after)) found.push(key);
    return found;
  };
  const all = await keys();
  for (const after of [...all, "", "a", "a/", "a/b", "a/b/", "b/c/d", "zz"]) {
    expect(await keys(after)).toEqual(all.filter((key) => compareUtf8(key, after) > 0));
  }
});

test("signs the files that a gateway serves, and the gateway accepts every URL", async () => {
  const notServed = ["media/back\\slash", "media/a\nb", "back\\slash", "-/x", "media/.daypassed/x", "loose\ttab"];
  const served = ["loose.txt", "media/talks/a b+c.txt", "media/é.txt", "press/kit.pdf", ".secret/x"];
  const root = folderOf(...served, ...notServed);
  const child = start(["serve", root, "--port", "0", "--json"]);
  const [line] = await once(child.stdout, "data");
  const { s3Endpoint } = JSON.parse(String(line)) as { readonly s3Endpoint: string };
  const run = words`sign --all ${root} --endpoint ${s3Endpoint} --state ${join(root, ".daypass")} --expires-in 60`;
  const { stdout } = await daypass(run);
  const answers = parseLines<Answer>(stdout);
  expect(answers.map(({ bucket, key }) => `${bucket} ${key}`)).toEqual([
    "files loose.txt",
    "media talks/a b+c.txt",
    "media é.txt",
    "press kit.pdf",
  ]);
  for (const { bucket, key, url = "" } of answers) {
    const path = bucket === "files" ? key : `${bucket}/${key}`;
    expect(await (await fetch(url)).text()).toBe(`content of ${path}`);
  }
});

/** A server with a scripted response per request. */
async function server(answer: (query: URLSearchParams, response: ServerResponse, count: number) => void): Promise<{
  readonly endpoint: string;
  readonly requests: IncomingMessage[];
}> {
  const requests: IncomingMessage[] = [];
  const listener = createServer((request, response) => {
    requests.push(request);
    answer(new URL(request.url ?? "", "http://x").searchParams, response, requests.length);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  onTestFinished(() => {
    listener.closeAllConnections();
    listener.close();
  });
  return { endpoint: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`, requests };
}

const page = (keys: readonly string[], token?: string): string =>
  `<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType>${keys
    .map((key) => `<Contents><Key>${encodeURIComponent(key)}</Key><Size>1</Size></Contents>`)
    .join("")}<IsTruncated>${token !== undefined}</IsTruncated>${
    token === undefined ? "" : `<NextContinuationToken>${token}</NextContinuationToken>`
  }</ListBucketResult>`;

const listAll = (endpoint: string, ...args: readonly string[]) =>
  daypass(["sign", "--all", "s3://media/p/", "--endpoint", endpoint, "--expires-in", "60", ...args], { env: AWS });

test("follows pages of a listing with an empty page, a repeated key and a busy server", async () => {
  const { endpoint, requests } = await server((query, response, count) => {
    if (count === 2) return response.writeHead(503).end();
    const token = query.get("continuation-token");
    response.end(
      token === null ? page(["p/a b", "p/b"], "t1") : token === "t1" ? page([], "t2") : page(["p/b", "p/c"]),
    );
  });
  const { status, stdout } = await listAll(endpoint);
  expect([status, keysOf(stdout)]).toEqual([0, ["p/a b", "p/b", "p/c"]]);
  expect(requests).toHaveLength(4);
  expect(requests[0]?.url).toMatch(/^\/media\?.*list-type=2.*prefix=p%2F.*X-Amz-Signature=[0-9a-f]{64}$/);
});

test.each<[name: string, code: string, answer: (response: ServerResponse) => void]>([
  [
    "another region",
    "PermanentRedirect",
    (response) =>
      response
        .writeHead(301, { "x-amz-bucket-region": "eu-west-1" })
        .end("<Error><Code>PermanentRedirect</Code><Message>use the endpoint</Message></Error>"),
  ],
  ["a proxy's page", "LISTING_REFUSED", (response) => response.writeHead(404).end("<html><p>no</html>")],
  ["keys out of order", "MALFORMED_ANSWER", (response) => response.end(page(["p/b", "p/a"]))],
  ["a key outside the prefix", "MALFORMED_ANSWER", (response) => response.end(page(["q/a"]))],
  ["the same page forever", "MALFORMED_ANSWER", (response) => response.end(page(["p/a"], "t"))],
  ["an empty page forever", "MALFORMED_ANSWER", (response) => response.end(page([], "t"))],
  ["no token", "MALFORMED_ANSWER", (response) => response.end(page(["p/a"], ""))],
  ["half a document", "MALFORMED_ANSWER", (response) => response.end(page(["p/a"]).slice(0, -30))],
  ["declared entities", "MALFORMED_ANSWER", (response) => response.end(`<!DOCTYPE a [<!ENTITY b "c">]>${page([])}`)],
  ["another document", "MALFORMED_ANSWER", (response) => response.end("<ListAllMyBucketsResult/>")],
  ["bytes that are not UTF-8", "MALFORMED_ANSWER", (response) => response.end(Buffer.from([60, 0xff, 62]))],
])("reports a code when a server answers with %s", async (_, code, answer) => {
  const { endpoint } = await server((__, response) => answer(response));
  const { status, stdout } = await listAll(endpoint, "--json");
  expect([status, parseLines<Answer>(stdout).at(-1)?.error?.code]).toEqual([1, code]);
  expect(stdout).not.toContain(AWS.AWS_SECRET_ACCESS_KEY);
});

test("reports an unreachable server", async () => {
  const { status, stderr } = await listAll("http://127.0.0.1:9");
  expect([status, stderr]).toEqual([1, expect.stringMatching(/^daypass sign: UNREACHABLE: .*127\.0\.0\.1:9/)]);
});
