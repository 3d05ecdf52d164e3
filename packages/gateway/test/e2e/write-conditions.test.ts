import { createHash } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { daypassUrl, type Reply, s3For, send, sendS3, useGateway } from "./clients.ts";

const KEPT = "what was there";
const ETAG = `"${createHash("md5").update(KEPT).digest("hex")}"`;
const PAST = "Thu, 01 Jan 1970 00:00:00 GMT";
const FUTURE = "Fri, 01 Jan 2100 00:00:00 GMT";
const gateway = useGateway({ files: { "media/.keep": "" } });
beforeEach(async () => {
  await sendS3(gateway, { method: "PUT", key: "a.txt", body: KEPT });
});

/** Sends a URL of one dialect with unsigned headers, as its holder may. */
const senders: Record<
  string,
  (method: "PUT" | "DELETE", key: string, headers: Record<string, string>) => Promise<Reply>
> = {
  Daypass: (method, key, headers) => put(daypassUrl(gateway, `/media/${key}`, { methods: [method] }), method, headers),
  S3: (method, key, headers) =>
    put(s3For(gateway).sign({ method, bucket: "media", key, expiresIn: 60 }).url, method, headers),
};

function put(url: string, method: string, headers: Record<string, string>): Promise<Reply> {
  const body = method === "PUT" ? "other" : undefined;
  const length: Record<string, string> = body === undefined ? {} : { "content-length": String(body.length) };
  const host = { host: `127.0.0.1:${gateway.port}` };
  return send(gateway, {
    method,
    target: url.slice(gateway.url.length),
    headers: { ...host, ...length, ...headers },
    body,
  });
}

const kept = async () => (await sendS3(gateway, { key: "a.txt" })).text === KEPT;

describe.each(Object.keys(senders))("a write by a %s URL", (dialect) => {
  const write = (method: "PUT" | "DELETE", headers: Record<string, string>, key = "a.txt") =>
    senders[dialect]?.(method, key, headers).then(({ status }) => status);

  it.each([
    ["PUT", { "if-unmodified-since": PAST }, 501],
    ["DELETE", { "if-unmodified-since": PAST }, 501],
    ["DELETE", { "if-unmodified-since": FUTURE }, 501],
    ["PUT", { "if-none-match": "*" }, 412],
    ["DELETE", { "if-none-match": "*" }, 412],
    ["PUT", { "if-none-match": '"x"' }, 501],
    ["DELETE", { "if-none-match": '"x"' }, 501],
    ["PUT", { "if-match": '"x"' }, 412],
    ["DELETE", { "if-match": '"x"' }, 412],
    ["DELETE", { "if-match": '"x", "y"' }, 501],
    ["DELETE", { "if-match": `W/${ETAG}` }, 412],
    ["DELETE", { "if-match": ETAG, "if-none-match": "*" }, 412],
    ["PUT", { "content-range": "bytes 5-9/10" }, 400],
  ] as const)("a %s with the unmet condition %j does not happen and answers %i", async (method, headers, status) => {
    expect([await write(method, headers), await kept()]).toEqual([status, true]);
  });

  it("accepts a write whose condition holds", async () => {
    expect(await write("DELETE", { "if-match": ETAG })).toBe(204);
    expect(await write("DELETE", { "if-none-match": "*" })).toBe(204);
    expect(await write("PUT", { "if-none-match": "*" }, `new-${dialect}.txt`)).toBe(200);
  });
});

describe("the date conditions of a write", () => {
  it("ignores date conditions as in RFC 9110, and refuses them in S3", async () => {
    const statuses = (headers: Record<string, string>) =>
      Promise.all(
        ["Daypass", "S3"].map(async (dialect) => (await senders[dialect]?.("DELETE", "none.txt", headers))?.status),
      );
    expect(await statuses({ "if-modified-since": FUTURE })).toEqual([204, 501]);
    expect(await statuses({ "if-match": "*", "if-unmodified-since": PAST })).toEqual([404, 501]);
  });
});

describe("a create-only grant", () => {
  it("refuses a DELETE with a create-only grant", async () => {
    const url = daypassUrl(gateway, "/media/a.txt", { methods: ["PUT", "DELETE"], createOnly: true });
    expect([(await fetch(url, { method: "DELETE" })).status, await kept()]).toEqual([412, true]);
  });
});

describe.each([
  ["the start of an upload", { method: "POST", key: "b.txt", query: { uploads: "" } }],
  ["a part", { method: "PUT", key: "b.txt", query: { uploadId: "any", partNumber: "1" }, body: "abc" }],
  ["the end of an upload", { method: "DELETE", key: "b.txt", query: { uploadId: "any" } }],
  ["the deletion of several", { method: "POST", query: { delete: "" }, body: "<Delete/>" }],
  ["a bucket", { method: "PUT", bucket: "conditional" }],
  ["the end of a bucket", { method: "DELETE" }],
] as const)("%s", (_, call) => {
  it.each([
    ["if-match", '"x"'],
    ["if-none-match", "*"],
    ["if-unmodified-since", PAST],
  ])("refuses the condition %s, because nothing would enforce it", async (name, value) => {
    const { status, code } = await sendS3(gateway, { ...call, unsigned: { [name]: value } });
    expect([status, code, await kept()]).toEqual([501, "NotImplemented", true]);
  });
});

describe("the tags of an object", () => {
  it("refuses conditions on tags, because nothing would enforce them", async () => {
    const query = { tagging: "" };
    const body = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    const md5 = { "content-md5": createHash("md5").update(body).digest("base64") };
    for (const [name, value] of [
      ["if-match", '"x"'],
      ["if-none-match", "*"],
      ["if-unmodified-since", PAST],
    ] as const) {
      const unsigned = { ...md5, [name]: value };
      expect((await sendS3(gateway, { method: "PUT", key: "a.txt", query, body, unsigned })).status).toBe(501);
      expect(
        (await sendS3(gateway, { method: "DELETE", key: "a.txt", query, unsigned: { [name]: value } })).status,
      ).toBe(501);
    }
    expect((await sendS3(gateway, { key: "a.txt", query })).text).not.toContain("<Tag>");
  });
});

describe("a part of an upload", () => {
  it("accepts Content-Range on a part, as browser uploaders send it", async () => {
    const begun = await sendS3(gateway, { method: "POST", key: "parts.bin", query: { uploads: "" } });
    const uploadId = /<UploadId>([^<]+)/.exec(begun.text)?.[1] ?? "";
    const query = { uploadId, partNumber: "1" };
    const unsigned = { "content-range": "bytes 0-2/3" };
    expect((await sendS3(gateway, { method: "PUT", key: "parts.bin", query, body: "abc", unsigned })).status).toBe(200);
  });
});
