import { beforeAll, describe, expect, it } from "vitest";
import { callBucket, parts, text, texts } from "./bucket-client.ts";
import { type Reply, s3Code, s3Field, useGateway } from "./clients.ts";

const KEYS = ["a b+c&<d>.txt", "folder/1", "folder/2", "folder/deep/3", "other/4", "z\u00e9\u{1f511}", "\uffee"];
const gateway = useGateway({
  files: { ...Object.fromEntries(KEYS.map((key) => [`media/${key}`, key])) },
});
beforeAll(async () => {
  await gateway.storage.createBucket("nothing");
  for (const key of ["\u0001\u000b", "line\r\nbreak"]) {
    await gateway.storage.createBucket(`odd${key.length}`);
    await gateway.storage.put(
      { bucket: `odd${key.length}`, key },
      (async function* () {
        yield Buffer.from("x");
      })(),
    );
  }
});

const list = (query: Record<string, string> = {}, bucket = "media") => callBucket(gateway, { query, bucket });
const v2 = (query: Record<string, string> = {}, bucket = "media") => list({ "list-type": "2", ...query }, bucket);
const versions = (query: Record<string, string> = {}) => list({ versions: "", ...query });
const keysOf = (reply: Reply) => texts(reply, "Key");
const prefixesOf = (reply: Reply) => parts(reply, "CommonPrefixes").map((inside) => inside.replace(/<\/?Prefix>/g, ""));
const SORTED = ["a b+c&<d>.txt", "folder/1", "folder/2", "folder/deep/3", "other/4", "z\u00e9\u{1f511}", "\uffee"];

describe("each of the three listings", () => {
  const forms = { ListObjects: list, ListObjectsV2: v2, ListObjectVersions: versions };
  it.each(Object.entries(forms))("%s lists keys in the order of their bytes", async (_, call) => {
    const reply = await call();
    expect([reply.status, reply.headers["content-type"]]).toEqual([200, "application/xml"]);
    expect(keysOf(reply)).toEqual(SORTED);
    expect(texts(reply, "Size")).toEqual(SORTED.map((key) => String(Buffer.byteLength(key))));
    expect(texts(reply, "StorageClass")).toEqual(SORTED.map(() => "STANDARD"));
    expect(text(reply, "Name")).toBe("media");
    expect([text(reply, "MaxKeys"), text(reply, "IsTruncated")]).toEqual(["1000", "false"]);
    for (const date of texts(reply, "LastModified")) expect(date).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
    for (const etag of texts(reply, "ETag")) expect(etag).toMatch(/^"[0-9a-f]{32}-f"$/);
  });

  it.each(Object.entries(forms))("%s rolls up what lies behind a delimiter", async (_, call) => {
    const reply = await call({ delimiter: "/" });
    expect(keysOf(reply)).toEqual(SORTED.filter((key) => !key.includes("/")));
    expect(prefixesOf(reply)).toEqual(["folder/", "other/"]);
    expect(text(reply, "Delimiter")).toBe("/");
    const below = await call({ delimiter: "/", prefix: "folder/" });
    expect([keysOf(below), prefixesOf(below)]).toEqual([["folder/1", "folder/2"], ["folder/deep/"]]);
    expect(prefixesOf(await call({ delimiter: "er", prefix: "" }))).toEqual(["folder", "other"]);
    expect(text(await call({ delimiter: "" }), "Delimiter")).toBe(undefined);
  });

  it.each(Object.entries(forms))("%s encodes keys for URLs when asked to", async (_, call) => {
    const reply = await call({ "encoding-type": "url", delimiter: "/", prefix: "" });
    expect(text(reply, "EncodingType")).toBe("url");
    expect(keysOf(reply)).toEqual(["a%20b%2Bc%26%3Cd%3E.txt", "z%C3%A9%F0%9F%94%91", "%EF%BF%AE"]);
    const other = await call({ "encoding-type": "base64" });
    expect([s3Code(other.body), s3Field(other.body, "ArgumentName")]).toEqual(["InvalidArgument", "encoding-type"]);
    expect(s3Field(other.body, "Message")).toBe("Invalid Encoding Method specified in Request");
  });

  it.each(Object.entries(forms))("%s takes any number of keys, and gives a thousand at most", async (_, call) => {
    const none = await call({ "max-keys": "0" });
    expect([none.status, keysOf(none), text(none, "MaxKeys"), text(none, "IsTruncated")]).toEqual([
      200,
      [],
      "0",
      "false",
    ]);
    expect(text(await call({ "max-keys": "5000" }), "MaxKeys")).toBe("1000");
    for (const limit of ["-1", "1.5", "many", "2147483648", "0x10"]) {
      const reply = await call({ "max-keys": limit });
      expect([limit, reply.status, s3Code(reply.body)]).toEqual([limit, 400, "InvalidArgument"]);
      expect(s3Field(reply.body, "ArgumentValue")).toBe(limit);
    }
  });

  it.each(Object.entries(forms))(
    "%s refuses a bucket that does not exist, and lists an empty one",
    async (name, call) => {
      const query = name === "ListObjectsV2" ? { "list-type": "2" } : name === "ListObjects" ? {} : { versions: "" };
      const missing = await list(query, "no-such-bucket");
      expect([missing.status, s3Code(missing.body)]).toEqual([404, "NoSuchBucket"]);
      expect(s3Field(missing.body, "BucketName")).toBe("no-such-bucket");
      expect(keysOf(await list(query, "nothing"))).toEqual([]);
      expect((await call({ prefix: "no such key" })).status).toBe(200);
    },
  );
});

