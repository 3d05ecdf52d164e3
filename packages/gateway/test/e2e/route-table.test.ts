import { createHash } from "node:crypto";
import { s3V2Signer } from "daypass/s3/v2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OWNER_ID } from "../../src/protocols/s3/answers.ts";
import { bucketDefaultRows } from "../../src/protocols/s3/rows/bucket-defaults.ts";
import { s3Rows } from "../../src/protocols/s3/table.ts";
import { type RecordingStorage, recordingStorage, type TestGateway, testGateway } from "../../src/testing/index.ts";
import { daypassUrl, type Reply, s3For, send } from "./clients.ts";
import { headerSignature } from "./header-signature.ts";

// Every operation × every form of signature × every way to be wrong: 4xx, and the storage never hears of it.
const METHODS = ["GET", "HEAD", "PUT", "DELETE"] as const;
type Method = (typeof METHODS)[number];

interface Attempt {
  readonly target: string;
  readonly headers?: Record<string, string>;
}

const PATH = "/media/hello.txt";
const past = () => new Date(Date.now() - 3_600_000);

let gateway: TestGateway;
let storage: RecordingStorage;

beforeAll(async () => {
  gateway = await testGateway({
    files: { "media/hello.txt": "hello" },
    storage: (disk) => {
      storage = recordingStorage(disk);
      return storage;
    },
  });
});
afterAll(() => gateway.close());

const object = { bucket: "media", key: "hello.txt", expiresIn: 60 };
const targetOf = (url: string) => url.slice(gateway.url.length);
const host = () => `127.0.0.1:${gateway.port}`;
const v2 = (clock?: () => Date) =>
  s3V2Signer({ region: "us-east-1", endpoint: gateway.url, addressing: "path", credentials: gateway.accessKey, clock });

/** How each form signs a method; `clock` dates it back. */
const FORMS: Record<string, (method: Method, clock?: () => Date) => Attempt> = {
  "SigV4 in the query": (method, clock) => ({
    target: targetOf(s3For(gateway, { clock }).sign({ ...object, method }).url),
  }),
  "SigV2 in the query": (method, clock) => ({ target: targetOf(v2(clock).sign({ ...object, method }).url) }),
  "SigV4 in the header": (method, clock) => ({
    target: PATH,
    headers: headerSignature({ method, path: PATH, host: host(), key: gateway.accessKey, at: clock?.() ?? new Date() }),
  }),
  "a Daypass URL": (method, clock) => ({
    target: targetOf(daypassUrl(gateway, PATH, { methods: [method] }, clock)),
  }),
};

function tampered({ target, headers }: Attempt): Attempt {
  const flip = (text: string) =>
    text.replace(/([Ss]ignature=)(.)/, (_, name, first) => `${name}${first === "a" ? "b" : "a"}`);
  const authorization = headers?.["authorization"];
  return authorization === undefined
    ? { target: flip(target), ...(headers === undefined ? {} : { headers }) }
    : { target, headers: { ...headers, authorization: flip(authorization) } };
}

async function attempt(method: Method, { target, headers }: Attempt): Promise<{ reply: Reply; calls: number }> {
  const before = storage.calls.length;
  const body = method === "PUT" ? "new" : undefined;
  const reply = await send(gateway, {
    method,
    target,
    headers: { host: host(), ...headers, ...(body === undefined ? {} : { "content-length": String(body.length) }) },
    body,
  });
  return { reply, calls: storage.calls.length - before };
}

describe.each(Object.keys(FORMS))("%s", (form) => {
  const sign = (method: Method, clock?: () => Date): Attempt => {
    const signed = FORMS[form]?.(method, clock);
    if (signed === undefined) throw new Error("no such form");
    return signed;
  };

  it.each(METHODS)("serves %s, so that the refusals below mean something", async (method) => {
    const { reply, calls } = await attempt(method, sign(method));
    expect(reply.status).toBeLessThan(300);
    expect(calls).toBeGreaterThan(0);
    await gateway.storage.put(
      { bucket: "media", key: "hello.txt" },
      (async function* () {
        yield Buffer.from("hello");
      })(),
    );
  });

  it.each(METHODS)("refuses %s with a changed signature", async (method) => {
    const { reply, calls } = await attempt(method, tampered(sign(method)));
    expect([reply.status, calls]).toEqual([403, 0]);
  });

  it.each(METHODS)("refuses %s after its end", async (method) => {
    const { reply, calls } = await attempt(method, sign(method, past));
    expect([reply.status, calls]).toEqual([403, 0]);
  });

  const others = METHODS.flatMap((signed) =>
    [...METHODS, "POST", "PATCH"].filter((sent) => sent !== signed).map((sent) => [signed, sent] as const),
  ).filter(([signed, sent]) => !(form === "a Daypass URL" && signed === "GET" && sent === "HEAD"));
  it.each(others)("that was signed for %s refuses %s", async (signed, sent) => {
    const { reply, calls } = await attempt(sent as Method, sign(signed));
    expect([reply.status, calls]).toEqual([403, 0]);
  });
});

