import { existsSync } from "node:fs";
import { join } from "node:path";
import { s3V2Signer } from "daypass/s3/v2";
import { afterEach, describe, expect, it } from "vitest";
import { type S3AccessKey, scopeBreach } from "../../src/index.ts";
import { type BucketCall, callBucket, contentMd5, parts, texts } from "../e2e/bucket-client.ts";
import { s3Code, s3For, useCountedGateway } from "../e2e/clients.ts";
import { headerSignature } from "../e2e/header-signature.ts";

let scope: S3AccessKey["scope"];
const scoped = (): S3AccessKey => ({
  accessKeyId: "AKIDSCOPED",
  secretAccessKey: "the secret of the scoped key",
  scope,
});
const { gateway, calls, counted } = useCountedGateway({
  files: {
    "media/merchants/12/a.txt": "12",
    "media/merchants/12/b/c.txt": "12",
    "media/merchants/123/a.txt": "123",
    "media/other.txt": "other",
    "private/secret.txt": "secret",
  },
  gateway: () => ({
    keys: { s3: (id) => [scoped(), gateway.accessKey].find(({ accessKeyId }) => accessKeyId === id) },
  }),
});
afterEach(() => {
  scope = undefined;
});

async function call(options: BucketCall) {
  const before = calls().length;
  const reply = await callBucket(gateway, { ...options, key: scoped() });
  return { ...reply, code: s3Code(reply.body), calls: calls().length - before };
}
const list = (prefix: string | undefined, options: BucketCall = {}) =>
  call({ query: { "list-type": "2", ...(prefix === undefined ? {} : { prefix }) }, ...options });
const DENIED = [403, "AccessDenied", 0];
const outcome = ({ status, code, calls }: Awaited<ReturnType<typeof call>>) => [status, code, calls];

describe("a key for a prefix", () => {
  it.each(["merchants/12", "merchants/12/"])("%s lists below it", async (prefix) => {
    scope = { buckets: ["media"], prefix };
    expect(texts(await list("merchants/12/"), "Key")).toEqual(["merchants/12/a.txt", "merchants/12/b/c.txt"]);
    expect(texts(await list("merchants/12/b"), "Key")).toEqual(["merchants/12/b/c.txt"]);
    for (const query of [{ versions: "" }, {}]) {
      const reply = await call({ query: { ...query, prefix: "merchants/12/" } });
      expect(texts(reply, "Key")).toEqual(["merchants/12/a.txt", "merchants/12/b/c.txt"]);
    }
  });

  it.each([
    undefined,
    "",
    "m",
    "merchants/",
    "merchants/1",
    // Hits merchants/123 as well: "merchants/" instead of "merchants/123/" (HackerOne 93691, 94087).
    "merchants/12",
    "merchants/123/",
    "merchants/12/../",
    "merchants/12/./",
    "merchants/12/..",
    "/merchants/12/",
    "../private/",
  ])("cannot list %j", async (prefix) => {
    scope = { buckets: ["media"], prefix: "merchants/12" };
    expect(outcome(await list(prefix))).toEqual(DENIED);
    for (const query of [{ versions: "" }, { uploads: "" }, {}]) {
      const reply = await call({ query: { ...query, ...(prefix === undefined ? {} : { prefix }) } });
      expect(outcome(reply)).toEqual(DENIED);
    }
  });

  it("cannot get out of it by a marker, a delimiter or a token", async () => {
    scope = { buckets: ["media"], prefix: "merchants/12/" };
    for (const query of [
      { "start-after": "merchants/0" },
      { "start-after": "" },
      { delimiter: "1" },
      { "start-after": "merchants/11" },
    ]) {
      const reply = await list(undefined, { query: { "list-type": "2", prefix: "merchants/12/", ...query } });
      expect(
        [...texts(reply, "Key"), ...parts(reply, "CommonPrefixes")].every((it) => it.includes("merchants/12/")),
      ).toBe(true);
    }
    scope = undefined;
    const page = await list(undefined, { query: { "list-type": "2", "max-keys": "1" } });
    const [token = ""] = texts(page, "NextContinuationToken");
    scope = { buckets: ["media"], prefix: "merchants/12/" };
    const query = { "list-type": "2", prefix: "merchants/12/", "continuation-token": token };
    expect((await list(undefined, { query })).code).toBe("InvalidArgument");
  });

  it("has no say in the bucket, not even by the empty prefix", async () => {
    for (const prefix of ["merchants/12/", ""]) {
      scope = { buckets: ["media"], prefix };
      const body = "<CORSConfiguration/>";
      for (const options of [
        { method: "PUT" },
        { method: "DELETE" },
        { query: { cors: "" } },
        { method: "DELETE", query: { cors: "" } },
        { method: "PUT", query: { cors: "" }, body, headers: contentMd5(body) },
      ] as const) {
        expect([options, ...outcome(await call(options))]).toEqual([options, ...DENIED]);
      }
      expect((await call({ method: "HEAD" })).status).toBe(200);
      expect((await call({ query: { location: "" } })).status).toBe(200);
    }
    scope = { prefix: "" };
    expect(texts(await list(""), "Key").length).toBe(4);
  });

  it("deletes, of many, only what lies below it (CVE-2026-54097: prefix delete)", async () => {
    scope = { buckets: ["media"], prefix: "merchants/12" };
    const keys = [
      "merchants/123/a.txt",
      "other.txt",
      "merchants/12/../123/a.txt",
      "merchants/12/../../../private/secret.txt",
      "../private/secret.txt",
      "merchants/12/none",
    ];
    const body = `<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join("")}</Delete>`;
    const reply = await call({ method: "POST", query: { delete: "" }, body, headers: contentMd5(body) });
    expect(reply.status).toBe(200);
    expect(texts(reply, "Code")).toEqual(keys.slice(0, 5).map(() => "AccessDenied"));
    expect(parts(reply, "Deleted")).toEqual(["<Key>merchants/12/none</Key>"]);
    expect(reply.calls).toBe(2);
    for (const path of ["media/merchants/123/a.txt", "media/other.txt", "private/secret.txt"]) {
      expect(existsSync(join(gateway.root, path))).toBe(true);
    }
  });
});

