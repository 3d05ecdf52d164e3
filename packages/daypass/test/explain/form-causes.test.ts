import { createHmac } from "node:crypto";
import { type ExplainFormOptions, explainForm, type FormToExplain } from "daypass/explain";
import { gcsHmacFormSigner } from "daypass/gcs/form";
import { s3FormSigner, s3FormVerifier } from "daypass/s3/form";
import { describe, expect, it } from "vitest";
import { rawForm, withFields } from "./raw-forms.ts";
import { answer, credentials } from "./raw-requests.ts";
import {
  account,
  at,
  clock,
  denied,
  form,
  gcs,
  hmacKey,
  inLines,
  keys,
  list,
  mismatch,
  object,
  policy,
  policyOf,
  python,
  recoded,
  request,
  rest,
  rsa,
  sent,
  temporary,
  v2,
  v2WithPlus,
  withToken,
} from "./signed-forms.ts";

type Refusal = readonly [expected: RegExp, form: FormToExplain, options?: ExplainFormOptions];

const REFUSALS: readonly Refusal[] = [
  // Faults of the signer, which the key proves.
  [
    /^WRONG_SECRET: .*a different secret than the one given for AKIDEXAMPLE/,
    rawForm({ secret: "another secret altogether" }),
    { keys },
  ],
  [
    /^WRONG_SECRET: The form was signed with this key's secret damaged: a line feed/,
    rawForm({ secret: `${credentials.secretAccessKey}\n` }),
    { keys },
  ],
  [
    /^REGION: .*made for the region "us-east-1", and the form says eu-west-1/,
    rawForm({ keyRegion: "us-east-1" }),
    { keys },
  ],
  [/^SERVICE: .*service execute-api, and the form says s3/, rawForm({ keyService: "execute-api" }), { keys }],
  [/^DATE: .*made for 20261125, and the form says 20261124: a local date/, rawForm({ keyDate: "20261125" }), { keys }],
  [/^SIGNATURE: .*the secret itself/, rawForm({ underived: true }), { keys }],
  [
    /^POLICY: .*The policy's JSON was signed/,
    rawForm({ signs: (text) => Buffer.from(text, "base64").toString() }),
    { keys },
  ],
  [
    /^POLICY: .*base64 of the policy was signed with line breaks/,
    rawForm({ signs: (text) => `${inLines(text, 60)}\n` }),
    { keys },
  ],
  [
    /^POLICY: .*base64 of the policy was signed/,
    rawForm({
      fields: { key: "up/~~~???.png" },
      signs: (text) => text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, ""),
      write: (document) => `${JSON.stringify(document)} `,
    }),
    { keys },
  ],
  [
    /^POLICY: .*rewritten after signing/,
    {
      ...rawForm(),
      fields: withFields(rawForm().fields, {
        policy: Buffer.from(python(JSON.parse(Buffer.from(policyOf(rawForm().fields), "base64").toString()))).toString(
          "base64",
        ),
      }),
    },
    { keys },
  ],
  [
    /^POLICY: .*condition \{"x-amz-meta-user":"7"\} was added to the policy after signing/,
    {
      ...form,
      fields: withFields(form.fields, {
        Policy: recoded(({ conditions, ...others }) => ({
          conditions: [...conditions, { "x-amz-meta-user": "7" }],
          ...others,
        })),
        "x-amz-meta-user": "7",
      }),
    },
    { keys },
  ],
  [
    /^EXPIRES_CHANGED: .*from 2026-11-24T12:10:00Z to 2026-11-25T12:00:00Z/,
    {
      ...form,
      fields: withFields(form.fields, {
        Policy: recoded((document) => ({ ...document, expiration: "2026-11-25T12:00:00Z" })),
      }),
    },
    { keys },
  ],
  [
    /^SIGNATURE: .*upper-case/,
    {
      ...form,
      fields: withFields(form.fields, { "X-Amz-Signature": form.fields["X-Amz-Signature"]?.toUpperCase() ?? "" }),
    },
    { keys },
  ],
  [
    /^SIGNATURE: .*in base64 instead of hexadecimal/,
    {
      ...form,
      fields: withFields(form.fields, {
        "X-Amz-Signature": Buffer.from(form.fields["X-Amz-Signature"] ?? "", "hex").toString("base64"),
      }),
    },
    { keys },
  ],
  [
    /^UNKNOWN_KEY: .*names the key AKIDEXAMPLE and was signed with the secret of AKIDOTHER/,
    rawForm({ secret: "the other one's secret" }),
    { keys: [{ accessKeyId: "AKIDOTHER", secretAccessKey: "the other one's secret" }] },
  ],
  [
    /^UNKNOWN_KEY: .*signed by AKIDEXAMPLE, and the given keys are AKIDOTHER/,
    form,
    { keys: [{ accessKeyId: "AKIDOTHER", secretAccessKey: "x" }] },
  ],
  // Changes in transit.
  [
    /^POLICY: .*The field policy was changed in transit/,
    form,
    { keys, ...sent({ Policy: recoded((document) => ({ ...document, conditions: [{ bucket: "media" }] })) }) },
  ],
  [/^POLICY: .*cannot be read: expected policy as base64/, form, sent({ Policy: inLines(policy) })],
  [
    /^POLICY: .*spaces or line breaks were added or lost/,
    form,
    { errorBody: mismatch({ StringToSign: inLines(policy) }) },
  ],
  [
    /^WRONG_SECRET: .*right for this policy and the given secret: the server holds another secret/,
    form,
    { keys, errorBody: mismatch({ StringToSign: policy }) },
  ],
  [/^WRONG_SECRET: .*the secret is wrong, or the policy was changed/, form, { errorBody: mismatch() }],
  [
    /^FIELD: .*The field x-amz-date is "20261124T120001Z", but the signed policy says "20261124T120000Z"/,
    form,
    { keys, ...sent({ "X-Amz-Date": "20261124T120001Z" }) },
  ],
  [
    /^FIELD: .*x-amz-credential was changed in transit/,
    form,
    sent({ "X-Amz-Credential": "AKIDNEW/20261124/eu-west-1/s3/aws4_request" }),
  ],
  [/^MALFORMED: .*AWS4-HMAC-SHA256/, form, sent({ "X-Amz-Algorithm": "AWS4-HMAC-SHA512" })],
  [
    /^MALFORMED: .*(?:x-amz-credential|x-amz-date)/,
    { ...form, fields: withFields(form.fields, { "X-Amz-Date": "20261125T000000Z" }) },
  ],
  [
    /^AMBIGUOUS_AUTHENTICATION: .*several versions/,
    { ...form, fields: { ...form.fields, AWSAccessKeyId: "AKIDEXAMPLE", signature: "x" } },
  ],
  [/^MALFORMED: .*does not send its policy/, form, sent({ Policy: undefined })],
  [/^MALFORMED: .*acl is sent more than once/, { url: form.url, fields: [...list, ["acl", "private"]] }],
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
  // The other versions.
  [/^WRONG_SECRET: .*a different secret/, v2, { keys: [{ ...credentials, secretAccessKey: "another" }] }],
  [
    /^SIGNATURE: .*HMAC-SHA256, but Signature Version 2 uses HMAC-SHA1/,
    {
      ...v2,
      fields: withFields(v2.fields, {
        signature: createHmac("sha256", credentials.secretAccessKey).update(policyOf(v2.fields)).digest("base64"),
      }),
    },
    { keys },
  ],
  [
    /^SIGNATURE: .*a space instead of \+/,
    {
      ...v2WithPlus,
      fields: withFields(v2WithPlus.fields, { signature: v2WithPlus.fields["signature"]?.replaceAll("+", " ") }),
    },
    { keys },
  ],
  [
    /^LEGACY_SIGNATURE: .*does not accept Signature Version 2/,
    v2,
    answer(
      "InvalidRequest",
      "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    ),
  ],
  [
    /^WRONG_SECRET: .*last character cut off/,
    gcsHmacFormSigner({
      credentials: { ...hmacKey, secretAccessKey: hmacKey.secretAccessKey.slice(0, -1) },
      ...at,
    }).sign({ ...rest, object }),
    { keys: [hmacKey] },
  ],
  [
    /^FIELD: .*submit is sent, but the policy has no condition/,
    gcs,
    {
      errorBody:
        "<Error><Code>InvalidPolicyDocument</Code><Message>The content of the form does not meet the conditions specified in the policy document.</Message><Details>Policy did not reference these fields: submit</Details></Error>",
    },
  ],
  [
    /^FIELD: .*key is sent as "up\/b\.png", but the policy allows only "up\/a\.png"/,
    rsa,
    { keys: [account], sent: { fields: withFields(rsa.fields, { key: "up/b.png" }) } },
  ],
  [
    /^POLICY: .*rewritten after signing/,
    {
      ...rsa,
      fields: withFields(rsa.fields, {
        policy: Buffer.from(python(JSON.parse(Buffer.from(policyOf(rsa.fields), "base64").toString()))).toString(
          "base64",
        ),
      }),
    },
    { keys: [account] },
  ],
  [
    /^BUCKET: .*bucket media, but is posted to other/,
    gcs,
    { keys: [hmacKey], sent: { url: "https://storage.googleapis.com/other/" } },
  ],
];

