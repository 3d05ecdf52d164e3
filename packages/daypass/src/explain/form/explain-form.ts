import { DaypassError } from "../../core/errors.ts";
import { systemClock } from "../../core/time.ts";
import { FILE_NAME } from "../../forms/policy.ts";
import { browserUpload } from "../browser.ts";
import { withUnreadAnswer } from "../cause/unread-answer.ts";
import { parseErrorBody } from "../error-body.ts";
import type { ExplainFormOptions, Explanation, FormToExplain, MustSend } from "../explanation.ts";
import { checkFormOptions } from "../options-check.ts";
import { hide } from "../redact.ts";
import { isS3Credentials, untilKeyEnds } from "../s3/facts.ts";
import { secretsOf, spellings } from "../secrets.ts";
import { isMet, type PostedForm } from "./conditions.ts";
import { diagnoseForm } from "./diagnosis.ts";
import { bucketOfUrl, formKinds } from "./kinds.ts";
import { conditionText, conditionWords, isFieldCondition, lengthRange, type ReadPolicy, readPolicy } from "./policy.ts";
import { formTraps } from "./traps.ts";
import { type FormView, formView, namesOf } from "./view.ts";

/**
 * Explains a signed upload form: an S3 POST policy (Signature Version 4 or 2) or a Cloud Storage policy document (V4), as
 * `s3FormSigner`, `gcsFormSigner` and the SDKs return it. Returns what it is, who signed it, what it grants, each condition of
 * its policy in words, what it leaves open, when it expires, which known traps it has, and why a server refuses it.
 *
 * The cause is found as for a URL: from the server's error body, from a key by ranked variants (a damaged secret, another
 * region, service or date, a policy whose base64 or JSON was rewritten, conditions and lifetime changed after signing), and by
 * checking the form as it was sent against its policy. Does not read the file; nothing is sent anywhere.
 *
 * @throws {DaypassError} `INVALID_INPUT` if `url` is not an absolute http(s) URL and for an invalid form or options, `INVALID_KEY`
 * for a key that its scheme's verifier does not accept, `NO_SIGNATURE` for a form that is not signed with a known scheme
 * @example
 * ```ts
 * import { explainForm } from "daypass/explain";
 * import { s3FormSigner } from "daypass/s3/form";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const form = s3FormSigner({ region: "eu-west-1", credentials }).sign({ bucket: "media", prefix: "up/", expiresIn: 60 });
 * const { conditions, cause } = await explainForm(form, { keys: [credentials], sent: { fields: { ...form.fields, acl: "private" } } });
 * console.log(conditions?.[0]?.says, cause?.sentence); // … The field acl is sent, but the policy has no condition for it.
 * ```
 */
export async function explainForm(form: FormToExplain, options: ExplainFormOptions = {}): Promise<Explanation> {
  checkFormOptions(form, options);
  const { sent, errorBody, keys = [], origin, reveal, clock = systemClock } = options;
  const signed = formView(form);
  const isSame = sent?.url === undefined && sent?.fields === undefined;
  const view = isSame ? signed : formView({ url: sent?.url ?? form.url, fields: sent?.fields ?? form.fields });
  const kind = formKinds.find(({ markers }) =>
    [...namesOf(signed), ...namesOf(view)].some((name) => markers.test(name)),
  );
  if (kind === undefined) throw notSigned();
  const now = new Date(clock());
  const facts = kind.facts(view.values);
  const policy = readPolicy(view.values.get("policy") ?? "");
  const posted: PostedForm = { kind, form: view, policy, fileName: sent?.fileName, fileSize: sent?.fileSize };
  const error = errorBody === undefined ? undefined : parseErrorBody(errorBody);
  const { cause, hypotheses } = await diagnoseForm({
    posted,
    signed,
    facts,
    error,
    now,
    keys: kind.keys(keys, view.values),
  });
  const { endsAt, conditions } = policy;
  const key = keys.find((candidate) => isS3Credentials(candidate) && candidate.accessKeyId === facts.keyId);
  const expiration = key !== undefined && "expiration" in key ? key.expiration : undefined;
  const end = expiration !== undefined && endsAt !== undefined && expiration < endsAt ? expiration : endsAt;
  const resource = resourceOf(posted);
  const explanation: Explanation = {
    scheme: kind.scheme,
    summary: `${kind.what} to upload ${resource}, signed by ${facts.keyId || "nobody"}${facts.scope.region === "" ? "" : ` for ${facts.scope.region}`}${end === undefined ? "" : `, valid until ${end.toISOString()}`}.`,
    signedBy: facts.keyId,
    grants: { methods: ["POST"], resource },
    binds: binds(policy),
    leavesOpen: leavesOpen(policy),
    signedAt: facts.signedAt,
    startsAt: facts.signedAt,
    endsAt: end,
    mayEndEarlier: untilKeyEnds({ token: facts.token, accessKeyId: facts.keyId }, { signed: "form", key: "key" }),
    mustSend: mustSend(view, policy, kind.own),
    conditions: conditions.map((condition) => ({
      condition: conditionText(condition),
      says: conditionWords(condition),
      met: isMet(posted, condition),
    })),
    traps: formTraps({ kind, form: view, policy, facts, now }),
    cause,
    hypotheses,
  };
  // A page that posts without a script needs form-action, and no CORS rule.
  const browser = browserUpload({ ...explanation, mustSend: [] }, { url: view.url, method: "POST", origin });
  const contentSecurityPolicy = `${browser?.contentSecurityPolicy}; form-action ${view.url.protocol}://${view.url.authority}`;
  const result = {
    ...(error === undefined && errorBody !== undefined
      ? withUnreadAnswer(explanation, errorBody, { url: view.url })
      : explanation),
    ...(browser === undefined ? {} : { browser: { ...browser, contentSecurityPolicy } }),
  };
  const tokens = spellings(facts.token).flatMap((text) => [text, text.replaceAll("/", "\\/")]);
  const secrets = keys.flatMap(secretsOf);
  return hide(result, reveal === true ? secrets : [...secrets, ...spellings(facts.signature), ...tokens]);
}

