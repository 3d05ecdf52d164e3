import { isDaypassError } from "../../core/errors.ts";
import { combineCauses, guess } from "../cause/combine-causes.ts";
import { mixedKeys, noneFits, unknownKey } from "../cause/keys.ts";
import { endCause } from "../cause/life.ts";
import { isMismatch, otherCause } from "../cause/server-cause.ts";
import type { ServerError } from "../error-body.ts";
import type { Diagnosis } from "../explainer.ts";
import type { Cause, Hypothesis } from "../explanation.ts";
import { searchEach } from "../search/search.ts";
import { budget, workOf } from "../search/work.ts";
import { conditionCause, lengthCause, type PostedForm } from "./conditions.ts";
import { type FormFacts, type FormKey, formKinds } from "./kinds.ts";
import { formServerCause } from "./server.ts";
import { type FormInput, formVariants } from "./variants.ts";
import type { FormView } from "./view.ts";

/** The input of a diagnosis. */
export interface FormCase {
  readonly posted: PostedForm;
  /** The form that was signed; the same one unless the caller says otherwise. */
  readonly signed: FormView;
  readonly facts: FormFacts;
  readonly keys: readonly FormKey[];
  readonly error: ServerError | undefined;
  readonly now: Date;
}

/** Finds the cause in the servers' order: fields, signature, end, conditions, file. */
export async function diagnoseForm(given: FormCase): Promise<Diagnosis> {
  const { error, now, posted, facts } = given;
  const signature = await checkSignature(given);
  const said = error === undefined || isMismatch(error) ? undefined : formServerCause(error, posted, now);
  // A blank "AccessDenied" can mean anything.
  if (said !== undefined && said.isGuess !== true) return { ...signature, cause: said };
  const unread = grammarCause(given);
  // A cause that a key proves outranks a grammar error.
  const isShown = signature.hypotheses?.some(({ fits }) => fits) === true;
  if (unread !== undefined && !isShown) return { ...signature, cause: unread };
  const cause = signature.cause ?? shownPolicy(given);
  if (error !== undefined && isMismatch(error))
    return { ...signature, cause: cause ?? mismatch(facts, given.keys, error) };
  const late = error === undefined || said !== undefined ? lifeCause(given) : undefined;
  const unreasoned = error !== undefined && isUnreasoned(error) ? guess(mismatch(facts, given.keys, error)) : said;
  const other = cause ?? conditionCause(posted) ?? lengthCause(posted) ?? unreasoned;
  const unexplained = error && otherCause(error, "form");
  return { ...signature, cause: combineCauses(late, other) ?? late ?? other ?? unexplained };
}

function grammarCause({ posted: { form, kind, policy } }: FormCase): Cause | undefined {
  const { values, behindFile, repeated } = form;
  const refused = (sentence: string, fix: string): Cause => ({ code: "MALFORMED", sentence, evidence: [], fix });
  const others = formKinds.filter(
    (other) => other !== kind && [...values.keys()].some((name) => other.markers.test(name)),
  );
  if (others.length > 0) {
    return {
      code: "AMBIGUOUS_AUTHENTICATION",
      sentence: "The form carries signatures of several versions: servers refuse it, or check the wrong one.",
      evidence: [],
      fix: "Send the fields of one signed form.",
    };
  }
  const behind = behindFile.find((name) => name === "key" || name === "policy" || kind.own.test(name));
  if (behind !== undefined && !values.has(behind)) {
    return {
      code: "FILE",
      sentence: `The field ${behind} comes after the file, where ${kind.provider} ignores it.`,
      evidence: [`after the file: ${behindFile.join(", ")}`],
      fix: "Send the file as the last field.",
    };
  }
  if (repeated.length > 0) {
    return refused(`The field ${repeated.join(", ")} is sent more than once.`, "Send each field once.");
  }
  if (values.get("key") === undefined || values.get("key") === "") {
    return { ...refused("The form does not send the field key.", "Send the key that was signed."), code: "FIELD" };
  }
  if (!values.has("policy"))
    return refused("The form does not send its policy.", "Send all the fields that were signed.");
  try {
    kind.checkGrammar(values);
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    return refused(
      `The form is refused before its signature is checked: ${error.message}.`,
      "Send the fields as they were made, and let no template escape or trim them.",
    );
  }
  if (policy.fault === undefined) return undefined;
  if (!isDaypassError(policy.fault)) throw policy.fault;
  return {
    code: "POLICY",
    sentence: `The policy cannot be read: ${policy.fault.message}.`,
    evidence:
      policy.text === undefined
        ? []
        : ["It can be read if spaces, line breaks and the other base64 alphabet are accepted."],
    fix: "Send the policy as it was signed: JSON with expiration and conditions, in one line of standard base64.",
  };
}

function lifeCause({ posted: { policy, kind }, facts, now }: FormCase): Cause | undefined {
  const late = endCause(policy.endsAt, now, { signed: "form" });
  if (late !== undefined) return late;
  const ahead = (facts.signedAt?.getTime() ?? 0) - now.getTime();
  if (ahead <= FIFTEEN_MINUTES) return undefined;
  const sentence = `The form is dated in the future: ${kind.provider} takes it from ${facts.signedAt?.toISOString()} on.`;
  return {
    code: "NOT_YET_VALID",
    sentence,
    evidence: [`now ${now.toISOString()}`],
    fix: "Set the signer's clock (NTP).",
  };
}

