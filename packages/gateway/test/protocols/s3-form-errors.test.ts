/** The errors of refused forms. */
import { s3FormSigner } from "daypass/s3/form";
import { s3FormV2Signer } from "daypass/s3/form/v2";
import { describe, expect, it } from "vitest";
import { type Reply, type S3Sent, s3Code, s3Field, send, sendS3, useGateway } from "../e2e/clients.ts";

const gateway = useGateway({ files: { "media/hello.txt": "hello", "full/a.txt": "a" } });

const host = (): string => `127.0.0.1:${gateway.port}`;

const presigned = (sent: S3Sent) => sendS3(gateway, sent);
const said = ({ status, body }: Reply) => [status, s3Code(body), s3Field(body, "Message")];
const field = ({ body }: Reply, name: string) => s3Field(body, name);

describe("a form", () => {
  const sign = (fields: Record<string, string> = {}) =>
    s3FormSigner({ region: "us-east-1", endpoint: gateway.url, credentials: gateway.accessKey }).sign({
      bucket: "media",
      key: "form.txt",
      expiresIn: 60,
      fields,
      contentLength: { min: 3, max: 5 },
    });
  const part = (name: string, value: string) =>
    `--b\r\nContent-Disposition: form-data; name="${name}"${name === "file" ? '; filename="f"' : ""}\r\n\r\n${value}\r\n`;
  const post = (
    fields: Readonly<Record<string, string>>,
    { type = "multipart/form-data; boundary=b", files = ["1234"] } = {},
  ): Promise<Reply> => {
    const parts = [...Object.entries(fields), ...files.map((file) => ["file", file] as const)];
    const body = `${parts.map(([name, value]) => part(name, value)).join("")}--b--\r\n`;
    return send(gateway, {
      method: "POST",
      target: "/media/",
      headers: { host: host(), "content-type": type, "content-length": String(Buffer.byteLength(body)) },
      body,
    });
  };

  it("whose signature does not match shows its key and what it signed, in both versions", async () => {
    const v2 = s3FormV2Signer({ region: "us-east-1", endpoint: gateway.url, credentials: gateway.accessKey });
    for (const [{ fields }, signature] of [
      [sign(), "X-Amz-Signature"],
      [v2.sign({ bucket: "media", key: "form.txt", expiresIn: 60 }), "signature"],
    ] as const) {
      const name = Object.keys(fields).find((field) => field.toLowerCase() === signature.toLowerCase()) ?? "";
      const right = fields[name] ?? "";
      const changed = right.replace(/^./, (first) => (first === "a" ? "b" : "a"));
      for (const given of [changed, "no-signature"]) {
        const reply = await post({ ...fields, [name]: given });
        const policy = Object.entries(fields).find(([field]) => field.toLowerCase() === "policy")?.[1] ?? "";
        expect(said(reply).slice(0, 2)).toEqual([403, "SignatureDoesNotMatch"]);
        expect(field(reply, "AWSAccessKeyId")).toBe(gateway.accessKey.accessKeyId);
        expect([field(reply, "StringToSign"), field(reply, "SignatureProvided")]).toEqual([policy, given]);
        expect(field(reply, "StringToSignBytes")).toBe(
          Buffer.from(policy)
            .toString("hex")
            .replace(/..(?!$)/g, "$& "),
        );
        expect(reply.body.toString()).not.toContain(right);
      }
    }
  });

  it("is read whatever other parameters its type has", async () => {
    const { fields } = sign();
    for (const type of [
      "multipart/form-data; charset=utf-8; boundary=b",
      'multipart/form-data; boundary="b"; charset="utf-8"',
      "Multipart/Form-Data;BOUNDARY=b",
    ]) {
      expect([type, (await post(fields, { type })).status]).toEqual([type, 204]);
    }
  });

  it("names the required type to a form of another type or without a boundary", async () => {
    for (const type of [
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "multipart/form-data; boundary=b; boundary=c",
      "text/plain",
    ]) {
      const reply = await post(sign().fields, { type });
      expect([...said(reply).slice(0, 2), field(reply, "Condition")]).toEqual([
        412,
        "PreconditionFailed",
        "Bucket POST must be of the enclosure-type multipart/form-data",
      ]);
    }
  });

  it("with two files is refused, and stores neither", async () => {
    await presigned({ method: "DELETE", key: "form.txt" });
    for (const [fields, files] of [
      [sign().fields, ["1234", "5678"]],
      [{ ...sign().fields, File: "1234" }, ["5678"]],
    ] as const) {
      const reply = await post(fields, { files: [...files] });
      expect(said(reply)).toEqual([400, "InvalidArgument", "POST requires exactly one file upload per request."]);
    }
    expect((await presigned({ key: "form.txt" })).status).toBe(404);
  });

  it("whose file holds the boundary, or has no end, is refused and not cut", async () => {
    await presigned({ method: "DELETE", key: "form.txt" });
    for (const file of ["12\r\n--bb\r\n4", "12\r\n--b\r\n34", "123\r\n--b--4", "123\r\n--b--", "--b", "--b\r\n34"]) {
      const reply = await post(sign().fields, { files: [file] });
      expect([file, ...said(reply).slice(0, 2)]).toEqual([file, 400, "MalformedPOSTRequest"]);
    }
    expect((await presigned({ key: "form.txt" })).status).toBe(404);
    expect((await post(sign().fields)).status).toBe(204);
    const fields = Object.entries(sign().fields).map(([name, value]) => part(name, value));
    const body = `${fields.join("")}${part("file", "1234")}--b\r\n`;
    const headers = { "content-type": "multipart/form-data; boundary=b", "content-length": String(body.length) };
    const open = await send(gateway, {
      method: "POST",
      target: "/media/",
      headers: { host: host(), ...headers },
      body,
    });
    expect(said(open).slice(0, 2)).toEqual([400, "MalformedPOSTRequest"]);
  });

  it("says how long its file is, and how long it may be", async () => {
    for (const [file, code, name, limit] of [
      ["12", "EntityTooSmall", "MinSizeAllowed", "3"],
      ["123456", "EntityTooLarge", "MaxSizeAllowed", "5"],
    ] as const) {
      const reply = await post(sign().fields, { files: [file] });
      expect([s3Code(reply.body), field(reply, "ProposedSize"), field(reply, name)]).toEqual([
        code,
        String(file.length),
        limit,
      ]);
    }
  });

  it("creates only, where its policy says so", async () => {
    await presigned({ method: "DELETE", key: "form.txt" });
    const { fields } = sign({ "If-None-Match": "*" });
    expect((await post(fields, { files: ["one"] })).status).toBe(204);
    const again = await post(fields, { files: ["two"] });
    expect([...said(again).slice(0, 2), field(again, "Condition")]).toEqual([
      412,
      "PreconditionFailed",
      "If-None-Match",
    ]);
    expect((await presigned({ key: "form.txt" })).text).toBe("one");
    for (const condition of [{ "If-None-Match": '"abc"' }, { "If-Match": '"abc"' }]) {
      expect(said(await post(sign(condition).fields)).slice(0, 2)).toEqual([501, "NotImplemented"]);
    }
  });
});
