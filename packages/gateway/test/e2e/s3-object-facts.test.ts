/** Attributes, owner, versions and user metadata of an object. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { md5, type S3Sent, s3Calls, s3Field, send, useGateway } from "./clients.ts";
import { headerSignature } from "./header-signature.ts";

const gateway = useGateway({
  files: { "media/a.txt": "a" },
});

const { s3, put } = s3Calls(() => gateway);

describe("attributes and access control lists", () => {
  it("answers GetObjectAttributes", async () => {
    await put("plain.txt", "plain", { "x-amz-checksum-sha1": createHash("sha1").update("plain").digest("base64") });
    const get = (names: string, headers: Record<string, string> = {}) =>
      s3({ key: "plain.txt", query: { attributes: "" }, headers: { "x-amz-object-attributes": names, ...headers } });
    const all = await get("ETag, Checksum,ObjectParts,ObjectSize,StorageClass");
    expect(all.text.replace(/^[\s\S]*?<ETag>/, "<ETag>")).toBe(
      `<ETag>${md5("plain")}</ETag><Checksum><ChecksumSHA1>${createHash("sha1").update("plain").digest("base64")}</ChecksumSHA1><ChecksumType>FULL_OBJECT</ChecksumType></Checksum><StorageClass>STANDARD</StorageClass><ObjectSize>5</ObjectSize></GetObjectAttributesResponse>`,
    );
    expect(Date.parse(all.headers["last-modified"] ?? "")).not.toBeNaN();
    expect((await get("ObjectSize")).text).toContain('"><ObjectSize>5</ObjectSize></GetObjectAttributesResponse>');
    expect((await get("Size")).code).toBe("InvalidArgument");
    expect((await get("etag")).code).toBe("InvalidArgument");
    expect((await get("__proto__")).code).toBe("InvalidArgument");
    const missing = await s3({ key: "plain.txt", query: { attributes: "" } });
    expect([missing.code, s3Field(missing.text, "Message")]).toEqual([
      "InvalidRequest",
      "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty",
    ]);
    expect((await get("ObjectParts", { "x-amz-max-parts": "-1" })).code).toBe("InvalidArgument");
    const none = await s3({ key: "none", query: { attributes: "" }, headers: { "x-amz-object-attributes": "ETag" } });
    expect(none.code).toBe("NoSuchKey");
  });

  it("answers GetObjectAcl with full control of the owner, and refuses changes", async () => {
    await put("plain.txt", "plain");
    const acl = await s3({ key: "plain.txt", query: { acl: "" } });
    expect(acl.status).toBe(200);
    expect(acl.text).toContain('xsi:type="CanonicalUser"');
    expect(s3Field(acl.text, "Permission")).toBe("FULL_CONTROL");
    expect((await s3({ key: "none", query: { acl: "" } })).code).toBe("NoSuchKey");
    for (const headers of [{ "x-amz-acl": "public-read" }, { "x-amz-acl": "private" }]) {
      const reply = await s3({ method: "PUT", key: "plain.txt", query: { acl: "" }, headers, body: "" });
      expect([reply.status, reply.code]).toEqual([400, "AccessControlListNotSupported"]);
    }
    expect((await put("acl.txt", "x", { "x-amz-acl": "bucket-owner-full-control" })).status).toBe(200);
    expect((await put("acl.txt", "x", { "x-amz-acl": "private" })).status).toBe(200);
    expect((await put("acl.txt", "x", { "x-amz-acl": "everybody" })).code).toBe("InvalidArgument");
    expect((await put("acl.txt", "x", { "x-amz-storage-class": "COLD" })).code).toBe("InvalidStorageClass");
    expect((await put("acl.txt", "x", { "x-amz-storage-class": "STANDARD" })).status).toBe(200);
  });
});

const acl = (method: "GET" | "PUT", body?: string, key = "a.txt") =>
  s3({ method, key, query: { acl: "" }, ...(body === undefined ? {} : { body }) });

describe("PutObjectAcl", () => {
  it("accepts the answer of GetObjectAcl, which clients put on copies", async () => {
    const { text } = await acl("GET");
    expect(await acl("PUT", text)).toMatchObject({ status: 200, text: "" });
    // Without the name that is only shown.
    expect((await acl("PUT", text.replaceAll(/<DisplayName>.*?<\/DisplayName>/g, ""))).status).toBe(200);
    expect((await acl("GET")).text).toBe(text);
    expect(await acl("PUT", text, "none")).toMatchObject({ status: 404, code: "NoSuchKey" });
  });

  it.each<[string, (text: string) => string]>([
    ["of another owner", (text) => text.replace("<ID>0", "<ID>1")],
    ["for another grantee", (text) => text.replace(/(<Grantee.*?<ID>)0/, "$11")],
    ["for all users", (text) => text.replace(/<Grantee(.*?)<ID>.*?<\/ID>/, "<Grantee$1<URI>http://all</URI>")],
    ["of another right", (text) => text.replace("FULL_CONTROL", "READ")],
    ["of two grants", (text) => text.replace(/(<Grant>.*<\/Grant>)/s, "$1$1")],
    ["of none", (text) => text.replace(/<Grant>.*<\/Grant>/s, "")],
    ["without content", () => ""],
  ])("refuses an access control list %s", async (_, change) => {
    const { text } = await acl("GET");
    const other = change(text);
    expect(other).not.toBe(text);
    expect(await acl("PUT", other)).toMatchObject({ status: 400, code: "AccessControlListNotSupported" });
  });
});

describe("versions", () => {
  it("serves the only version of an object, called null", async () => {
    await put("versions.txt", "x");
    for (const query of [{}, { tagging: "" }, { acl: "" }]) {
      expect((await s3({ key: "versions.txt", query: { ...query, versionId: "null" } })).status).toBe(200);
    }
    // A bucket that never had versions returns no version id, not even the requested one.
    for (const method of ["GET", "HEAD"] as const) {
      const reply = await s3({ method, key: "versions.txt", query: { versionId: "null" } });
      expect([reply.status, reply.headers["x-amz-version-id"]]).toEqual([200, undefined]);
    }
    const other = "0123456789abcdefghijklmnopqrstuv";
    for (const method of ["GET", "DELETE"] as const) {
      for (const [versionId, status, code] of [
        [other, 404, "NoSuchVersion"],
        ["1", 400, "InvalidArgument"],
        ["", 400, "InvalidArgument"],
      ] as const) {
        const reply = await s3({ method, key: "versions.txt", query: { versionId } });
        expect([method, versionId, reply.status, reply.code]).toEqual([method, versionId, status, code]);
      }
    }
    expect((await s3({ key: "versions.txt" })).text).toBe("x");
    expect((await s3({ method: "DELETE", key: "versions.txt", query: { versionId: "null" } })).status).toBe(204);
    expect((await s3({ key: "versions.txt" })).code).toBe("NoSuchKey");
  });

  const tags = "<Tagging><TagSet></TagSet></Tagging>";
  const attributes = { "x-amz-object-attributes": "ETag" };
  it.each<readonly [string, Omit<S3Sent, "key">]>([
    ["GetObject", {}],
    ["DeleteObject", { method: "DELETE" }],
    ["GetObjectTagging", { query: { tagging: "" } }],
    ["PutObjectTagging", { method: "PUT", query: { tagging: "" }, body: tags }],
    ["DeleteObjectTagging", { method: "DELETE", query: { tagging: "" } }],
    ["GetObjectAcl", { query: { acl: "" } }],
    ["GetObjectAttributes", { query: { attributes: "" }, headers: attributes }],
  ])("refuses a missing version in %s with S3's code, text and fields", async (_, sent) => {
    await put("versioned.txt", "x", { "x-amz-tagging": "a=1" });
    const ask = (versionId: string) => s3({ ...sent, key: "versioned.txt", query: { ...sent.query, versionId } });
    const fieldsOf = ({ text }: { readonly text: string }, ...names: readonly string[]) =>
      names.map((name) => s3Field(text, name));
    for (const versionId of [
      "1",
      "other version",
      "0123456789abcdefghijklmnopqrstu",
      "0123456789abcdefghijklmnopqrstu/",
    ]) {
      const reply = await ask(versionId);
      expect([reply.status, ...fieldsOf(reply, "Code", "Message", "ArgumentName", "ArgumentValue")]).toEqual([
        400,
        "InvalidArgument",
        "Invalid version id specified",
        "versionId",
        versionId,
      ]);
    }
    const empty = await ask("");
    expect([empty.status, ...fieldsOf(empty, "Code", "Message", "ArgumentName")]).toEqual([
      400,
      "InvalidArgument",
      "Version id cannot be the empty string",
      "versionId",
    ]);
    const absent = await ask("3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH");
    expect([absent.status, ...fieldsOf(absent, "Code", "Message", "Key", "VersionId")]).toEqual([
      404,
      "NoSuchVersion",
      "The specified version does not exist.",
      "versioned.txt",
      "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH",
    ]);
    const now = await s3({ key: "versioned.txt" });
    expect([now.text, now.headers["x-amz-tagging-count"]]).toEqual(["x", "1"]);
  });

  it("refuses a missing version in HEAD and as the source of a copy", async () => {
    await put("versioned.txt", "x");
    const absent = "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH";
    const heads = [absent, "1", ""].map((versionId) =>
      s3({ method: "HEAD", key: "versioned.txt", query: { versionId } }),
    );
    expect((await Promise.all(heads)).map(({ status, text }) => [status, text])).toEqual([
      [404, ""],
      [400, ""],
      [400, ""],
    ]);
    const started = await s3({ method: "POST", key: "copied.txt", query: { uploads: "" } });
    const part = { partNumber: "1", uploadId: s3Field(started.text, "UploadId") ?? "" };
    for (const query of [{}, part]) {
      const copy = async (versionId: string) => {
        const headers = { "x-amz-copy-source": `media/versioned.txt?versionId=${versionId}` };
        const { status, code, text } = await s3({ method: "PUT", key: "copied.txt", query, headers });
        return [status, code, s3Field(text, "Message")];
      };
      expect(await copy(absent)).toEqual([404, "NoSuchVersion", "The specified version does not exist."]);
      expect(await copy("1")).toEqual([400, "InvalidArgument", "Invalid version id specified"]);
    }
    expect((await s3({ key: "copied.txt" })).code).toBe("NoSuchKey");
  });
});

describe("user metadata", () => {
  it("reads and writes metadata in RFC 2047 encoding", async () => {
    const word = (text: string) => `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`;
    const cases = [
      ["plain", "plain"],
      [word("größe 日本"), word("größe 日本")],
      ["=?utf-8?q?gr=C3=B6=C3=9Fe_1?=", word("größe 1")],
      [`${word("grö")} ${word("ße")} x`, word("größe x")],
      [word("abc"), "abc"],
      ["=?UTF-8?B?%%?=", "=?UTF-8?B?%%?="],
      ["=?iso-8859-1?q?=FC?=", "=?iso-8859-1?q?=FC?="],
      [word("a\r\nset-cookie: b"), word("a\r\nset-cookie: b")],
    ] as const;
    for (const [sent, returned] of cases) {
      await put("meta.txt", "x", { "x-amz-meta-name": sent });
      const { headers } = await s3({ method: "HEAD", key: "meta.txt" });
      expect([sent, headers["x-amz-meta-name"], headers["set-cookie"]]).toEqual([sent, returned, undefined]);
    }
  });

  it("accepts metadata as raw UTF-8 bytes, which are then signed", async () => {
    const bytes = (text: string) => Buffer.from(text).toString("latin1");
    const upload = (signed: string, sent: string) => {
      const [method, path, host] = ["PUT", "/media/bytes.txt", `127.0.0.1:${gateway.port}`];
      const all = headerSignature({
        method,
        path,
        host,
        key: gateway.accessKey,
        headers: { "x-amz-meta-name": signed },
      });
      // Node writes the head in UTF-8 if the body is text, and in Latin-1 if the body is bytes.
      return send(gateway, {
        method,
        target: path,
        headers: { ...all, "x-amz-meta-name": sent },
        body: Buffer.from("x"),
      });
    };
    // The second byte of the last letter, read by itself, is a space that HTTP does not know.
    for (const text of ["größe 日本", "città", "\u{1f600}"]) {
      expect((await upload(text, bytes(text))).status).toBe(200);
      const { headers } = await s3({ method: "HEAD", key: "bytes.txt" });
      expect(headers["x-amz-meta-name"]).toBe(`=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`);
      expect((await upload(text, bytes(`${text}x`))).status).toBe(403);
      expect((await upload(text, bytes(bytes(text)))).status).toBe(403);
    }
    // A client that writes Latin-1 and signs UTF-8, as Node's does: the same text.
    expect((await upload("größe", "größe")).status).toBe(200);
    expect((await upload("größe", "grösse")).status).toBe(403);
  });

  it("limits metadata to 2 KB of UTF-8", async () => {
    expect((await put("meta.txt", "x", { "x-amz-meta-a": "x".repeat(2047) })).status).toBe(200);
    expect((await put("meta.txt", "x", { "x-amz-meta-a": "x".repeat(2048) })).code).toBe("MetadataTooLarge");
    const encoded = `=?UTF-8?B?${Buffer.from("ä".repeat(1023)).toString("base64")}?=`;
    expect((await put("meta.txt", "x", { "x-amz-meta-a": encoded })).status).toBe(200);
    const longer = `=?UTF-8?B?${Buffer.from("ä".repeat(1024)).toString("base64")}?=`;
    expect((await put("meta.txt", "x", { "x-amz-meta-a": longer })).code).toBe("MetadataTooLarge");
  });
});
