import { createHmac } from "node:crypto";
import { type ExplainFormOptions, explainForm, type FormToExplain } from "daypass/explain";
import { gcsHmacFormSigner } from "daypass/gcs/form";
import { s3FormVerifier } from "daypass/s3/form";
import { describe, expect, it } from "vitest";
import { rawForm, withFields } from "./raw-forms.ts";
import { answer, credentials } from "./raw-requests.ts";
import {
  account,
  at,
  clock,
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
  [/^POLICY: .*cannot be read: policy is malformed: send base64/, form, sent({ Policy: inLines(policy) })],
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
