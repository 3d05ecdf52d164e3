import { createHmac } from "node:crypto";
import { s3V4aSigner } from "daypass/s3/v4a";
import { describe, expect, it } from "vitest";
import { type Reply, s3Code, s3Field, send, useGateway } from "./clients.ts";

const gateway = useGateway({ files: { "media/hello.txt": "hello" } });

/** SigV2 in the header by Amazon's documentation, without the library. */
async function version2(
  method: string,
  target: string,
  {
    body,
    secret = gateway.accessKey.secretAccessKey,
    date = new Date(),
    resource = target.replace(/\?(?!acl|uploads|tagging).*/, ""),
  }: { body?: string; secret?: string; date?: Date; resource?: string } = {},
): Promise<Reply> {
  const when = date.toUTCString().replace("GMT", "+0000");
  const type = body === undefined ? "" : "text/plain";
  const stringToSign = `${method}\n\n${type}\n${when}\n${resource}`;
  const signature = createHmac("sha1", secret).update(stringToSign).digest("base64");
  return send(gateway, {
    method,
    target,
    body,
    headers: {
      host: `127.0.0.1:${gateway.port}`,
      date: when,
      authorization: `AWS ${gateway.accessKey.accessKeyId}:${signature}`,
      ...(body === undefined ? {} : { "content-type": type, "content-length": String(Buffer.byteLength(body)) }),
    },
  });
}

describe("SigV2 in the Authorization header", () => {
  it("puts, reads and deletes", async () => {
    expect((await version2("PUT", "/media/old.txt", { body: "from the past" })).status).toBe(200);
    expect((await version2("GET", "/media/old.txt")).body.toString()).toBe("from the past");
    expect((await version2("DELETE", "/media/old.txt")).status).toBe(204);
    expect((await version2("GET", "/media/old.txt")).status).toBe(404);
  });

  it("is refused with a wrong secret, and shows the caller its own string to sign", async () => {
    const reply = await version2("GET", "/media/hello.txt", { secret: "another" });
    expect([reply.status, s3Code(reply.body)]).toEqual([403, "SignatureDoesNotMatch"]);
    expect(s3Field(reply.body, "StringToSign")).toMatch(/^GET\n\n\n.*\n\/media\/hello\.txt$/);
  });

  it("is refused a quarter of an hour after its date", async () => {
    const reply = await version2("GET", "/media/hello.txt", { date: new Date(Date.now() - 16 * 60_000) });
    expect([reply.status, s3Code(reply.body)]).toEqual([403, "RequestTimeTooSkewed"]);
  });
});

describe("SigV2 in the query of an upload", () => {
  const sign = (copy: string): string => {
    const expires = Math.floor(Date.now() / 1000) + 60;
    const { accessKeyId, secretAccessKey } = gateway.accessKey;
    const text = `PUT\n\ntext/plain\n${expires}\n/media/typed.txt`;
    const signature = createHmac("sha1", secretAccessKey).update(text).digest("base64");
    return `/media/typed.txt?AWSAccessKeyId=${accessKeyId}&Expires=${expires}&Signature=${encodeURIComponent(signature)}${copy}`;
  };
  const put = (target: string, type: string) =>
    send(gateway, {
      ...{ method: "PUT", target, body: "x" },
      headers: { host: `127.0.0.1:${gateway.port}`, "content-type": type, "content-length": "1" },
    });

  // boto3 and the AWS SDK 2 for JavaScript copy the signed header into the query.
  it.each(["", "&content-type=text%2Fplain", "&Content-Type=text%2Fplain"])(
    "is refused with another Content-Type as a mismatch that shows the string to sign, with the copy %j",
    async (copy) => {
      const reply = await put(sign(copy), "image/png");
      expect([reply.status, s3Code(reply.body)]).toEqual([403, "SignatureDoesNotMatch"]);
      expect(s3Field(reply.body, "StringToSign")).toMatch(/^PUT\n\nimage\/png\n\d+\n\/media\/typed\.txt$/);
      expect((await put(sign(copy), "text/plain")).status).toBe(200);
    },
  );

  it("is refused with a copy of the header that the holder changed", async () => {
    const reply = await put(sign("&content-type=image%2Fpng"), "text/plain");
    expect([reply.status, s3Code(reply.body)]).toEqual([403, "SignatureDoesNotMatch"]);
  });

  it("is refused with any other unsigned parameter as AccessDenied", async () => {
    const reply = await put(sign("&a=b"), "text/plain");
    expect([reply.status, s3Code(reply.body)]).toEqual([403, "AccessDenied"]);
  });
});

/** SigV2 in the query, likewise. */
function version2Query(resource: string, target: string, secret = gateway.accessKey.secretAccessKey): Promise<Reply> {
  const expires = Math.floor(Date.now() / 1000) + 60;
  const signature = createHmac("sha1", secret).update(`GET\n\n\n${expires}\n${resource}`).digest("base64");
  const query = `AWSAccessKeyId=${gateway.accessKey.accessKeyId}&Expires=${expires}&Signature=${encodeURIComponent(signature)}`;
  return send(gateway, {
    target: `${target}${target.includes("?") ? "&" : "?"}${query}`,
    headers: { host: `127.0.0.1:${gateway.port}` },
  });
}

