import { createHmac } from "node:crypto";
import { type CauseCode, type ExplainFormOptions, explainForm, type FormToExplain } from "daypass/explain";
import { gcsHmacFormSigner } from "daypass/gcs/form";
import { s3FormSigner, s3FormVerifier } from "daypass/s3/form";
import { describe, expect, it } from "vitest";
import { rawForm, withFields } from "./broken-forms.ts";
import { credentials, errorXml } from "./broken-requests.ts";
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

interface Broken {
  /** What happened, as a person would tell it. */
  readonly what: string;
  readonly form: FormToExplain;
  readonly options?: ExplainFormOptions;
  readonly cause: CauseCode;
  /** What the sentence must say. */
  readonly says: RegExp;
}

const broken: readonly Broken[] = [
  // The signer's faults, found by the key.
  {
    what: "signed with the secret of another key",
    form: rawForm({ secret: "another secret altogether" }),
    options: { keys },
    cause: "WRONG_SECRET",
    says: /a different secret than the one given for AKIDEXAMPLE/,
  },
  {
    what: "signed with a line feed at the secret's end",
    form: rawForm({ secret: `${credentials.secretAccessKey}\n` }),
    options: { keys },
    cause: "WRONG_SECRET",
    says: /^The form was signed with this key's secret damaged: a line feed/,
  },
  {
    what: "a signing key of another region than the credential says",
    form: rawForm({ keyRegion: "us-east-1" }),
    options: { keys },
    cause: "REGION",
    says: /made for the region "us-east-1", and the form says eu-west-1/,
  },
  {
    what: "a signing key of another service",
    form: rawForm({ keyService: "execute-api" }),
    options: { keys },
    cause: "SERVICE",
    says: /service execute-api, and the form says s3/,
  },
  {
    what: "a signing key of the local date",
    form: rawForm({ keyDate: "20261125" }),
    options: { keys },
    cause: "DATE",
    says: /made for 20261125, and the form says 20261124: a local date/,
  },
  {
    what: "signed without deriving a key",
    form: rawForm({ underived: true }),
    options: { keys },
    cause: "SIGNATURE",
    says: /the secret itself/,
  },
  {
    what: "the JSON signed instead of its base64",
    form: rawForm({ signs: (text) => Buffer.from(text, "base64").toString() }),
    options: { keys },
    cause: "POLICY",
    says: /The policy's JSON was signed/,
  },
  {
    what: "base64 in lines when it was signed, in one when it was sent",
    form: rawForm({ signs: (text) => `${inLines(text, 60)}\n` }),
    options: { keys },
    cause: "POLICY",
    says: /base64 of the policy was signed with line breaks/,
  },
  {
    what: "the URL's alphabet when it was signed",
    form: rawForm({
      fields: { key: "up/~~~???.png" },
      signs: (text) => text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, ""),
      write: (document) => `${JSON.stringify(document)} `,
    }),
    options: { keys },
    cause: "POLICY",
    says: /base64 of the policy was signed/,
  },
  {
    what: "the policy parsed and written anew by Python after signing",
    form: {
      ...rawForm(),
      fields: withFields(rawForm().fields, {
        policy: Buffer.from(python(JSON.parse(Buffer.from(policyOf(rawForm().fields), "base64").toString()))).toString(
          "base64",
        ),
      }),
    },
    options: { keys },
    cause: "POLICY",
    says: /rewritten after signing/,
  },
  {
    what: "a condition put into the policy after signing",
    form: {
      ...form,
      fields: withFields(form.fields, {
        Policy: recoded(({ conditions, ...others }) => ({
          conditions: [...conditions, { "x-amz-meta-user": "7" }],
          ...others,
        })),
        "x-amz-meta-user": "7",
      }),
    },
    options: { keys },
    cause: "POLICY",
    says: /condition \{"x-amz-meta-user":"7"\} was added to the policy after signing/,
  },
  {
    what: "a life made longer after signing",
    form: {
      ...form,
      fields: withFields(form.fields, {
        Policy: recoded((document) => ({ ...document, expiration: "2026-11-25T12:00:00Z" })),
      }),
    },
    options: { keys },
    cause: "EXPIRES_CHANGED",
    says: /from 2026-11-24T12:10:00Z to 2026-11-25T12:00:00Z/,
  },
  {
    what: "a signature in upper case",
    form: {
      ...form,
      fields: withFields(form.fields, { "X-Amz-Signature": form.fields["X-Amz-Signature"]?.toUpperCase() ?? "" }),
    },
    options: { keys },
    cause: "SIGNATURE",
    says: /upper-case/,
  },
  {
    what: "a signature in base64",
    form: {
      ...form,
      fields: withFields(form.fields, {
        "X-Amz-Signature": Buffer.from(form.fields["X-Amz-Signature"] ?? "", "hex").toString("base64"),
      }),
    },
    options: { keys },
    cause: "SIGNATURE",
    says: /in base64 instead of hexadecimal/,
  },
  {
    what: "id of one key and secret of another",
    form: rawForm({ secret: "the other one's secret" }),
    options: { keys: [{ accessKeyId: "AKIDOTHER", secretAccessKey: "the other one's secret" }] },
    cause: "UNKNOWN_KEY",
    says: /names the key AKIDEXAMPLE and was signed with the secret of AKIDOTHER/,
  },
  {
    what: "a key that is not among the given ones",
    form,
    options: { keys: [{ accessKeyId: "AKIDOTHER", secretAccessKey: "x" }] },
    cause: "UNKNOWN_KEY",
    says: /signed by AKIDEXAMPLE, and the given keys are AKIDOTHER/,
  },
  // What happens on the way.
  {
    what: "the policy changed on the way (key)",
    form,
    options: { keys, ...sent({ Policy: recoded((document) => ({ ...document, conditions: [{ bucket: "media" }] })) }) },
    cause: "POLICY",
    says: /The field policy was changed in transit/,
  },
  {
    what: "the policy broken into lines by a template (no key)",
    form,
    options: sent({ Policy: inLines(policy) }),
    cause: "POLICY",
    says: /cannot be read: expected policy as base64/,
  },
  {
    what: "the policy broken into lines on the server's side of the network (error body)",
    form,
    options: { errorBody: mismatch({ StringToSign: inLines(policy) }) },
    cause: "POLICY",
    says: /spaces or line breaks were added or lost/,
  },
  {
    what: "a right signature that the server refuses",
    form,
    options: { keys, errorBody: mismatch({ StringToSign: policy }) },
    cause: "WRONG_SECRET",
    says: /right for this policy and the given secret: the server holds another secret/,
  },
  {
    what: "a mismatch and nothing else known",
    form,
    options: { errorBody: mismatch() },
    cause: "WRONG_SECRET",
    says: /the secret is wrong, or the policy was changed/,
  },
  {
    what: "the date of a newer form",
    form,
    options: { keys, ...sent({ "X-Amz-Date": "20261124T120001Z" }) },
    cause: "FIELD",
    says: /The field x-amz-date is "20261124T120001Z", but the signed policy says "20261124T120000Z"/,
  },
  {
    what: "the credential of a newer form",
    form,
    options: sent({ "X-Amz-Credential": "AKIDNEW/20261124/eu-west-1/s3/aws4_request" }),
    cause: "FIELD",
    says: /x-amz-credential was changed in transit/,
  },
  {
    what: "another algorithm",
    form,
    options: sent({ "X-Amz-Algorithm": "AWS4-HMAC-SHA512" }),
    cause: "MALFORMED",
    says: /AWS4-HMAC-SHA256/,
  },
  {
    what: "credential and date of different days",
    form: { ...form, fields: withFields(form.fields, { "X-Amz-Date": "20261125T000000Z" }) },
    cause: "MALFORMED",
    says: /x-amz-credential|x-amz-date/,
  },
  {
    what: "a form of two signatures",
    form: { ...form, fields: { ...form.fields, AWSAccessKeyId: "AKIDEXAMPLE", signature: "x" } },
    cause: "AMBIGUOUS_AUTHENTICATION",
    says: /several versions/,
  },
  {
    what: "a form without its policy",
    form,
    options: sent({ Policy: undefined }),
    cause: "MALFORMED",
    says: /does not send its policy/,
  },
  {
    what: "a field twice",
    form: { url: form.url, fields: [...list, ["acl", "private"]] },
    cause: "MALFORMED",
    says: /acl is sent more than once/,
  },
  // Conditions.
  {
    what: "a field that the policy asks for, not sent",
    form,
    options: { keys, ...sent({ acl: undefined }) },
    cause: "FIELD",
    says: /requires the field acl, but the form does not send it/,
  },
  {
    what: "a field that the policy does not know",
    form,
    options: { keys, ...sent({ "x-amz-meta-user": "7" }) },
    cause: "FIELD",
    says: /x-amz-meta-user is sent, but the policy has no condition for it/,
  },
  {
    what: "a page's own button (error body)",
    form,
    options: { errorBody: denied("Extra input fields: submit") },
    cause: "FIELD",
    says: /submit is sent, but the policy has no condition/,
  },
  {
    what: "a policy without a bucket (error body)",
    form: rawForm({ conditions: [{ key: "up/a.png" }] }),
    options: { errorBody: denied("Extra input fields: bucket") },
    cause: "FIELD",
    says: /no condition on the bucket/,
  },
  {
    what: "a policy without a bucket (key)",
    form: rawForm({
      conditions: [
        { key: "up/a.png" },
        { "x-amz-algorithm": "AWS4-HMAC-SHA256" },
        { "x-amz-credential": "AKIDEXAMPLE/20261124/eu-west-1/s3/aws4_request" },
        { "x-amz-date": "20261124T120000Z" },
      ],
    }),
    options: { keys },
    cause: "FIELD",
    says: /no condition on the bucket/,
  },
  {
    what: "posted to another bucket",
    form,
    options: { keys, sent: { url: "https://other.s3.eu-west-1.amazonaws.com/" } },
    cause: "BUCKET",
    says: /signed for the bucket media, but is posted to other/,
  },
  {
    what: "posted to the server and not to the bucket",
    form,
    options: { sent: { url: "https://s3.eu-west-1.amazonaws.com/" } },
    cause: "BUCKET",
    says: /signed for the bucket media, but is posted to no bucket/,
  },
  {
    what: "another bucket, path style (error body)",
    form: s3FormSigner({ region: "eu-west-1", endpoint: "https://minio.example", credentials, ...at }).sign(request),
    options: {
      sent: { url: "https://minio.example/other/" },
      errorBody: denied('Policy Condition failed: ["eq", "$bucket", "media"]'),
    },
    cause: "BUCKET",
    says: /bucket media, but is posted to other/,
  },
  {
    what: "a file of another type",
    form,
    options: { keys, ...sent({ "Content-Type": "image/jpeg" }) },
    cause: "FIELD",
    says: /Content-Type is sent as "image\/jpeg", but the policy allows only "image\/png"/,
  },
  {
    what: "a type that a client has added to (error body)",
    form,
    options: {
      ...sent({ "Content-Type": "image/png; charset=utf-8" }),
      errorBody: denied('Policy Condition failed: ["eq", "$Content-Type", "image/png"]'),
    },
    cause: "FIELD",
    says: /"image\/png; charset=utf-8"/,
  },
  {
    what: "a condition that failed at MinIO, which writes no quotes",
    form,
    options: { ...sent({ acl: "public-read" }), errorBody: denied("Policy Condition failed: [eq, $acl, private]") },
    cause: "FIELD",
    says: /acl is sent as "public-read", but the policy allows only "private"/,
  },
  {
    what: "a condition that failed for no visible reason",
    form,
    options: { errorBody: denied('Policy Condition failed: ["eq", "$acl", "private"]') },
    cause: "FIELD",
    says: /the form was changed before it arrived/,
  },
  {
    what: "a key outside the prefix",
    form,
    options: { keys, ...sent({ key: "private/a.png" }) },
    cause: "FIELD",
    says: /key is sent as "private\/a\.png", but the policy allows what starts with "up\/"/,
  },
  {
    what: "a session token added after signing",
    form,
    options: { keys, ...sent({ "x-amz-security-token": "FwoGZXIvYXdzE" }) },
    cause: "FIELD",
    says: /session token was added after signing/,
  },
  {
    what: "a session token dropped on the way",
    form: withToken,
    options: { keys: [temporary], ...sent({ "X-Amz-Security-Token": undefined }, withToken) },
    cause: "FIELD",
    says: /requires the field x-amz-security-token/,
  },
  // The file.
  {
    what: "the file in front of the fields",
    form: { url: form.url, fields: [["file", ""], ...list] },
    cause: "FILE",
    says: /comes after the file/,
  },
  {
    what: "one field behind the file (key)",
    form,
    options: {
      keys,
      sent: { fields: [...list.filter(([name]) => name !== "acl"), ["file", ""], ["acl", "private"]] },
    },
    cause: "FILE",
    says: /The field acl comes after the file/,
  },
  {
    what: "fields behind the file (error body)",
    form,
    options: {
      errorBody: errorXml(
        "InvalidArgument",
        "Bucket POST must contain a field named 'key'. If it is specified, please check the order of the fields.",
        { ArgumentName: "key" },
      ),
    },
    cause: "FILE",
    says: /key did not reach the server before the file/,
  },
  {
    what: "no file",
    form,
    options: {
      errorBody: errorXml("IncorrectNumberOfFilesInPostRequest", "POST requires exactly one file upload per request."),
    },
    cause: "FILE",
    says: /no file, or more than one/,
  },
  {
    what: "no file, under the code for everything",
    form,
    options: {
      errorBody: errorXml("InvalidArgument", "POST requires exactly one file upload per request.", {
        ArgumentName: "file",
      }),
    },
    cause: "FILE",
    says: /no file, or more than one/,
  },
  {
    what: "an answer that nothing explains",
    form,
    options: { errorBody: errorXml("SomethingNew", "Please come back later.") },
    cause: "SERVER",
    says: /SomethingNew: Please come back later; nothing wrong with the form/,
  },
  {
    what: "a file that is too large (error body)",
    form,
    options: {
      errorBody: errorXml("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {
        ProposedSize: "1001",
        MaxSizeAllowed: "1000",
      }),
    },
    cause: "FILE",
    says: /too large: the policy takes at most 1000 bytes\. It has 1001/,
  },
  {
    what: "a file that is too small (error body)",
    form,
    options: { errorBody: errorXml("EntityTooSmall", "…", { ProposedSize: "3", MinSizeAllowed: "10" }) },
    cause: "FILE",
    says: /too small: the policy takes at least 10 bytes\. It has 3/,
  },
  {
    what: "a file that is too large (its size given)",
    form,
    options: { keys, sent: { fileSize: 5000 } },
    cause: "FILE",
    says: /too large.*at most 1000 bytes/,
  },
  {
    what: "posted as application/x-www-form-urlencoded",
    form,
    options: {
      errorBody: errorXml("PreconditionFailed", "Bucket POST must be of the enclosure-type multipart/form-data"),
    },
    cause: "MALFORMED",
    says: /not a multipart form/,
  },
  {
    what: "posted as application/x-www-form-urlencoded, with the reason beside the message",
    form,
    options: {
      errorBody: errorXml("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
        Condition: "Bucket POST must be of the enclosure-type multipart/form-data",
      }),
    },
    cause: "MALFORMED",
    says: /not a multipart form/,
  },
  {
    what: "posted to the object's path",
    form,
    options: { errorBody: errorXml("MethodNotAllowed", "The specified method is not allowed against this resource.") },
    cause: "ENDPOINT",
    says: /not posted to a bucket/,
  },
  // The time.
  {
    what: "too late",
    form,
    options: { keys, clock: () => new Date("2026-11-24T12:10:00Z") },
    cause: "EXPIRED",
    says: /valid until 2026-11-24T12:10:00\.000Z/,
  },
  {
    what: "too late (error body)",
    form,
    options: { clock: () => new Date("2026-11-24T12:11:00Z"), errorBody: denied("Policy expired.") },
    cause: "EXPIRED",
    says: /valid until 2026-11-24T12:10:00\.000Z/,
  },
  {
    what: "too late by the server's clock alone",
    form,
    options: { errorBody: denied("Policy expired.") },
    cause: "CLOCK",
    says: /by the server's clock, but not by this one/,
  },
  {
    what: "a signer's clock that is ahead",
    form,
    options: { keys, clock: () => new Date("2026-11-24T11:30:00Z") },
    cause: "NOT_YET_VALID",
    says: /dated in the future/,
  },
  // The other versions.
  {
    what: "Signature Version 2 with another secret",
    form: v2,
    options: { keys: [{ ...credentials, secretAccessKey: "another" }] },
    cause: "WRONG_SECRET",
    says: /a different secret/,
  },
  {
    what: "Signature Version 2 with SHA-256",
    form: {
      ...v2,
      fields: withFields(v2.fields, {
        signature: createHmac("sha256", credentials.secretAccessKey).update(policyOf(v2.fields)).digest("base64"),
      }),
    },
    options: { keys },
    cause: "SIGNATURE",
    says: /HMAC-SHA256, but Signature Version 2 uses HMAC-SHA1/,
  },
  {
    what: "Signature Version 2 with + turned into a space",
    form: {
      ...v2WithPlus,
      fields: withFields(v2WithPlus.fields, { signature: v2WithPlus.fields["signature"]?.replaceAll("+", " ") }),
    },
    options: { keys },
    cause: "SIGNATURE",
    says: /a space instead of \+/,
  },
  {
    what: "Signature Version 2 in a region that takes only the other",
    form: v2,
    options: {
      errorBody: errorXml(
        "InvalidRequest",
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
      ),
    },
    cause: "LEGACY_SIGNATURE",
    says: /does not accept Signature Version 2/,
  },
  {
    what: "Cloud Storage: a damaged HMAC secret",
    form: gcsHmacFormSigner({
      credentials: { ...hmacKey, secretAccessKey: hmacKey.secretAccessKey.slice(0, -1) },
      ...at,
    }).sign({ ...rest, object }),
    options: { keys: [hmacKey] },
    cause: "WRONG_SECRET",
    says: /last character cut off/,
  },
  {
    what: "Cloud Storage: a field without a condition (error body)",
    form: gcs,
    options: {
      errorBody:
        "<Error><Code>InvalidPolicyDocument</Code><Message>The content of the form does not meet the conditions specified in the policy document.</Message><Details>Policy did not reference these fields: submit</Details></Error>",
    },
    cause: "FIELD",
    says: /submit is sent, but the policy has no condition/,
  },
  {
    what: "Cloud Storage: another object than was signed (RSA key)",
    form: rsa,
    options: { keys: [account], sent: { fields: withFields(rsa.fields, { key: "up/b.png" }) } },
    cause: "FIELD",
    says: /key is sent as "up\/b\.png", but the policy allows only "up\/a\.png"/,
  },
  {
    what: "Cloud Storage: the policy written anew (RSA key)",
    form: {
      ...rsa,
      fields: withFields(rsa.fields, {
        policy: Buffer.from(python(JSON.parse(Buffer.from(policyOf(rsa.fields), "base64").toString()))).toString(
          "base64",
        ),
      }),
    },
    options: { keys: [account] },
    cause: "POLICY",
    says: /rewritten after signing/,
  },
  {
    what: "Cloud Storage: another bucket",
    form: gcs,
    options: { keys: [hmacKey], sent: { url: "https://storage.googleapis.com/other/" } },
    cause: "BUCKET",
    says: /bucket media, but is posted to other/,
  },
];