describe("a request without a signature", () => {
  it.each([...METHODS, "POST", "PATCH"])("is refused for %s", async (method) => {
    for (const target of [
      PATH,
      "/media/",
      "/media",
      "/",
      "/media/hello.txt?acl",
      "/-/",
      "/-/admin",
      "/.daypass/index.db",
    ]) {
      const { reply, calls } = await attempt(method as Method, { target });
      expect([target, reply.status, calls]).toEqual([target, 403, 0]);
    }
  });
});

/** How an operation of S3 is asked for: with all that its row reads, where that can be. */
interface S3Request {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Left out for a call on the bucket. */
  readonly key?: string;
  /** Left out for a call on no bucket. */
  readonly bucket?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const UPLOAD = "0123456789abcdef0123456789abcdef";
const onObject = { bucket: "media", key: "hello.txt" };
const COPY = { "x-amz-copy-source": "/media/hello.txt" };
const TAGS = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
const PARTS =
  '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"0"</ETag></Part></CompleteMultipartUpload>';

const DELETE = "<Delete><Object><Key>none</Key></Object></Delete>";
const CORS =
  "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>";
/** What GetObjectAcl answers: no other is served. */
const ACL = `<AccessControlPolicy><Owner><ID>${OWNER_ID}</ID></Owner><AccessControlList><Grant><Grantee><ID>${OWNER_ID}</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>`;
const md5 = (body: string) => ({ "content-md5": createHash("md5").update(body).digest("base64") });

/** By Amazon's names. An operation without a line here fails below. */
const REQUESTS: Readonly<Record<string, S3Request>> = {
  GetObject: { method: "GET", ...onObject },
  HeadObject: { method: "HEAD", ...onObject },
  PutObject: { method: "PUT", ...onObject, body: "hello" },
  DeleteObject: { method: "DELETE", ...onObject },
  CopyObject: { method: "PUT", bucket: "media", key: "copy.txt", headers: COPY },
  GetObjectAcl: { method: "GET", ...onObject, query: { acl: "" } },
  PutObjectAcl: { method: "PUT", ...onObject, query: { acl: "" }, body: ACL },
  GetObjectAttributes: {
    method: "GET",
    ...onObject,
    query: { attributes: "" },
    headers: { "x-amz-object-attributes": "ETag" },
  },
  GetObjectTagging: { method: "GET", ...onObject, query: { tagging: "" } },
  PutObjectTagging: { method: "PUT", ...onObject, query: { tagging: "" }, body: TAGS },
  DeleteObjectTagging: { method: "DELETE", ...onObject, query: { tagging: "" } },
  CreateMultipartUpload: { method: "POST", ...onObject, query: { uploads: "" } },
  UploadPart: { method: "PUT", ...onObject, query: { partNumber: "1", uploadId: UPLOAD }, body: "hello" },
  UploadPartCopy: { method: "PUT", ...onObject, query: { partNumber: "1", uploadId: UPLOAD }, headers: COPY },
  ListParts: { method: "GET", ...onObject, query: { uploadId: UPLOAD } },
  CompleteMultipartUpload: { method: "POST", ...onObject, query: { uploadId: UPLOAD }, body: PARTS },
  AbortMultipartUpload: { method: "DELETE", ...onObject, query: { uploadId: UPLOAD } },
  ListMultipartUploads: { method: "GET", bucket: "media", query: { uploads: "" } },
  ListBuckets: { method: "GET" },
  ListObjects: { method: "GET", bucket: "media" },
  ListObjectsV2: { method: "GET", bucket: "media", query: { "list-type": "2" } },
  ListObjectVersions: { method: "GET", bucket: "media", query: { versions: "" } },
  DeleteObjects: { method: "POST", bucket: "media", query: { delete: "" }, headers: md5(DELETE), body: DELETE },
  HeadBucket: { method: "HEAD", bucket: "media" },
  CreateBucket: { method: "PUT", bucket: "made-here", body: "" },
  DeleteBucket: { method: "DELETE", bucket: "no-such-bucket" },
  GetBucketCors: { method: "GET", bucket: "media", query: { cors: "" } },
  PutBucketCors: { method: "PUT", bucket: "media", query: { cors: "" }, headers: md5(CORS), body: CORS },
  DeleteBucketCors: { method: "DELETE", bucket: "media", query: { cors: "" } },
  // Each of them is asked for by its own parameter, and by nothing else.
  ...Object.fromEntries(
    bucketDefaultRows.map(({ name, selectors = [] }) => [
      name,
      { method: "GET", bucket: "media", query: Object.fromEntries(selectors.map((selector) => [selector, ""])) },
    ]),
  ),
};

/** SigV2 signs a fixed list of parameters. */
const IN_SIGV2 = new Set(
  "acl cors delete lifecycle location logging notification partNumber policy requestPayment tagging uploadId uploads versioning versions website".split(
    " ",
  ),
);

describe.each(Object.keys(REQUESTS))("the operation %s", (name) => {
  const request = REQUESTS[name] as S3Request;
  const { query = {}, headers = {}, body } = request;
  const path = `/${[request.bucket, request.key].filter((segment) => segment !== undefined).join("/")}`;
  const search = Object.entries(query).map(([parameter, value]) => `${parameter}=${value}`);
  const bare = search.length === 0 ? path : `${path}?${search.join("&")}`;

  const signRequest = (method: S3Request["method"]) => {
    const { bucket = "", key } = request;
    return { method, bucket, ...(key === undefined ? {} : { key }), expiresIn: 60, bind: { query, headers } };
  };

  /** Signs it in each form, for one method and at one time. */
  const forms: Record<string, (method: S3Request["method"], clock?: () => Date) => Attempt> = {
    "SigV4 in the query": (method, clock) => ({
      target: targetOf(s3For(gateway, { clock }).sign(signRequest(method)).url),
      headers,
    }),
    "SigV4 in the header": (method, clock) => ({
      target: bare,
      headers: headerSignature({
        method,
        path,
        query,
        headers,
        host: host(),
        key: gateway.accessKey,
        at: clock?.() ?? new Date(),
      }),
    }),
    "SigV2 in the query": (method, clock) => ({
      target: targetOf(v2(clock).sign(signRequest(method)).url),
      headers,
    }),
  };
  const usable = Object.keys(forms).filter(
    (form) =>
      // A URL is signed for a bucket.
      (request.bucket !== undefined || form === "SigV4 in the header") &&
      (form !== "SigV2 in the query" || Object.keys(query).every((parameter) => IN_SIGV2.has(parameter))),
  );
  const sign = (form: string, method = request.method, clock?: () => Date): Attempt => {
    const signed = forms[form]?.(method, clock);
    if (signed === undefined) throw new Error("no such form");
    return signed;
  };
  const attemptIt = async (signed: Attempt, method: string = request.method) => {
    const before = storage.calls.length;
    const length = body === undefined && method !== "PUT" ? {} : { "content-length": String((body ?? "").length) };
    const reply = await send(gateway, {
      method,
      target: signed.target,
      headers: { host: host(), ...length, ...signed.headers },
      body,
    });
    return [reply.status, storage.calls.length - before] as const;
  };

  it.each(usable)("is served when it is signed by %s, so that the refusals below mean something", async (form) => {
    await gateway.storage.put(
      { bucket: "media", key: "hello.txt" },
      (async function* () {
        yield Buffer.from("hello");
      })(),
    );
    const [status, calls] = await attemptIt(sign(form));
    // These requests name an upload that does not exist, and create a bucket once.
    expect([status, status < 300 || status === 404 || status === 409, calls > 0]).toEqual([status, true, true]);
  });

  it("is refused without a signature", async () => {
    expect(await attemptIt({ target: bare, headers })).toEqual([403, 0]);
  });

  it.each(usable)("is refused with a changed signature by %s", async (form) => {
    expect(await attemptIt(tampered(sign(form)))).toEqual([403, 0]);
  });

  it.each(usable)("is refused after the end of a signature by %s", async (form) => {
    expect(await attemptIt(sign(form, request.method, past))).toEqual([403, 0]);
  });

  it.each(usable)("is refused when %s signed another method", async (form) => {
    for (const method of ["GET", "HEAD", "PUT", "POST", "DELETE"] as const) {
      if (method === request.method) continue;
      expect([method, ...(await attemptIt(sign(form, method)))]).toEqual([method, 403, 0]);
    }
  });

  it.each(usable)("is refused when %s signed it without what selects it", async (form) => {
    if (search.length === 0) return;
    const [target = "", signature = ""] = sign(form).target.split("?");
    const stripped = signature
      .split("&")
      .filter((parameter) => !search.includes(parameter) && !search.includes(`${parameter}=`));
    const other = { ...sign(form), target: stripped.length === 0 ? target : `${target}?${stripped.join("&")}` };
    expect(await attemptIt(other)).toEqual([403, 0]);
  });
});

it("no operation of S3 is missing above", () => {
  expect(s3Rows.map(({ name }) => name).filter((name) => !Object.hasOwn(REQUESTS, name))).toEqual([]);
});
