import { explain } from "daypass/explain";
import { s3Signer } from "daypass/s3";
import { describe, expect, it } from "vitest";
import { credentials } from "./raw-requests.ts";

const clock = () => new Date("2026-11-24T12:00:00Z");
const s3 = s3Signer({ region: "eu-west-1", credentials, clock });
const typed = { method: "PUT", bucket: "media", key: "a.txt", expiresIn: 900, bind: { contentType: "text/plain" } };
const put = s3.sign(typed).url;
const { host, pathname, search } = new URL(put);
const wire = {
  method: "PUT",
  target: pathname + search,
  authority: host,
  headers: [["Content-Type", "text/plain"]],
} as const;
const causeOf = async (request: object) => (await explain(put, { clock, keys: [credentials], request })).cause?.code;

describe("the request option of explain", () => {
  it("accepts a Request of fetch", async () => {
    const headers = { "content-type": "text/plain" };
    expect(await causeOf(new Request(put, { method: "PUT", headers }))).toBeUndefined();
    expect(await causeOf(new Request(put, { method: "POST", headers }))).toBe("METHOD");
    expect(await causeOf(new Request(put.replace("/a.txt", "/b.txt"), { method: "PUT", headers }))).toBe("PATH");
  });

  it("accepts Headers of fetch, and a list of pairs", async () => {
    for (const headers of [new Headers({ "content-type": "text/plain" }), [["Content-Type", "text/plain"]]]) {
      expect(await causeOf({ method: "PUT", headers })).toBeUndefined();
    }
    for (const headers of [new Headers({ "content-type": "text/html" }), [["content-type", "text/html"]]]) {
      expect(await causeOf({ method: "PUT", headers })).toBe("HEADER");
    }
  });

  it("accepts an iterator of headers, which works once", async () => {
    const headers = () => new Headers({ "content-type": "text/plain" }).entries();
    expect(await causeOf({ method: "PUT", headers: headers() })).toBeUndefined();
    const url = put.replace("/a.txt", "/b.txt");
    const { cause } = await explain(put, {
      ...{ clock, keys: [credentials] },
      request: { method: "PUT", url, headers: headers() },
    });
    expect(cause?.code).toBe("PATH");
  });

  it("accepts a request of the wire", async () => {
    expect(await causeOf(wire)).toBeUndefined();
    expect(await causeOf({ ...wire, method: "POST" })).toBe("METHOD");
    expect(await causeOf({ ...wire, authority: "minio:9000" })).toBe("HOST");
    expect(await causeOf({ ...wire, target: wire.target.replace("/a.txt", "/b.txt") })).toBe("PATH");
  });

  it("joins repeated headers like S3", async () => {
    const { url } = s3.sign({ ...typed, headers: { "x-amz-meta-tags": "a,b" } });
    const headers = [...wire.headers, ["X-Amz-Meta-Tags", "a"], ["x-amz-meta-tags", "b"]] as [string, string][];
    const { cause } = await explain(url, { clock, keys: [credentials], request: { method: "PUT", headers } });
    expect(cause).toBeUndefined();
  });

  it.each([[["content-type"]], [[["content-type"]]], [[["content-type", 1]]]])(
    "rejects the list of headers %j",
    async (headers) => {
      await expect(causeOf({ headers })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    },
  );
});