const FIFTEEN_MINUTES = 900_000;

async function checkSignature(given: FormCase): Promise<Diagnosis> {
  const { keys, signed, facts, posted } = given;
  const changed = changedOnTheWay(posted, signed);
  if (keys.length === 0) return { cause: changed };
  const own = keys.filter(({ id }) => id === facts.keyId);
  // Each policy is read and written anew, which costs more than its length.
  const work = workOf(budget(), 3 * (posted.form.values.get("policy")?.length ?? 0), false);
  const variantsOf = work.searches ? formVariants(facts.signedAt) : () => [];
  const searches = (own.length > 0 ? own : keys).map((key) => ({
    key,
    inputs: [inputOf(posted, facts, posted.form, key)],
    fits: async (tried: FormInput): Promise<boolean> => key.fits(tried),
  }));
  for (const { key, inputs, fits } of searches) {
    for (const input of inputs) {
      if (await fits(input))
        return {
          cause:
            own.length > 0
              ? undefined
              : mixedKeys(`the key ${facts.keyId}`, key.id, { signed: "form", what: "secret" }),
        };
    }
  }
  for (const { key, fits } of changed === undefined ? [] : searches) {
    const before = inputOf(posted, posted.kind.facts(signed.values), signed, key);
    if (await fits(before)) return { cause: changed };
  }
  const found = await searchEach(searches, { variantsOf, view: "signed", work });
  if (found.cause !== undefined) return found;
  const { hypotheses } = found;
  return {
    hypotheses,
    cause:
      changed ??
      (own.length === 0
        ? unknownKey({ signedBy: facts.keyId, given: keys.map(({ id }) => id), signed: "form" })
        : wrongSecret(facts, hypotheses)),
  };
}

function inputOf(
  { kind }: PostedForm,
  { signature, scope }: FormFacts,
  { values }: FormView,
  { secret }: FormKey,
): FormInput {
  const policy = values.get("policy") ?? "";
  return { scoping: kind.scoping, policy, signature, secret, scope, keyScope: scope, isDerived: true };
}

/** The policy, or a field of the signature, differs from the signed form. */
function changedOnTheWay({ kind, form }: PostedForm, signed: FormView): Cause | undefined {
  if (form === signed) return undefined;
  for (const [name, value] of signed.values) {
    const sent = form.values.get(name);
    if (sent === value || !(name === "policy" || kind.own.test(name))) continue;
    if (sent === undefined && form.behindFile.includes(name)) continue;
    const how =
      sent === undefined
        ? "was dropped"
        : `was changed${/\s/.test(sent) && !/\s/.test(value) ? " (it has spaces or line breaks now)" : ""}`;
    return {
      code: name === "policy" ? "POLICY" : /signature$/.test(name) ? "SIGNATURE" : "FIELD",
      sentence: `The field ${name} ${how} in transit: the signed form had another.`,
      evidence: ["It belongs to the signature."],
      fix: "Send all the fields of one form as they were made.",
    };
  }
  return undefined;
}

/** S3 shows the policy that it read as its string to sign. */
function shownPolicy({ error, posted, keys }: FormCase): Cause | undefined {
  const shown = error?.fields.get("StringToSign");
  const policy = posted.form.values.get("policy");
  if (shown === undefined || policy === undefined || shown === policy) return undefined;
  const isSpelling = shown.replace(/\s/g, "") === policy.replace(/\s/g, "");
  return {
    code: "POLICY",
    sentence: `The policy that reached the server differs from this form's${isSpelling ? ": spaces or line breaks were added or lost" : ""}.`,
    evidence: [
      `The server's is ${shown.length} characters long, the form's ${policy.length}.`,
      ...(keys.length > 0 ? ["The signature fits the form's."] : []),
    ],
    fix: "Send the policy as it was signed, and look for a template, a proxy or a client that rewrites it.",
  };
}

function wrongSecret({ keyId }: FormFacts, hypotheses: readonly Hypothesis[]): Cause {
  return {
    code: "WRONG_SECRET",
    sentence: `The form was signed with a different secret than the one given for ${keyId}, or its policy was changed after signing in a way that explain does not recognize.`,
    evidence: [noneFits(hypotheses)],
    fix: "Compare the signer's secret with the server's; look for a rotated key. Given the form as it was signed, explain can tell whether the policy was changed.",
  };
}

/** radosgw answers a wrong signature of a form like a missing permission, and gives no reason. */
function isUnreasoned({ code, message, fields }: ServerError): boolean {
  return code === "AccessDenied" && message === "" && fields.has("HostId");
}

function mismatch({ keyId }: FormFacts, keys: readonly FormKey[], error: ServerError): Cause {
  const says = isUnreasoned(error) ? "radosgw gives no reason, and most often it is" : "The server says";
  const isRight = keys.some(({ id }) => id === keyId);
  return {
    code: "WRONG_SECRET",
    sentence: isRight
      ? `The signature is right for this policy and the given secret: the server holds another secret for ${keyId}, or the form was changed before it arrived.`
      : `${says} that the signature does not fit the policy: the secret is wrong, or the policy was changed after signing.`,
    evidence: [],
    fix: isRight
      ? "Compare the server's secret with this one, then the request that was sent with this form."
      : "Run explain again with the key: it can then tell a wrong secret, region or date from a rewritten policy.",
  };
}