describe("a key for buckets", () => {
  it("sees only these in the list of buckets", async () => {
    scope = { buckets: ["media", "no-such-bucket"] };
    const names = async () => {
      const host = `127.0.0.1:${gateway.port}`;
      const headers = headerSignature({ method: "GET", path: "/", host, key: scoped() });
      return texts(await counted({ target: "/", headers }), "Name");
    };
    expect(await names()).toEqual(["media"]);
    scope = undefined;
    expect(await names()).toEqual(["files", "media", "private"]);
  });

  it("does nothing with any other, and learns nothing of it", async () => {
    scope = { buckets: ["media"] };
    const body = "<Delete><Object><Key>secret.txt</Key></Object></Delete>";
    for (const bucket of ["private", "no-such-bucket"]) {
      for (const options of [
        { query: { "list-type": "2" } },
        { query: {} },
        { query: { versions: "" } },
        { query: { uploads: "" } },
        { query: { location: "" } },
        { query: { cors: "" } },
        { method: "PUT" },
        { method: "DELETE" },
        { method: "POST", query: { delete: "" }, body, headers: contentMd5(body) },
      ] as const) {
        expect([bucket, options, ...outcome(await call({ bucket, ...options }))]).toEqual([bucket, options, ...DENIED]);
      }
      const head = await call({ method: "HEAD", bucket });
      expect([head.status, head.calls]).toEqual([403, 0]);
    }
  });

  it("may make and remove its own", async () => {
    scope = { buckets: ["its-own"] };
    expect((await call({ method: "PUT", bucket: "its-own" })).status).toBe(200);
    expect((await call({ method: "DELETE", bucket: "its-own" })).status).toBe(204);
    expect(outcome(await call({ method: "PUT", bucket: "another" }))).toEqual(DENIED);
  });
});