describe("pages", () => {
  it("of ListObjects continue behind the marker", async () => {
    const first = await list({ "max-keys": "3" });
    expect([keysOf(first), text(first, "IsTruncated")]).toEqual([SORTED.slice(0, 3), "true"]);
    // "This element is returned only if you have the delimiter request parameter specified."
    expect(text(first, "NextMarker")).toBe(undefined);
    const second = await list({ "max-keys": "10", marker: SORTED[2] ?? "" });
    expect([keysOf(second), text(second, "Marker")]).toEqual([SORTED.slice(3), SORTED[2]]);
  });

  it("of ListObjects with a delimiter pass over the prefix in which the marker lies", async () => {
    const first = await list({ "max-keys": "2", delimiter: "/" });
    expect([prefixesOf(first), text(first, "NextMarker")]).toEqual([["folder/"], "folder/"]);
    for (const marker of ["folder/", "folder/1", "folder/zzz"]) {
      expect(prefixesOf(await list({ delimiter: "/", marker }))).toEqual(["other/"]);
    }
    expect(prefixesOf(await list({ delimiter: "/", marker: "folder" }))).toEqual(["folder/", "other/"]);
  });

  it("of ListObjectsV2 continue by their token, and count what they hold", async () => {
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const page = await v2({ "max-keys": "2", ...(token === undefined ? {} : { "continuation-token": token }) });
      expect(text(page, "KeyCount")).toBe(String(keysOf(page).length));
      expect(text(page, "ContinuationToken")).toBe(token);
      seen.push(...keysOf(page));
      token = text(page, "NextContinuationToken");
      expect(text(page, "IsTruncated")).toBe(String(token !== undefined));
    } while (token !== undefined);
    expect(seen).toEqual(SORTED);
  });

  it("of ListObjectsV2 begin behind start-after, which a token overrides", async () => {
    expect(keysOf(await v2({ "start-after": "folder/1" }))).toEqual(SORTED.slice(2));
    const within = await v2({ "start-after": "folder/1", delimiter: "/" });
    expect([prefixesOf(within), text(within, "StartAfter")]).toEqual([["folder/", "other/"], "folder/1"]);
    const token = text(await v2({ "max-keys": "5" }), "NextContinuationToken") ?? "";
    expect(keysOf(await v2({ "start-after": "a", "continuation-token": token }))).toEqual(SORTED.slice(5));
  });

  it("of ListObjectsV2 count prefixes as well", async () => {
    const first = await v2({ "max-keys": "2", delimiter: "/" });
    expect([keysOf(first), prefixesOf(first), text(first, "KeyCount")]).toEqual([[SORTED[0]], ["folder/"], "2"]);
    const token = text(first, "NextContinuationToken") ?? "";
    const second = await v2({ "max-keys": "9", delimiter: "/", "continuation-token": token });
    expect([keysOf(second), prefixesOf(second)]).toEqual([SORTED.slice(5), ["other/"]]);
  });

  it("of ListObjectVersions continue behind a key and its one version", async () => {
    const first = await versions({ "max-keys": "2" });
    expect([text(first, "NextKeyMarker"), text(first, "NextVersionIdMarker")]).toEqual(["folder/1", "null"]);
    expect(parts(first, "Version").every((version) => version.includes("<VersionId>null</VersionId>"))).toBe(true);
    expect(texts(first, "IsLatest")).toEqual(["true", "true"]);
    const next = await versions({ "key-marker": "folder/1", "version-id-marker": "null" });
    expect(keysOf(next)).toEqual(SORTED.slice(2));
    const alone = await versions({ "version-id-marker": "null" });
    expect(s3Field(alone.body, "Message")).toBe("A version-id marker cannot be specified without a key marker.");
    const other = await versions({ "key-marker": "a", "version-id-marker": "other" });
    expect([other.status, s3Code(other.body)]).toEqual([400, "InvalidArgument"]);
    const made = await versions({ "key-marker": "a", "version-id-marker": "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH" });
    expect([made.status, s3Field(made.body, "Message"), s3Field(made.body, "ArgumentName")]).toEqual([
      400,
      "Invalid version id specified",
      "version-id-marker",
    ]);
  });

  it("show an owner where S3 does", async () => {
    expect(parts(await list(), "Owner").length).toBe(7);
    expect(parts(await v2(), "Owner").length).toBe(0);
    expect(parts(await v2({ "fetch-owner": "true" }), "Owner").length).toBe(7);
  });
});

