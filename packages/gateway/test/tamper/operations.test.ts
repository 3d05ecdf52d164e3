import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { WireRequest } from "daypass";
import { type S3SignRequest, s3Signer } from "daypass/s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Random, seeded, tamperSeed } from "../../../daypass/test/tamper/seeded.ts";
import { createGateway, type Gateway, type S3AccessKey } from "../../src/index.ts";
import type { AccessEvent } from "../../src/pipeline/access-log.ts";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { disk } from "../../src/storage/disk/index.ts";

const COUNT = 1500;
const ORIGIN = "http://s3.example.com";
const main: S3AccessKey = { accessKeyId: "AKIDMAIN", secretAccessKey: "main" };
const KEYRING: readonly { readonly key: S3AccessKey; readonly prefix?: string }[] = [
  { key: main },
  ...[
    { scope: { buckets: ["media"], prefix: "in/" }, prefix: "in/" },
    { scope: { buckets: ["media"], prefix: "" }, prefix: "" },
    { scope: { allow: [{ actions: ["s3:*"], resources: ["media/in/*"] }] }, prefix: "in/" },
  ].map(({ scope, prefix }, i) => ({
    key: { accessKeyId: `AKIDSCOPED${i}`, secretAccessKey: "scoped", scope },
    prefix,
  })),
];

let root: string;
let gateway: Gateway;
/** What the storage was called with since it was last emptied. */
let calls: { readonly method: string; readonly parameters: readonly unknown[] }[] = [];
let events: AccessEvent[] = [];
const uploadIds: string[] = ["", "0", "../../x", "../uploads", "%00"];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "daypass-operations-"));
  for (const path of ["media/in/a", "media/in/b/c", "media/inside", "media/out", "private/in/a"]) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), path);
  }
  gateway = createGateway({
    storage: recorded(await disk({ root })),
    origins: [ORIGIN],
    keys: { s3: (id) => KEYRING.find(({ key }) => key.accessKeyId === id)?.key },
    sessionSecret: Buffer.alloc(32, 1),
    accessLog: (event) => events.push(event),
  });
  for (const [bucket, key] of [
    ["media", "in/a"],
    ["media", "out"],
    ["private", "in/a"],
  ] as const) {
    const { body } = await handle(signed({ method: "POST", bucket, key, query: { uploads: "" } }, main));
    uploadIds.push(/<UploadId>([^<]+)/.exec(body)?.[1] ?? "none");
  }
});
afterAll(async () => {
  await gateway.close();
  rmSync(root, { recursive: true });
});

function recorded(storage: Storage): Storage {
  return new Proxy(storage, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...parameters: readonly unknown[]) => {
        calls.push({ method: String(name), parameters });
        return Reflect.apply(value, target, parameters);
      };
    },
  });
}

interface Sent {
  readonly request: WireRequest;
  readonly body: string;
}

interface Call {
  readonly method: string;
  readonly bucket: string;
  readonly key?: string | undefined;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Not signed. */
  readonly further?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function signed({ body = "", further = {}, ...call }: Call, credentials: S3AccessKey): Sent {
  const signer = s3Signer({ region: "us-east-1", endpoint: ORIGIN, addressing: "path", credentials });
  const { url } = signer.sign({
    ...call,
    ...(call.key === undefined ? { resource: "bucket" } : { key: call.key }),
    ...{ expiresIn: 60, dotSegments: "sign" },
  } as S3SignRequest);
  const headers = { host: "s3.example.com", ...call.headers, ...further };
  const request = { method: call.method, target: url.slice(ORIGIN.length), authority: "s3.example.com" };
  return { request: { ...request, headers: Object.entries(headers) }, body };
}

async function handle({ request, body }: Sent): Promise<{ readonly status: number; readonly body: string }> {
  const outcome = await gateway.handle(
    request,
    (async function* () {
      if (body !== "") yield Buffer.from(body);
    })(),
  );
  // A header that no message can carry would fail only when it is sent.
  for (const header of outcome.headers) expect(header).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/);
  let text = "";
  if (outcome.body?.kind === "bytes") text = Buffer.from(outcome.body.bytes).toString();
  if (outcome.body?.kind === "stream") text = (await buffer(outcome.body.stream)).toString();
  if (outcome.body?.kind === "file") outcome.body.close();
  outcome.delivered(text.length, true);
  return { status: outcome.status, body: text };
}