describe("the cause of a refused form", () => {
  it.each(broken)("is found first: $what", async ({ form: given, options, cause, says }) => {
    const found = await explainForm(given, { clock, ...options });
    expect(found.cause?.sentence).toMatch(says);
    expect(found.cause?.code).toBe(cause);
    expect(found.cause?.fix).not.toBe("");
  });

  it.each([
    ["s3/form", form, keys],
    ["s3/form", withToken, [temporary]],
    ["s3/form", rawForm(), keys],
    ["s3/form/v2", v2, keys],
    ["gcs/form", gcs, [hmacKey]],
    ["gcs/form", rsa, [account]],
  ])("is none where %s is right", async (scheme, right, known) => {
    for (const given of [
      { clock },
      { clock, keys: known },
      { clock, keys: known, sent: { fileSize: 10, fileName: "a.png" } },
    ]) {
      const found = await explainForm(right, given);
      expect([found.scheme, found.cause]).toEqual([scheme, undefined]);
    }
  });

  it("is looked for in the very form that a verifier takes", async () => {
    const fields = Object.entries(rawForm().fields);
    const grant = await s3FormVerifier({ credentials, clock }).verify({ bucket: "media", fields });
    expect(grant.key).toBe("up/a.png");
  });

  it("is the end, with what a new form would suffer from, too", async () => {
    const late = { clock: () => new Date("2026-11-25T00:00:00Z"), keys, ...sent({ acl: "public-read" }) };
    const { cause } = await explainForm(form, late);
    expect([cause?.code, cause?.evidence.join()]).toEqual([
      "EXPIRED",
      expect.stringContaining("Besides: The field acl"),
    ]);
  });
});
