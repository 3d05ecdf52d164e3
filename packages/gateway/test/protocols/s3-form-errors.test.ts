/** The errors of refused forms. */
import { createHmac } from "node:crypto";
import { s3FormSigner } from "daypass/s3/form";
import { s3FormV2Signer } from "daypass/s3/form/v2";
import { describe, expect, it } from "vitest";
import { errorOf, type Reply, type S3Sent, send, sendS3, useGateway } from "../e2e/clients.ts";

const gateway = useGateway({ files: { "media/hello.txt": "hello" } });

const presigned = (sent: S3Sent) => sendS3(gateway, sent);
const TYPE = "multipart/form-data; boundary=b";

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
    { type = TYPE, files = ["1234"], end = "--b--\r\n" } = {},
  ): Promise<Reply> => {
    const parts = [...Object.entries(fields), ...files.map((file) => ["file", file] as const)];
    const body = `${parts.map(([name, value]) => part(name, value)).join("")}${end}`;
    const length = String(Buffer.byteLength(body));
    const headers = { host: `127.0.0.1:${gateway.port}`, "content-type": type, "content-length": length };
    return send(gateway, { method: "POST", target: "/media/", headers, body });
  };

  it("shows its key and its signed policy if the signature does not match, in both versions", async () => {
    const v2 = s3FormV2Signer({ region: "us-east-1", endpoint: gateway.url, credentials: gateway.accessKey });
    for (const [{ fields }, signature] of [
      [sign(), "x-amz-signature"],
      [v2.sign({ bucket: "media", key: "form.txt", expiresIn: 60 }), "signature"],
    ] as const) {
      const fieldOf = (wanted: string) =>
        Object.entries(fields).find(([name]) => name.toLowerCase() === wanted) ?? ["", ""];
      const [name, right] = fieldOf(signature);
      const [, policy] = fieldOf("policy");
      for (const given of [right.replace(/^./, (first) => (first === "a" ? "b" : "a")), "no-signature"]) {
        const reply = await post({ ...fields, [name]: given });
        expect(errorOf(reply)).toMatchObject({
          status: 403,
          Code: "SignatureDoesNotMatch",
          AWSAccessKeyId: gateway.accessKey.accessKeyId,
          StringToSign: policy,
          SignatureProvided: given,
          StringToSignBytes: [...Buffer.from(policy)].map((byte) => byte.toString(16)).join(" "),
        });
        expect(reply.body.toString()).not.toContain(right);
      }
    }
  });

  it.each([
    "multipart/form-data; charset=utf-8; boundary=b",
    'multipart/form-data; boundary="b"; charset="utf-8"',
    "Multipart/Form-Data;BOUNDARY=b",
  ])("is read with the type %s", async (type) => {
    expect((await post(sign().fields, { type })).status).toBe(204);
  });

  it.each(["multipart/form-data", "multipart/form-data; boundary=b; boundary=c"])(
    "is refused with the type %s, because it names no boundary",
    async (type) => {
      const expected = { status: 400, Code: "MalformedPOSTRequest" };
      expect(errorOf(await post(sign().fields, { type }))).toMatchObject(expected);
    },
  );

  it.each(["application/x-www-form-urlencoded", "text/plain"])(
    "is refused with the type %s, and names the required type",
    async (type) => {
      const Condition = "Bucket POST must be of the enclosure-type multipart/form-data";
      const expected = { status: 412, Code: "PreconditionFailed", Condition };
      expect(errorOf(await post(sign().fields, { type }))).toMatchObject(expected);
    },
  );

  it("is refused with two files, and stores neither", async () => {
    await presigned({ method: "DELETE", key: "form.txt" });
    const Message = "POST requires exactly one file upload per request.";
    for (const reply of [
      await post(sign().fields, { files: ["1234", "5678"] }),
      await post({ ...sign().fields, File: "1234" }, { files: ["5678"] }),
    ]) {
      expect(errorOf(reply)).toMatchObject({ status: 400, Code: "InvalidArgument", Message });
    }
    expect((await presigned({ key: "form.txt" })).status).toBe(404);
  });

  it("is refused, not cut, if its file contains the boundary or does not end", async () => {
    await presigned({ method: "DELETE", key: "form.txt" });
    const malformed = { status: 400, Code: "MalformedPOSTRequest" };
    for (const file of ["12\r\n--bb\r\n4", "12\r\n--b\r\n34", "--b", "--b\r\n34"]) {
      expect(errorOf(await post(sign().fields, { files: [file] }))).toMatchObject(malformed);
    }
    expect(errorOf(await post(sign().fields, { end: "--b\r\n" }))).toMatchObject(malformed);
    expect((await presigned({ key: "form.txt" })).status).toBe(404);
    expect((await post(sign().fields)).status).toBe(204);
  });

  it("ends at its closing boundary, as RFC 2046 says", async () => {
    expect((await post(sign().fields, { files: ["123\r\n--b--4"] })).status).toBe(204);
    expect((await presigned({ key: "form.txt" })).text).toBe("123");
  });

  // versitygw recorded these answers of Amazon.
  const E = '"expiration":"2126-01-02T03:04:05Z"';
  it.each([
    ["no JSON", "x", "Invalid JSON."],
    ["no expiration", '{"conditions":[]}', "Policy missing expiration."],
    ["no conditions", `{${E}}`, "Policy missing conditions."],
    ["an expiration that is none", '{"expiration":"soon","conditions":[]}', "Invalid 'expiration' value: 'soon'"],
    ["conditions that are no list", `{${E},"conditions":{}}`, "Invalid 'conditions' value: must be a List."],
    ["another member", `{${E},"conditions":[],"version":1}`, 'Unexpected: "version"'],
    ["a text as a condition", `{${E},"conditions":["a"]}`, "Invalid condition test: must be a List or Object."],
    ["an empty condition", `{${E},"conditions":[[]]}`, "Invalid Condition: missing operation identifier."],
    ["an unknown operation", `{${E},"conditions":[["is","$a","b"]]}`, "Invalid Condition: unknown operation 'is'."],
    ["too few arguments", `{${E},"conditions":[["eq","$a"]]}`, "Invalid eq: wrong number of arguments."],
    [
      "two properties in one condition",
      `{${E},"conditions":[{"a":"b","c":"d"}]}`,
      "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
    ],
    ["a number as a value", `{${E},"conditions":[{"a":1}]}`, "Invalid Simple-Condition: value must be a string."],
  ])("is refused in Amazon's words for a policy with %s", async (_, document, message) => {
    const policy = Buffer.from(document).toString("base64");
    const fields = resigned({ ...lower(), policy });
    const expected = { status: 400, Code: "InvalidPolicyDocument", Message: `Invalid Policy: ${message}` };
    expect(errorOf(await post(fields))).toMatchObject(expected);
  });

  const lower = (): Record<string, string> =>
    Object.fromEntries(Object.entries(sign().fields).map(([name, value]) => [name.toLowerCase(), value]));
  const resigned = (fields: Record<string, string>): Record<string, string> => {
    const [, day = "", region = ""] = (fields["x-amz-credential"] ?? "").split("/");
    const mac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
    const steps = [day, region, "s3", "aws4_request"];
    const key = steps.reduce<string | Buffer>(mac, `AWS4${gateway.accessKey.secretAccessKey}`);
    return { ...fields, "x-amz-signature": mac(key, fields["policy"] ?? "").toString("hex") };
  };

  it("is refused for a condition without a dollar, as a condition that failed", async () => {
    const conditions = [["eq", "key", "form.txt"], { bucket: "media" }];
    const document = JSON.stringify({ expiration: "2126-01-02T03:04:05Z", conditions });
    const fields = resigned({ ...lower(), policy: Buffer.from(document).toString("base64") });
    const Message = 'Invalid according to Policy: Policy Condition failed: ["eq", "key", "form.txt"]';
    expect(errorOf(await post(fields))).toMatchObject({ status: 403, Code: "AccessDenied", Message });
  });

  it.each(["policy", "key", "x-amz-date"])("is refused without the field %s, by its name", async (missing) => {
    const fields = Object.fromEntries(Object.entries(lower()).filter(([name]) => name.toLowerCase() !== missing));
    const ArgumentName = missing === "x-amz-date" ? "X-Amz-Date" : missing;
    const Message = `Bucket POST must contain a field named '${ArgumentName}'.  If it is specified, please check the order of the fields.`;
    const expected = { status: 400, Code: "InvalidArgument", Message, ArgumentName, ArgumentValue: "" };
    expect(errorOf(await post(fields))).toMatchObject(expected);
  });

  it("is refused for another region, with the credential and the region to sign for", async () => {
    const fields = lower();
    const credential = (fields["x-amz-credential"] ?? "").replace("us-east-1", "eu-west-1");
    expect(errorOf(await post({ ...fields, "x-amz-credential": credential }))).toMatchObject({
      status: 400,
      Code: "InvalidArgument",
      Message: "the region 'eu-west-1' is wrong; expecting 'us-east-1'",
      ArgumentName: "X-Amz-Credential",
      ArgumentValue: credential,
      Region: "us-east-1",
    });
  });

  it.each([
    ["12", { Code: "EntityTooSmall", ProposedSize: "2", MinSizeAllowed: "3" }],
    ["123456", { Code: "EntityTooLarge", ProposedSize: "6", MaxSizeAllowed: "5" }],
  ])("reports the size and the limit of the file %s", async (file, expected) => {
    expect(errorOf(await post(sign().fields, { files: [file] }))).toMatchObject(expected);
  });

  it("creates only, if its policy demands it", async () => {
    await presigned({ method: "DELETE", key: "form.txt" });
    const { fields } = sign({ "If-None-Match": "*" });
    expect((await post(fields, { files: ["one"] })).status).toBe(204);
    const exists = { status: 412, Code: "PreconditionFailed", Condition: "If-None-Match" };
    expect(errorOf(await post(fields, { files: ["two"] }))).toMatchObject(exists);
    expect((await presigned({ key: "form.txt" })).text).toBe("one");
    for (const condition of [{ "If-None-Match": '"abc"' }, { "If-Match": '"abc"' }]) {
      expect(errorOf(await post(sign(condition).fields))).toMatchObject({ status: 501, Code: "NotImplemented" });
    }
  });
});
