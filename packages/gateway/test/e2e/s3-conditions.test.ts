import { describe, expect, it } from "vitest";
import { md5, s3Calls, s3Field, useGateway } from "./clients.ts";
import { interrupted } from "./interrupted-storage.ts";

/** What another client does just before the storage stores. */
let meanwhile: (() => Promise<unknown>) | undefined;

const gateway = useGateway({
  files: { "media/foreign.txt": "foreign", "other/.keep": "" },
  storage: (disk) => interrupted(disk, () => meanwhile?.()),
});

const { s3, put } = s3Calls(() => gateway);

describe("conditional writes", () => {
  it("say 412, 404 and 409 as AWS does", async () => {
    await put("cond.txt", "1");
    expect((await put("cond.txt", "2", { "if-none-match": "*" })).code).toBe("PreconditionFailed");
    expect((await put("cond.txt", "2", { "if-match": '"other"' })).code).toBe("PreconditionFailed");
    expect((await put("none.txt", "2", { "if-match": '"other"' })).code).toBe("NoSuchKey");
    meanwhile = async () => {
      meanwhile = undefined;
      await gateway.storage.delete({ bucket: "media", key: "cond.txt" });
    };
    const raced = await put("cond.txt", "2", { "if-match": `"${md5("1")}"` });
    expect([raced.status, raced.code]).toEqual([409, "ConditionalRequestConflict"]);
    meanwhile = async () => {
      meanwhile = undefined;
      await put("cond.txt", "theirs");
    };
    const lost = await put("cond.txt", "ours", { "if-none-match": "*" });
    expect([lost.status, s3Field(lost.text, "Condition")]).toEqual([412, "If-None-Match"]);
    meanwhile = async () => {
      meanwhile = undefined;
      await put("cond.txt", "theirs again");
    };
    const replaced = await put("cond.txt", "ours", { "if-match": `"${md5("theirs")}"` });
    expect([replaced.status, s3Field(replaced.text, "Condition")]).toEqual([412, "If-Match"]);
    expect((await s3({ key: "cond.txt" })).text).toBe("theirs again");
  });

  it("delete only what the condition names", async () => {
    await put("cond-delete.txt", "1");
    const remove = (etag: string) => s3({ method: "DELETE", key: "cond-delete.txt", headers: { "if-match": etag } });
    const other = await remove('"other"');
    expect([other.status, other.code]).toEqual([412, "PreconditionFailed"]);
    expect((await remove(`"${md5("1")}"`)).status).toBe(204);
    const gone = await remove(`"${md5("1")}"`);
    expect([gone.status, gone.code]).toEqual([404, "NoSuchKey"]);
    expect((await remove("*")).status).toBe(404);
  });

  it("reads state with conditions, ranges and part numbers in AWS's combinations", async () => {
    await put("read.txt", "0123456789");
    const etag = `"${md5("0123456789")}"`;
    const get = (query: Record<string, string>, headers: Record<string, string>) =>
      s3({ key: "read.txt", query, unsigned: headers });
    const one = await get({ partNumber: "1" }, {});
    expect([one.status, one.text, one.headers["content-range"], one.headers["x-amz-mp-parts-count"]]).toEqual([
      206,
      "0123456789",
      "bytes 0-9/10",
      undefined,
    ]);
    expect((await get({ partNumber: "2" }, {})).code).toBe("InvalidPartNumber");
    expect((await get({ partNumber: "1" }, { "if-none-match": etag })).status).toBe(304);
    expect((await get({ partNumber: "1" }, { "if-match": '"other"' })).status).toBe(412);
    expect((await get({}, { range: "bytes=2-3", "if-none-match": '"other"' })).text).toBe("23");
    expect((await get({}, { range: "bytes=2-3", "if-match": etag })).status).toBe(206);
    expect((await get({}, { range: "bytes=20-" })).code).toBe("InvalidRange");
    const overridden = await get({ partNumber: "1", "response-content-type": "x/part" }, {});
    expect([overridden.status, overridden.headers["content-type"]]).toEqual([206, "x/part"]);
    await put("empty.txt", "");
    expect((await s3({ key: "empty.txt", query: { partNumber: "1" } })).status).toBe(200);
  });
});