describe("a key for methods, or until a date", () => {
  it("makes no call on a bucket by any other method", async () => {
    scope = { methods: ["GET"] };
    expect((await list("")).status).toBe(200);
    expect((await call({ method: "HEAD" })).status).toBe(200);
    const body = "<Delete><Object><Key>other.txt</Key></Object></Delete>";
    for (const options of [
      { method: "PUT", bucket: "made" },
      { method: "DELETE" },
      { method: "POST", query: { delete: "" }, body, headers: contentMd5(body) },
      { method: "DELETE", query: { cors: "" } },
    ] as const) {
      expect([options, ...outcome(await call(options))]).toEqual([options, ...DENIED]);
    }
  });

  it("asks for no head where it may only write, as only GET implies HEAD", async () => {
    const object = { bucket: "media", key: "other.txt", method: "HEAD", expiresIn: 60 };
    const { url } = s3For(gateway, { credentials: scoped() }).sign(object);
    const head = async () => (await fetch(url, { method: "HEAD" })).status;
    scope = { methods: ["PUT"] };
    expect([(await call({ method: "HEAD" })).status, await head()]).toEqual([403, 403]);
    scope = { methods: ["HEAD"] };
    expect([(await call({ method: "HEAD" })).status, await head()]).toEqual([200, 200]);
    expect(outcome(await list(""))).toEqual(DENIED);
  });

  it("deletes nothing by a POST, which it may send, when it may not DELETE", async () => {
    scope = { methods: ["GET", "POST"] };
    const body = "<Delete><Object><Key>other.txt</Key></Object></Delete>";
    const reply = await call({ method: "POST", query: { delete: "" }, body, headers: contentMd5(body) });
    expect([reply.status, texts(reply, "Code")]).toEqual([200, ["AccessDenied"]]);
    expect(existsSync(join(gateway.root, "media/other.txt"))).toBe(true);
  });

  it("lists nothing any more when it has ended", async () => {
    scope = { until: new Date(Date.now() - 1) };
    expect(outcome(await list(""))).toEqual(DENIED);
    expect(outcome(await call({ method: "PUT", bucket: "late" }))).toEqual(DENIED);
  });
});

describe("a SigV2 URL of a bucket, which signs no parameter of a listing", () => {
  it("takes none: a holder could change them (GCS V2, SigV2: unsigned parameters accepted)", async () => {
    const signer = s3V2Signer({
      region: "us-east-1",
      endpoint: gateway.url,
      addressing: "path",
      credentials: gateway.accessKey,
    });
    const ask = async (query: string, selected: Record<string, string> = {}) => {
      const { url } = signer.sign({ bucket: "media", resource: "bucket", expiresIn: 60, bind: { query: selected } });
      const { status, calls } = await counted({ target: `${url.slice(gateway.url.length)}${query}` });
      return [status, calls];
    };
    expect(await ask("")).toEqual([200, 1]);
    expect(await ask("", { versions: "" })).toEqual([200, 1]);
    for (const query of [
      "prefix=merchants",
      "delimiter=%2F",
      "marker=a",
      "max-keys=1",
      "list-type=2",
      "encoding-type=url",
    ]) {
      expect([query, ...(await ask(`&${query}`))]).toEqual([query, 403, 0]);
      expect([query, ...(await ask(`&${query}`, { versions: "" }))]).toEqual([query, 403, 0]);
    }
    // What it does sign selects another operation, and is refused when it was not signed.
    for (const query of ["acl", "cors", "uploads", "versions", "delete"]) {
      expect([query, ...(await ask(`&${query}`))]).toEqual([query, 403, 0]);
    }
  });
});

describe("a signature for an object", () => {
  it("lists nothing, and one for a listing reads no object", async () => {
    const query = { "list-type": "2", prefix: "merchants/12/" };
    const { url } = s3For(gateway).sign({ bucket: "media", resource: "bucket", expiresIn: 60, bind: { query } });
    const statusOf = async (change: (target: string) => string) =>
      (await counted({ target: change(url.slice(gateway.url.length)) })).status;
    expect(await statusOf((it) => it)).toBe(200);
    for (const change of [
      (it: string) => it.replace("prefix=merchants%2F12%2F", "prefix="),
      (it: string) => it.replace(/prefix=[^&]*&?/, ""),
      (it: string) => it.replace("/media", "/private"),
      (it: string) => it.replace("/media?", "/media/other.txt?"),
      (it: string) => `${it}&prefix=`,
      (it: string) => it.replace("/media?", "/media%2F..%2Fprivate?"),
    ]) {
      expect([change, await statusOf(change)]).toEqual([change, 403]);
    }
  });
});

it("a key for some buckets is for no object of a bucket without a name, and may still be asked which buckets there are", () => {
  const scope = { buckets: ["media"] };
  expect(scopeBreach(scope, { bucket: "", key: "private/secret.txt" }, "GET")).toBe("bucket");
  expect(scopeBreach(scope, { bucket: "", key: undefined }, "GET")).toBe(undefined);
  expect(scopeBreach(scope, { bucket: "media", key: "a" }, "GET")).toBe(undefined);
});
