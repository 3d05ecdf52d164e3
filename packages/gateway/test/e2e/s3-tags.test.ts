import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { s3Calls, useGateway } from "./clients.ts";

const gateway = useGateway({
  files: { "media/foreign.txt": "foreign", "other/.keep": "" },
});

const { s3, put } = s3Calls(() => gateway);

describe("tags", () => {
  const tagging = (...tags: readonly (readonly [string, string])[]) =>
    `<Tagging><TagSet>${tags.map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`).join("")}</TagSet></Tagging>`;
  const putTags = (key: string, body: string, headers: Record<string, string> = {}) =>
    s3({ method: "PUT", key, query: { tagging: "" }, body, headers });
  const tagsOf = async (key: string) =>
    (await s3({ key, query: { tagging: "" } })).text.replace(/^[^>]*>\n<Tagging[^>]*>/, "");

  it("sets, replaces, lists, counts and removes tags", async () => {
    await put("tagged.txt", "x", { "x-amz-tagging": "colour=red&a%20b=c+d%2Be&empty=&bare" });
    expect(await tagsOf("tagged.txt")).toBe(
      "<TagSet><Tag><Key>colour</Key><Value>red</Value></Tag><Tag><Key>a b</Key><Value>c d+e</Value></Tag><Tag><Key>empty</Key><Value></Value></Tag><Tag><Key>bare</Key><Value></Value></Tag></TagSet></Tagging>",
    );
    const before = await s3({ key: "tagged.txt" });
    expect(before.headers["x-amz-tagging-count"]).toBe("4");
    const stats = statSync(join(gateway.root, "media/tagged.txt"), { bigint: true });
    expect((await putTags("tagged.txt", tagging(["new", "größe"]))).status).toBe(200);
    const after = await s3({ method: "HEAD", key: "tagged.txt" });
    expect(after.headers["x-amz-tagging-count"]).toBe("1");
    expect([after.headers.etag, after.headers["last-modified"]]).toEqual([
      before.headers.etag,
      before.headers["last-modified"],
    ]);
    expect(statSync(join(gateway.root, "media/tagged.txt"), { bigint: true }).mtimeNs).toBe(stats.mtimeNs);
    expect(await tagsOf("tagged.txt")).toContain("<Key>new</Key><Value>größe</Value>");
    expect((await s3({ method: "DELETE", key: "tagged.txt", query: { tagging: "" } })).status).toBe(204);
    expect(await tagsOf("tagged.txt")).toBe("<TagSet></TagSet></Tagging>");
    expect((await s3({ key: "tagged.txt" })).headers["x-amz-tagging-count"]).toBe(undefined);
  });

  it("refuses invalid tags with S3's codes", async () => {
    await put("tagged.txt", "x");
    const eleven = Array.from({ length: 11 }, (_, i) => [`k${i}`, "v"] as const);
    const refusals = [
      [tagging(...eleven), "BadRequest"],
      [tagging(["", "v"]), "InvalidTag"],
      [tagging(["k".repeat(129), "v"]), "InvalidTag"],
      [tagging(["k", "v".repeat(257)]), "InvalidTag"],
      [tagging(["k", "a;b"]), "InvalidTag"],
      [tagging(["aws:k", "v"]), "InvalidTag"],
      [tagging(["k", "1"], ["k", "2"]), "InvalidTag"],
      ["<Tagging/>", "MalformedXML"],
      ["<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>", "MalformedXML"],
      ["<TagSet/>", "MalformedXML"],
      ["", "MalformedXML"],
    ] as const;
    for (const [body, code] of refusals) {
      const reply = await putTags("tagged.txt", body);
      expect([body, reply.status, reply.code]).toEqual([body, 400, code]);
    }
    const headers = [
      [eleven.map(([key, value]) => `${key}=${value}`).join("&"), "BadRequest"],
      ["a=1&a=2", "InvalidArgument"],
      ["a=%zz", "InvalidArgument"],
      ["a=b=c", "InvalidArgument"],
      ["=b", "InvalidTag"],
      ["a=%3B", "InvalidTag"],
    ] as const;
    for (const [value, code] of headers) {
      const reply = await put("tagged2.txt", "x", { "x-amz-tagging": value });
      expect([value, reply.code]).toEqual([value, code]);
    }
    expect((await s3({ key: "tagged2.txt" })).code).toBe("NoSuchKey");
    for (const method of ["GET", "DELETE"] as const) {
      expect((await s3({ method, key: "none", query: { tagging: "" } })).code).toBe("NoSuchKey");
    }
    expect((await putTags("none", tagging(["a", "1"]))).code).toBe("NoSuchKey");
    const digest = { "content-md5": createHash("md5").update("other").digest("base64") };
    expect((await putTags("tagged.txt", tagging(["a", "1"]), digest)).code).toBe("BadDigest");
    expect((await putTags("tagged.txt", tagging(["a", "1"]), { "x-amz-checksum-crc32": "AAAAAA==" })).code).toBe(
      "BadDigest",
    );
    expect((await putTags("tagged.txt", `${tagging()}${" ".repeat(1024 * 1024)}`)).code).toBe(
      "MaxMessageLengthExceeded",
    );
    expect(await tagsOf("tagged.txt")).toBe("<TagSet></TagSet></Tagging>");
  });
});