function resourceOf({ kind, form, policy }: PostedForm): string {
  const named = (field: string) =>
    policy.conditions.find((condition) => isFieldCondition(condition) && condition.field === field);
  const bucket = named("bucket");
  const where = bucket !== undefined && "value" in bucket ? bucket.value : (bucketOfUrl(kind, form.url) ?? "?");
  const key = named("key");
  const object = kind.provider === "S3" ? "key" : "name";
  if (key === undefined || !("value" in key)) return `objects in bucket ${where}`;
  if (key.operator === "eq") return `the object ${key.value} in bucket ${where}`;
  return key.value === ""
    ? `any object in bucket ${where}`
    : `objects whose ${object} starts with ${key.value} in bucket ${where}`;
}

function binds({ conditions }: ReadPolicy): readonly string[] {
  return [
    ...new Set(
      conditions.map((condition) => {
        if (!isFieldCondition(condition)) return "length of the file";
        const { field, operator, value } = condition;
        if (operator === "eq") return field === "bucket" ? "bucket" : `field ${field}`;
        return value === "" ? `that there is a field ${field}` : `how the field ${field} starts`;
      }),
    ),
    "all the names of fields but x-ignore-*",
    "end",
  ];
}

function leavesOpen({ conditions }: ReadPolicy): readonly string[] {
  const fields = conditions.filter(isFieldCondition);
  const loose = fields.filter(
    ({ field, operator }) =>
      operator === "starts-with" && !fields.some((other) => other.field === field && other.operator === "eq"),
  );
  const hasChecksum = fields.some(
    ({ field, operator }) => operator === "eq" && /checksum-|^content-md5$|^x-goog-hash$/.test(field),
  );
  return [
    ...(hasChecksum ? [] : ["the file"]),
    ...(lengthRange(conditions) === undefined ? ["its length"] : []),
    ...loose.map(({ field, value }) =>
      value === "" ? `field ${field}` : `field ${field} behind its start ${JSON.stringify(value)}`,
    ),
    "the file's own name and type",
    "who uses it, from where, and how often",
  ];
}

/** The fields that the policy requires, without the signature's own. */
function mustSend({ values }: FormView, { conditions }: ReadPolicy, own: RegExp): readonly MustSend[] {
  const names = conditions.filter(isFieldCondition).map(({ field }) => field);
  return [...new Set(names)]
    .filter((name) => name !== "bucket" && !own.test(name))
    .map((name) => {
      const exact = conditions.find(
        (condition) => "field" in condition && condition.field === name && condition.operator === "eq",
      );
      const value = exact !== undefined && "value" in exact ? exact.value : values.get(name);
      return { name, value: value === FILE_NAME ? undefined : value };
    });
}

function notSigned(): DaypassError {
  const message = "the form has no fields of a signature, such as x-amz-signature. Pass all that the signer returned";
  return new DaypassError("NO_SIGNATURE", message);
}
