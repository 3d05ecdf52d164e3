import { describe, expect, it } from "vitest";
import { sendS3, useGateway } from "./clients.ts";

const gateway = useGateway({ files: { "media/a.txt": "a" } });

const acl = (method: "GET" | "PUT", body?: string, key = "a.txt") =>
  sendS3(gateway, { method, key, query: { acl: "" }, ...(body === undefined ? {} : { body }) });

describe("PutObjectAcl", () => {
  it("takes what GetObjectAcl has answered, as clients put it on a copy, and changes nothing", async () => {
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
    ["for everybody", (text) => text.replace(/<Grantee(.*?)<ID>.*?<\/ID>/, "<Grantee$1<URI>http://all</URI>")],
    ["of another right", (text) => text.replace("FULL_CONTROL", "READ")],
    ["of two grants", (text) => text.replace(/(<Grant>.*<\/Grant>)/s, "$1$1")],
    ["of none", (text) => text.replace(/<Grant>.*<\/Grant>/s, "")],
    ["that is empty", () => ""],
  ])("refuses a list %s", async (_, change) => {
    const { text } = await acl("GET");
    const other = change(text);
    expect(other).not.toBe(text);
    expect(await acl("PUT", other)).toMatchObject({ status: 400, code: "AccessControlListNotSupported" });
  });
});
