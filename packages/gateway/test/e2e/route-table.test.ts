import { createHash } from "node:crypto";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { OWNER_ID } from "../../src/protocols/s3/answers.ts";
import { bucketDefaultRows } from "../../src/protocols/s3/rows/bucket-defaults.ts";
import { s3Rows } from "../../src/protocols/s3/table.ts";
import { chunks } from "../../src/testing/contract-tools.ts";
import { daypassUrl, s3For, useCountedGateway } from "./clients.ts";
import { headerSignature } from "./header-signature.ts";

// Every operation × every form of signature × every way to be wrong: 4xx, and the storage never hears of it.
interface Attempt {
  readonly target: string;
  readonly headers?: Record<string, string>;
}

const METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE"] as const;
type Method = (typeof METHODS)[number];

const { gateway, counted } = useCountedGateway({ files: { "media/hello.txt": "hello" } });

const OTHER_PATHS = ["/media", "/", "/-/", "/-/admin", "/.daypass/index.db"];
const past = () => new Date(Date.now() - 3_600_000);
const targetOf = (url: string) => url.slice(gateway.url.length);
const v2 = (clock?: () => Date) =>
  s3V2Signer({ region: "us-east-1", endpoint: gateway.url, addressing: "path", credentials: gateway.accessKey, clock });

function tampered({ target, headers }: Attempt): Attempt {
  const flip = (text: string) =>
    text.replace(/([Ss]ignature=)(.)/, (_, name, first) => `${name}${first === "a" ? "b" : "a"}`);
  const authorization = headers?.["authorization"];
  return authorization === undefined
    ? { target: flip(target), ...(headers === undefined ? {} : { headers }) }
    : { target, headers: { ...headers, authorization: flip(authorization) } };
}

it.each([...METHODS, "PATCH"])("a %s without a signature is refused everywhere", async (method) => {
  for (const path of ["hello.txt", "", "hello.txt?acl"].map((key) => `/media/${key}`).concat(OTHER_PATHS)) {
    const { status, calls } = await counted({ method, target: path, headers: { "content-length": "0" } });
    expect([path, status, calls]).toEqual([path, 403, 0]);
  }
});

/** How an operation of S3 is asked for: with all that its row reads, where that can be. */
interface S3Request {
  readonly method: Method;
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
  PutBucketAcl: { method: "PUT", bucket: "media", query: { acl: "" }, body: ACL },
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

/** What a Daypass URL can ask for. */
const PLAIN = new Set(["GetObject", "HeadObject", "PutObject", "DeleteObject"]);

describe.each(Object.keys(REQUESTS))("the operation %s", (name) => {
  const request = REQUESTS[name] as S3Request;
  const { query = {}, headers = {}, body } = request;
  const path = `/${[request.bucket, request.key].filter((segment) => segment !== undefined).join("/")}`;
  const search = Object.entries(query).map(([parameter, value]) => `${parameter}=${value}`);
  const bare = search.length === 0 ? path : `${path}?${search.join("&")}`;

  const signRequest = (method: Method) => {
    const { bucket = "", key } = request;
    return {
      method,
      bucket,
      ...(key === undefined ? ({ resource: "bucket" } as const) : { key }),
      expiresIn: 60,
      bind: { query, headers },
    };
  };

  /** Signs it in each form, for one method and at one time. */
  const forms: Record<string, (method: Method, clock?: () => Date) => Attempt> = {
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
        host: `127.0.0.1:${gateway.port}`,
        key: gateway.accessKey,
        at: clock?.() ?? new Date(),
      }),
    }),
    "SigV2 in the query": (method, clock) => ({
      target: targetOf(v2(clock).sign(signRequest(method)).url),
      headers,
    }),
    "a Daypass URL": (method, clock) => ({
      target: targetOf(daypassUrl(gateway, path, { methods: method === "POST" ? [] : [method] }, clock)),
    }),
  };
  const usable = Object.keys(forms).filter(
    (form) =>
      // A URL is signed for a bucket.
      (request.bucket !== undefined || form === "SigV4 in the header") &&
      (form !== "a Daypass URL" || PLAIN.has(name)) &&
      (form !== "SigV2 in the query" || Object.keys(query).every((parameter) => IN_SIGV2.has(parameter))),
  );
  const sign = (form: string, method = request.method, clock?: () => Date): Attempt => {
    const signed = forms[form]?.(method, clock);
    if (signed === undefined) throw new Error("no such form");
    return signed;
  };
  const attemptIt = async (signed: Attempt, method: string = request.method) => {
    const length = body === undefined && method !== "PUT" ? {} : { "content-length": String((body ?? "").length) };
    const { status, calls } = await counted({ ...signed, method, headers: { ...length, ...signed.headers }, body });
    return [status, calls] as const;
  };

  it.each(usable)("is served when it is signed by %s, so that the refusals below mean something", async (form) => {
    await gateway.storage.put(onObject, chunks("hello"));
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
    for (const method of METHODS) {
      if (method === request.method) continue;
      // A Daypass URL is never for POST, and one for GET is for HEAD, too.
      if (form === "a Daypass URL" && (method === "POST" || (method === "GET" && request.method === "HEAD"))) continue;
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