const KEYS = [
  "in/a",
  "in/b/c",
  "in/new",
  "in",
  "in/",
  "inside",
  "out",
  "in/../out",
  "in/./a",
  "in//a",
  "a\0b",
  "é\r\n",
  ".",
];
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  "list-type": ["2", "1"],
  partNumber: ["1", "2", "0", "10000", "x"],
  prefix: ["", "in/", "in/b", "in", "out", "in/../"],
  delimiter: ["/", "", "n"],
  "max-keys": ["1", "0", "1000", "-1"],
  "max-uploads": ["1", "0"],
  "max-parts": ["1", "0"],
  "key-marker": ["", "in/", "i", "\uffff"],
  "upload-id-marker": ["", "0"],
  marker: ["in/", "out"],
  "start-after": ["in/a", "a"],
  "continuation-token": ["", "AAAA"],
  "encoding-type": ["url"],
  versionId: ["null", "1"],
  "response-content-type": ["text/html", "a\r\nb: c"],
};
const SOURCES = [
  "media/in/a",
  "/media/in/a",
  "media/out",
  "private/in/a",
  "media/in/..%2Fout",
  "media%2Fin/a",
  "media/",
  "/",
];
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  "x-amz-copy-source": SOURCES,
  "x-amz-copy-source-range": ["bytes=0-1", "bytes=9-1"],
  "x-amz-metadata-directive": ["REPLACE", "COPY"],
  "x-amz-tagging": ["a=b", "%zz", "a=b&a=c"],
  "x-amz-meta-a": ["b", "=?utf-8?b?AAAA?="],
  "x-amz-object-attributes": ["ETag,ObjectParts", "x"],
  "x-amz-checksum-algorithm": ["CRC32", "SHA1", "x"],
  "x-amz-checksum-crc32": ["AAAAAA==", "x"],
  "x-amz-sdk-checksum-algorithm": ["CRC32"],
};
const FURTHER: Readonly<Record<string, readonly string[]>> = {
  range: ["bytes=0-1", "bytes=-1", "x"],
  "if-match": ["*", '"x"'],
  "if-none-match": ["*", "x"],
  "content-type": ["text/html", "multipart/form-data; boundary=x"],
  "content-encoding": ["aws-chunked"],
  "x-amz-copy-source": SOURCES,
  "x-amz-content-sha256": ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"],
  origin: ["https://evil.example"],
};
const BODIES = [
  "",
  "abc",
  "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
  "<Delete><Object><Key>in/a</Key></Object><Object><Key>out</Key></Object><Object><Key>in/../out</Key></Object></Delete>",
  '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"900150983cd24fb0d6963f7d28e17f72"</ETag></Part></CompleteMultipartUpload>',
  "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>",
];

/** Calls of every kind, as a client means them. */
const SHAPES: readonly Partial<Call>[] = [
  ...["GET", "HEAD", "PUT", "DELETE"].map((method) => ({ method, key: "" })),
  ...["GET", "PUT", "DELETE"].map((method) => ({ method, key: "", query: { tagging: "" }, body: BODIES[2] ?? "" })),
  { method: "GET", key: "", query: { attributes: "" }, headers: { "x-amz-object-attributes": "ETag,ObjectParts" } },
  { method: "GET", key: "", query: { uploadId: "" } },
  { method: "GET", key: "", query: { acl: "" } },
  { method: "PUT", key: "", headers: { "x-amz-copy-source": "" } },
  { method: "PUT", key: "", query: { uploadId: "", partNumber: "1" }, body: "abc" },
  { method: "PUT", key: "", query: { uploadId: "", partNumber: "2" }, headers: { "x-amz-copy-source": "" } },
  { method: "POST", key: "", query: { uploads: "" } },
  { method: "POST", key: "", query: { uploadId: "" }, body: BODIES[4] ?? "" },
  { method: "DELETE", key: "", query: { uploadId: "" } },
  { method: "POST", query: { delete: "" }, body: BODIES[3] ?? "" },
  ...["", "cors", "uploads", "versions", "location"].map((name) => ({
    method: "GET",
    query: { ...(name === "" ? {} : { [name]: "" }), prefix: "" },
  })),
  { method: "GET", query: { "list-type": "2", prefix: "" } },
  ...["HEAD", "PUT", "DELETE"].map((method) => ({ method })),
  { method: "PUT", query: { cors: "" }, body: BODIES[5] ?? "" },
  { method: "DELETE", query: { cors: "" } },
];