describe("a continuation token", () => {
  const incorrect = async (query: Record<string, string>) => {
    const reply = await v2(query);
    return [reply.status, s3Code(reply.body), s3Field(reply.body, "Message"), s3Field(reply.body, "ArgumentName")];
  };
  const REFUSED = [400, "InvalidArgument", "The continuation token provided is incorrect", "continuation-token"];

  it("is refused when any of its characters is another", async () => {
    const token = text(await v2({ "max-keys": "2" }), "NextContinuationToken") ?? "";
    expect(token).not.toContain("folder");
    for (let i = 0; i < token.length; i++) {
      for (const other of ["A", "b", "-", "="]) {
        const changed = token.slice(0, i) + other + token.slice(i + 1);
        if (changed !== token)
          expect([changed, await incorrect({ "continuation-token": changed })]).toEqual([changed, REFUSED]);
      }
    }
  });

  it("is refused when it is cut, lengthened, empty or no token at all", async () => {
    const token = text(await v2({ "max-keys": "2" }), "NextContinuationToken") ?? "";
    for (const changed of [
      "",
      token.slice(1),
      token.slice(0, -1),
      `${token}A`,
      `${token}=`,
      "a",
      "folder/1",
      "\u00e9",
      "AAAA",
    ]) {
      expect([changed, await incorrect({ "continuation-token": changed })]).toEqual([changed, REFUSED]);
    }
  });

  it("is refused for another prefix, delimiter or bucket", async () => {
    const token = text(await v2({ "max-keys": "2" }), "NextContinuationToken") ?? "";
    expect(await incorrect({ "continuation-token": token, prefix: "folder/" })).toEqual(REFUSED);
    expect(await incorrect({ "continuation-token": token, delimiter: "/" })).toEqual(REFUSED);
    const elsewhere = await v2({ "continuation-token": token }, "nothing");
    expect(s3Code(elsewhere.body)).toBe("InvalidArgument");
    expect((await v2({ "continuation-token": token, "max-keys": "1" })).status).toBe(200);
  });
});

describe("keys that XML has no way for", () => {
  it("are written as S3 writes them", async () => {
    const reply = await list({}, "odd2");
    expect(reply.body.toString()).toContain("<Key>&#x1;&#xb;</Key>");
    expect(keysOf(await list({ "encoding-type": "url" }, "odd2"))).toEqual(["%01%0B"]);
    expect((await list({}, "odd11")).body.toString()).toContain("<Key>line&#13;\nbreak</Key>");
  });
});

describe("a parameter", () => {
  it("that does not belong to the listing is refused", async () => {
    expect((await list({ "start-after": "a" })).status).toBe(501);
    expect((await v2({ marker: "a" })).status).toBe(501);
    expect((await v2({ "list-type": "3" })).status).toBe(400);
  });
});
