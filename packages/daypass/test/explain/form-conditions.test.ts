import { type ExplainFormOptions, explainForm, type FormToExplain } from "daypass/explain";
import { s3FormSigner } from "daypass/s3/form";
import { describe, expect, it } from "vitest";
import { rawForm } from "./raw-forms.ts";
import { answer, credentials } from "./raw-requests.ts";
import { at, clock, denied, form, keys, list, request, sent, temporary, withToken } from "./signed-forms.ts";

type Refusal = readonly [expected: RegExp, form: FormToExplain, options?: ExplainFormOptions];

const REFUSALS: readonly Refusal[] = [
  // Conditions.
  [/^FIELD: .*requires the field acl, but the form does not send it/, form, { keys, ...sent({ acl: undefined }) }],
  [
    /^FIELD: .*x-amz-meta-user is sent, but the policy has no condition for it/,
    form,
    { keys, ...sent({ "x-amz-meta-user": "7" }) },
  ],
  [
    /^FIELD: .*submit is sent, but the policy has no condition/,
    form,
    { errorBody: denied("Extra input fields: submit") },
  ],
  [
    /^FIELD: .*no condition on the bucket/,
    rawForm({ conditions: [{ key: "up/a.png" }] }),
    { errorBody: denied("Extra input fields: bucket") },
  ],
  [
    /^FIELD: .*no condition on the bucket/,
    rawForm({
      conditions: [
        { key: "up/a.png" },
        { "x-amz-algorithm": "AWS4-HMAC-SHA256" },
        { "x-amz-credential": "AKIDEXAMPLE/20261124/eu-west-1/s3/aws4_request" },
        { "x-amz-date": "20261124T120000Z" },
      ],
    }),
    { keys },
  ],
  [
    /^BUCKET: .*signed for the bucket media, but is posted to other/,
    form,
    { keys, sent: { url: "https://other.s3.eu-west-1.amazonaws.com/" } },
  ],
  [
    /^BUCKET: .*signed for the bucket media, but is posted to no bucket/,
    form,
    { sent: { url: "https://s3.eu-west-1.amazonaws.com/" } },
  ],
  [
    /^BUCKET: .*bucket media, but is posted to other/,
    s3FormSigner({ region: "eu-west-1", endpoint: "https://minio.example", credentials, ...at }).sign(request),
    {
      sent: { url: "https://minio.example/other/" },
      errorBody: denied('Policy Condition failed: ["eq", "$bucket", "media"]'),
    },
  ],
  [
    /^FIELD: .*Content-Type is sent as "image\/jpeg", but the policy allows only "image\/png"/,
    form,
    { keys, ...sent({ "Content-Type": "image/jpeg" }) },
  ],
  [
    /^FIELD: .*"image\/png; charset=utf-8"/,
    form,
    {
      ...sent({ "Content-Type": "image/png; charset=utf-8" }),
      errorBody: denied('Policy Condition failed: ["eq", "$Content-Type", "image/png"]'),
    },
  ],
  [
    /^FIELD: .*acl is sent as "public-read", but the policy allows only "private"/,
    form,
    { ...sent({ acl: "public-read" }), errorBody: denied("Policy Condition failed: [eq, $acl, private]") },
  ],
  [
    /^FIELD: .*the form was changed before it arrived/,
    form,
    { errorBody: denied('Policy Condition failed: ["eq", "$acl", "private"]') },
  ],
  [
    /^FIELD: .*key is sent as "private\/a\.png", but the policy allows what starts with "up\/"/,
    form,
    { keys, ...sent({ key: "private/a.png" }) },
  ],
  [
    /^FIELD: .*session token was added after signing/,
    form,
    { keys, ...sent({ "x-amz-security-token": "FwoGZXIvYXdzE" }) },
  ],
  [
    /^FIELD: .*requires the field x-amz-security-token/,
    withToken,
    { keys: [temporary], ...sent({ "X-Amz-Security-Token": undefined }, withToken) },
  ],
  // The file.
  [/^FILE: .*comes after the file/, { url: form.url, fields: [["file", ""], ...list] }],
  [
    /^FILE: .*The field acl comes after the file/,
    form,
    {
      keys,
      sent: { fields: [...list.filter(([name]) => name !== "acl"), ["file", ""], ["acl", "private"]] },
    },
  ],
  [
    /^FILE: .*key did not reach the server before the file/,
    form,
    answer(
      "InvalidArgument",
      "Bucket POST must contain a field named 'key'. If it is specified, please check the order of the fields.",
      { ArgumentName: "key" },
    ),
  ],
  [
    /^FILE: .*no file, or more than one/,
    form,
    answer("IncorrectNumberOfFilesInPostRequest", "POST requires exactly one file upload per request."),
  ],
  [
    /^FILE: .*no file, or more than one/,
    form,
    answer("InvalidArgument", "POST requires exactly one file upload per request.", {
      ArgumentName: "file",
    }),
  ],
  [
    /^SERVER: .*SomethingNew: Please come back later; nothing wrong with the form/,
    form,
    answer("SomethingNew", "Please come back later."),
  ],
  [
    /^FILE: .*too large: the policy takes at most 1000 bytes\. It has 1001/,
    form,
    answer("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {
      ProposedSize: "1001",
      MaxSizeAllowed: "1000",
    }),
  ],
  [
    /^FILE: .*too small: the policy takes at least 10 bytes\. It has 3/,
    form,
    answer("EntityTooSmall", "…", { ProposedSize: "3", MinSizeAllowed: "10" }),
  ],
  [/^FILE: .*too large.*at most 1000 bytes/, form, { keys, sent: { fileSize: 5000 } }],
  [
    /^MALFORMED: .*not a multipart form/,
    form,
    answer("PreconditionFailed", "Bucket POST must be of the enclosure-type multipart/form-data"),
  ],
  [
    /^MALFORMED: .*not a multipart form/,
    form,
    answer("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
      Condition: "Bucket POST must be of the enclosure-type multipart/form-data",
    }),
  ],
  [
    /^ENDPOINT: .*not posted to a bucket/,
    form,
    answer("MethodNotAllowed", "The specified method is not allowed against this resource."),
  ],
  // The time.
  [/^EXPIRED: .*valid until 2026-11-24T12:10:00\.000Z/, form, { keys, clock: () => new Date("2026-11-24T12:10:00Z") }],
  [
    /^EXPIRED: .*valid until 2026-11-24T12:10:00\.000Z/,
    form,
    { clock: () => new Date("2026-11-24T12:11:00Z"), errorBody: denied("Policy expired.") },
  ],
  [/^CLOCK: .*by the server's clock, but not by this one/, form, { errorBody: denied("Policy expired.") }],
  [/^NOT_YET_VALID: .*dated in the future/, form, { keys, clock: () => new Date("2026-11-24T11:30:00Z") }],
];

describe("explainForm with a form that does not meet its policy", () => {
  it.each(REFUSALS.map((refusal) => [refusal[0], refusal] as const))(
    "returns %s",
    async (expected, [, given, options]) => {
      const { cause } = await explainForm(given, { clock, ...options });
      expect(`${cause?.code}: ${cause?.sentence}`).toMatch(expected);
      expect(cause?.fix).not.toBe("");
    },
  );
});