/** One of them on some place, and sometimes with something that does not belong there. */
function randomCall(random: Random): Call {
  const some = (from: Readonly<Record<string, readonly string[]>>, chance: number): Record<string, string> =>
    Object.fromEntries(
      Object.entries(from).flatMap(([name, values]) => (random.chance(chance) ? [[name, random.pick(values)]] : [])),
    );
  const filled = (given: Readonly<Record<string, string>> = {}): Record<string, string> =>
    Object.fromEntries(
      Object.entries(given).map(([name, value]) => {
        const values = name === "uploadId" ? uploadIds : (PARAMETERS[name] ?? HEADERS[name] ?? [value]);
        return [name, value === "" ? random.pick(values) : value];
      }),
    );
  const { method = "GET", key, query, headers, body: meant = "" } = random.pick(SHAPES);
  const body = random.chance(0.9) ? meant : random.pick(BODIES);
  const strange = random.pick([0, 0, 0.05]);
  return {
    method: random.chance(0.97) ? method : random.pick(["GET", "HEAD", "PUT", "POST", "DELETE"]),
    bucket: random.pick(["media", "media", "media", "media", "private", "new-bucket"]),
    key: key === undefined ? undefined : random.pick(KEYS),
    query: { ...some(PARAMETERS, strange), ...filled(query) },
    headers: { ...some(HEADERS, strange), ...filled(headers) },
    further: {
      ...some(FURTHER, strange),
      ...(body === "" && method !== "PUT" ? {} : { "content-length": String(Buffer.byteLength(body)) }),
      ...(random.chance(0.9) ? { "content-md5": createHash("md5").update(body).digest("base64") } : {}),
    },
    body,
  };
}

/** Whether the parameters of a storage call are below the prefix of a scope. */
function isWithin({ parameters, method }: (typeof calls)[number], start: string): boolean {
  // These show the name and the rules of a bucket, which every key of the bucket and every browser may see.
  if (method === "corsRules" || method === "hasBucket") return true;
  return parameters.every((parameter) => {
    if (typeof parameter === "string") return parameter === "media" && /^list/.test(method);
    const { bucket, key, prefix } = parameter as { bucket?: unknown; key?: unknown; prefix?: unknown };
    if (bucket !== undefined && bucket !== "media") return false;
    const texts = [key, prefix].filter((text) => text !== undefined);
    return texts.every((text) => String(text).startsWith(start) && !/(?:^|\/)\.\.?(?:\/|$)/.test(String(text)));
  });
}

test("serves random signed calls without a failure, and none outside the scope of its key", async () => {
  const random = seeded(tamperSeed + 2);
  const statuses: number[] = [];
  const wrong: string[] = [];
  for (let count = 0; count < COUNT; count++) {
    const { key, prefix } = random.pick(KEYRING);
    const call = randomCall(random);
    calls = [];
    events = [];
    const { status } = await handle(signed(call, key));
    statuses.push(status);
    const outside = prefix !== undefined && calls.some((one) => !isWithin(one, prefix));
    if (status === 500 || events.some(({ error }) => error !== undefined) || outside) {
      wrong.push(`${key.accessKeyId} ${status} ${outside} ${String(events[0]?.error)}: ${JSON.stringify(call)}`);
    }
    // Later calls need the deleted objects.
    if (count % 20 === 0) for (const path of ["in/a", "out"]) await restore(path);
  }
  expect(wrong.slice(0, 5)).toEqual([]);
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(COUNT / 10);
}, 120_000);

async function restore(key: string): Promise<void> {
  const put = { method: "PUT", bucket: "media", key, body: key, further: { "content-length": String(key.length) } };
  await handle(signed(put, main));
}