describe("an upload by a SigV2 URL of the AWS SDK 2 for JavaScript, which signs so in us-east-1 unless told otherwise", () => {
  // As getSignedUrl("putObject", …) makes it: the query contains what is to be sent as a header, too.
  const upload = (repeated: Record<string, string>, headers: Record<string, string>): Promise<Reply> => {
    const { accessKeyId, secretAccessKey } = gateway.accessKey;
    const expires = Math.floor(Date.now() / 1000) + 60;
    const type = repeated["Content-Type"] ?? "";
    const stringToSign = `PUT\n\n${type}\n${expires}\n/media/sdk-2.txt`;
    const signature = createHmac("sha1", secretAccessKey).update(stringToSign).digest("base64");
    const auth = { AWSAccessKeyId: accessKeyId, Expires: String(expires), Signature: signature };
    return send(gateway, {
      method: "PUT",
      target: `/media/sdk-2.txt?${new URLSearchParams({ ...repeated, ...auth })}`,
      headers: { host: `127.0.0.1:${gateway.port}`, "content-length": "5", ...headers },
      body: "hello",
    });
  };

  it("is taken where the headers are sent, and the headers count", async () => {
    const repeated = { "Cache-Control": "no-cache", "Content-Disposition": "inline", "Content-Language": "en" };
    const sent = { "content-type": "text/plain", "cache-control": "max-age=60" };
    expect((await upload({ ...repeated, "Content-Type": "text/plain" }, sent)).status).toBe(200);
    const { headers } = await version2("GET", "/media/sdk-2.txt");
    expect([headers["content-type"], headers["cache-control"], headers["content-language"]]).toEqual([
      "text/plain",
      "max-age=60",
      undefined,
    ]);
  });

  it("is refused with another type than was signed, or none", async () => {
    const repeated = { "Content-Type": "text/plain" };
    expect((await upload(repeated, { "content-type": "text/html" })).status).toBe(403);
    expect((await upload(repeated, {})).status).toBe(403);
  });
});

describe("SigV2 for a bucket", () => {
  const spellings = ["/media", "/media/"].flatMap((path) => ["/media", "/media/"].map((signed) => [path, signed]));

  it.each(spellings)("is good at %s for what was signed as %s", async (path, signed) => {
    for (const query of ["", "?uploads"]) {
      const resource = `${signed}${query}`;
      const header = await version2("GET", `${path}${query}`, { resource });
      expect([header.status, header.body.toString()]).toEqual([200, expect.stringContaining("Result")]);
      expect((await version2Query(resource, `${path}${query}`)).status).toBe(200);
    }
  });

  it.each(spellings)(
    "is refused at %s as %s with a wrong secret, for another bucket and another call",
    async (path, signed) => {
      for (const reply of [
        await version2("GET", path, { resource: signed, secret: "another" }),
        await version2Query(signed, path, "another"),
        await version2("GET", path, { resource: signed.replace("media", "medi") }),
        await version2Query(signed.replace("media", "medi"), path),
        await version2("GET", `${path}?uploads`, { resource: signed }),
        await version2Query(`${signed}?uploads`, path),
      ]) {
        expect([reply.status, s3Code(reply.body)]).toEqual([403, "SignatureDoesNotMatch"]);
      }
    },
  );

  it("keeps the slash at the end of a key", async () => {
    for (const [target, resource] of [
      ["/media/hello.txt", "/media/hello.txt/"],
      ["/media/hello.txt/", "/media/hello.txt"],
      ["/media//", "/media/"],
    ] as const) {
      expect((await version2("GET", target, { resource })).status).toBe(403);
      expect((await version2Query(resource, target)).status).toBe(403);
    }
  });
});

describe("SigV4A in the query", () => {
  const signed = async (regionSet: readonly string[], method = "GET") =>
    (
      await s3V4aSigner({ endpoint: gateway.url, regionSet, credentials: gateway.accessKey }).sign({
        bucket: "media",
        key: "hello.txt",
        method,
        expiresIn: 60,
      })
    ).url;

  it("is served where its regions hold this one", async () => {
    for (const regions of [["*"], ["us-east-1"], ["eu-west-1", "us-*"]]) {
      const reply = await fetch(await signed(regions));
      expect([reply.status, await reply.text()]).toEqual([200, "hello"]);
    }
  });

  it("is refused for other regions, another method and a changed signature", async () => {
    const elsewhere = await fetch(await signed(["eu-west-1"]));
    expect([elsewhere.status, s3Code(await elsewhere.text())]).toEqual([400, "AuthorizationQueryParametersError"]);
    const put = await fetch(await signed(["*"], "PUT"));
    const text = await put.text();
    expect([put.status, s3Code(text)]).toEqual([403, "SignatureDoesNotMatch"]);
    expect(s3Field(text, "StringToSign")).toMatch(/^AWS4-ECDSA-P256-SHA256\n/);
    const url = await signed(["*"]);
    const changed = await fetch(url.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")));
    expect([changed.status, s3Code(await changed.text())]).toEqual([403, "SignatureDoesNotMatch"]);
  });
});