describe("explainForm with a refused form", () => {
  it.each(REFUSALS.map((refusal) => [refusal[0], refusal] as const))(
    "returns %s",
    async (expected, [, given, options]) => {
      const { cause } = await explainForm(given, { clock, ...options });
      expect(`${cause?.code}: ${cause?.sentence}`).toMatch(expected);
      expect(cause?.fix).not.toBe("");
    },
  );

  it.each([
    ["s3/form", form, keys],
    ["s3/form", withToken, [temporary]],
    ["s3/form", rawForm(), keys],
    ["s3/form/v2", v2, keys],
    ["gcs/form", gcs, [hmacKey]],
    ["gcs/form", rsa, [account]],
  ])("returns no cause for a good form of %s", async (scheme, right, known) => {
    for (const given of [
      { clock },
      { clock, keys: known },
      { clock, keys: known, sent: { fileSize: 10, fileName: "a.png" } },
    ]) {
      const found = await explainForm(right, given);
      expect([found.scheme, found.cause]).toEqual([scheme, undefined]);
    }
  });

  it("explains a form that the verifier accepts", async () => {
    const fields = Object.entries(rawForm().fields);
    const grant = await s3FormVerifier({ credentials, clock }).verify({ bucket: "media", fields });
    expect(grant.key).toBe("up/a.png");
  });

  it("reports the end, and the fault of a new form as well", async () => {
    const late = { clock: () => new Date("2026-11-25T00:00:00Z"), keys, ...sent({ acl: "public-read" }) };
    const { cause } = await explainForm(form, late);
    expect([cause?.code, cause?.evidence.join()]).toEqual([
      "EXPIRED",
      expect.stringContaining("Besides: The field acl"),
    ]);
  });
});
