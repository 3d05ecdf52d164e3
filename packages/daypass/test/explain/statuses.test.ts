import { explain } from "daypass/explain";
import { s3Signer } from "daypass/s3";
import { describe, expect, it } from "vitest";
import { credentials, errorXml, rawUrl } from "./broken-requests.ts";

const clock = () => new Date("2026-11-24T12:05:00Z");
const headers = { "content-type": "image/png" };
const typed = rawUrl({ method: "PUT", headers });

describe("a status without its body", () => {
  it.each([
    [301, "ENDPOINT", /redirect/],
    [307, "ENDPOINT", /redirect/],
    [400, "SERVER", /rejects the request as malformed.*a wrong region/],
    [401, "SERVER", /asks for a login/],
    [404, "NOT_FOUND", /Nothing was found/],
    [405, "METHOD", /does not allow this method/],
    [411, "HEADER", /Content-Length/],
    [412, "SERVER", /condition/],
    [413, "PAYLOAD", /larger/],
    [414, "PROXY", /longer/],
    [416, "HEADER", /Range/],
    [429, "SERVER", /limiting requests/],
    [500, "SERVER", /failed/],
    [503, "SERVER", /limiting requests/],
  ])("%i is told by what it means", async (status, code, sentence) => {
    const { cause } = await explain(rawUrl(), { clock, status });
    expect(cause).toMatchObject({ code, sentence: expect.stringMatching(sentence) });
    expect(cause?.fix).not.toMatch(/^\s|\s$/);
  });

  it("comes behind what the URL shows, and refuses nothing where it is none of a refusal", async () => {
    const late = () => new Date("2026-11-24T13:00:00Z");
    expect((await explain(rawUrl(), { clock: late, status: 404 })).cause?.code).toBe("EXPIRED");
    for (const status of [200, 206, 304, 418]) {
      expect((await explain(rawUrl(), { clock, status })).cause).toBeUndefined();
    }
  });

  it("403 speaks of a signed header that was sent, until a key has shown its value", async () => {
    const options = { clock, status: 403, request: { method: "PUT", headers } };
    expect((await explain(typed, options)).cause).toMatchObject({
      code: "HEADER",
      sentence: expect.stringMatching(/content-type was signed with a different value than was sent/),
    });
    expect((await explain(typed, { ...options, keys: [credentials] })).cause?.code).toBe("SERVER");
  });
});

describe("answers that say all by their code", () => {
  const endpoint = "https://storage.example.com";
  const { url } = s3Signer({ region: "auto", endpoint, credentials, clock }).sign({
    bucket: "b",
    key: "k",
    expiresIn: 9,
  });
  const user = "User: arn:aws:iam::123456789012:user/app is not authorized to perform:";

  it.each([
    ["SlowDown", "Please reduce your request rate.", "SERVER", /limiting requests/, /with increasing delays/],
    ["SlowDownRead", "Resource requested is unreadable", "SERVER", /limiting requests/, /with increasing delays/],
    ["InternalError", "We encountered an internal error. Please try again.", "SERVER", /failed/, /Retry/],
    ["InvalidSecurity", "The provided security credentials are not valid.", "UNKNOWN_KEY", /unknown to it/, /active/],
    ["AccessControlListNotSupported", "The bucket does not allow ACLs", "HEADER", /ACLs disabled/, /x-amz-acl/],
    ["InvalidObjectState", "The operation is not valid", "SERVER", /archived/, /RestoreObject/],
    ["PreconditionFailed", "At least one of the pre-conditions", "SERVER", /condition/, /exists already/],
    ["InvalidRange", "The requested range is not satisfiable", "HEADER", /Range/, /within/],
    ["NoSuchUpload", "The specified upload does not exist.", "NOT_FOUND", /multipart upload/, /uploadId|new upload/],
    ["Unauthorized", "Unauthorized", "UNKNOWN_KEY", /another account than the one in the host/, /R2/],
    ["ExpiredRequest", "Request has expired", "CLOCK", /expired by the server's clock/, /NTP/],
    [
      "AccessDenied",
      `${user} s3:GetObject on resource: "arn:aws:s3:::b/k" because no identity-based policy allows the s3:GetObject action`,
      "PERMISSION",
      /may not s3:GetObject, as no identity-based policy allows it/,
      /Allow it in the identity-based policy/,
    ],
    [
      "AccessDenied",
      `${user} s3:PutObject on resource: "arn:aws:s3:::b/k" with an explicit deny in a resource-based policy`,
      "PERMISSION",
      /may not s3:PutObject, as a resource-based policy denies it/,
      /statement in the resource-based policy/,
    ],
    [
      "AccessDenied",
      `${user} s3:GetObject on resource: "arn:aws:s3:::b/k" because no permissions boundary allows the s3:GetObject action`,
      "PERMISSION",
      /as no permissions boundary allows it/,
      /Allow it in the permissions boundary/,
    ],
    [
      "AccessDenied",
      `${user} kms:Decrypt on resource: arn:aws:kms:eu-west-1:1:key/abc because no identity-based policy allows the kms:Decrypt action`,
      "PERMISSION",
      /may not kms:Decrypt/,
      /encryption key/,
    ],
  ])("%s: %s", async (code, message, cause, sentence, fix) => {
    expect((await explain(url, { clock, errorBody: errorXml(code, message) })).cause).toMatchObject({
      code: cause,
      sentence: expect.stringMatching(sentence),
      fix: expect.stringMatching(fix),
    });
  });

  it("a POST that is no form is no condition of its headers, and has had no signature looked at", async () => {
    const condition = "<Condition>Bucket POST must be of the enclosure-type multipart/form-data</Condition></Error>";
    const errorBody = errorXml("PreconditionFailed", "At least one of the pre-conditions").replace(
      "</Error>",
      condition,
    );
    const cause = (await explain(url, { clock, errorBody })).cause;
    expect(cause?.sentence).toMatch(/^The server reads a POST as a form/);
    expect(`${cause?.sentence}`).not.toMatch(/accepted/);
  });
});
