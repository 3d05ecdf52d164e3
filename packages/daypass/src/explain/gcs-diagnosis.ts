import { isDaypassError } from "../errors.ts";
import { GOOG4_HMAC, hostWithoutPort, UNSIGNED_PAYLOAD } from "../gcs/canonical.ts";
import { parseGcs } from "../gcs/parse.ts";
import { headerValues } from "../wire.ts";
import type { Diagnosis, Subject } from "./explainer.ts";
import type { Cause, ExplainKey, Hypothesis } from "./explanation.ts";
import { gcsCause } from "./gcs-cause.ts";
import type { GcsFacts } from "./gcs-facts.ts";
import { fitsV4, type GcsExplainKey, gcsExplainKeys } from "./gcs-keys.ts";
import { isMismatch } from "./server-cause.ts";
import { changedOnTheWay, fromErrorBody, noEvidence, signedOtherwise, timeCause, v4Hints } from "./v4-diagnosis.ts";
import { type V4Dialect, type V4Input, v4Input, v4Variants } from "./v4-variants.ts";
import { searchAsync } from "./variants.ts";

function dialect({ family }: GcsFacts): V4Dialect {
  return {
    name: "Cloud Storage",
    family,
    prefix: "X-Goog-",
    optional: /^X-Goog-(?!(?:Algorithm|Credential|Date|Expires|SignedHeaders)$)/,
    lost: [],
    regions: ["auto", "us", "eu", "us-central1", ""],
    services: ["storage", "s3"],
    hasSecret: family === GOOG4_HMAC,
    isRegional: true,
  };
}

/** What would be signed for the request as it was sent. */
export function gcsInput({ sent, sentUrl }: Subject, facts: GcsFacts, secret: string): V4Input {
  const values = (name: string): readonly string[] =>
    name === "host" ? [hostWithoutPort(sent.authority)] : headerValues(sent.headers, name);
  const isSigned = facts.signedHeaders.includes("x-goog-content-sha256");
  return v4Input({
    dialect: dialect(facts),
    method: sent.method,
    rawPath: sentUrl.wire.path,
    tokens: sentUrl.wire.tokens.filter(({ name }) => name !== "X-Goog-Signature"),
    headers: facts.signedHeaders.map((name) => ({ name, values: values(name) })),
    payload: (isSigned ? values("x-goog-content-sha256")[0] : undefined) ?? UNSIGNED_PAYLOAD,
    scope: { date: facts.date, region: facts.region, service: facts.service },
    time: facts.time,
    secret,
  });
}

/** Finds the cause: what the server says, then what the grammar says, then what key or canonical request show, then the clock. */
export async function diagnoseGcs(subject: Subject, facts: GcsFacts, input: V4Input): Promise<Diagnosis> {
  const { error, now } = subject;
  const said = error === undefined || isMismatch(error) ? undefined : gcsCause(error, now);
  const signature = await checkSignature(subject, facts, input);
  if (said !== undefined) return { ...signature, cause: said };
  const malformed = grammarCause(subject, facts);
  if (malformed !== undefined) return { ...signature, cause: malformed };
  if (error !== undefined && isMismatch(error)) return { ...signature, cause: signature.cause ?? noEvidence() };
  const late = timeCause(facts, now);
  if (late === undefined || signature.cause === undefined) return { ...signature, cause: late ?? signature.cause };
  // A server tells the time first, and a new URL from the same signer would have the other fault again.
  return { ...signature, cause: { ...late, evidence: [...late.evidence, `Besides: ${signature.cause.sentence}`] } };
}

function grammarCause({ sent, sentUrl, request }: Subject, facts: GcsFacts): Cause | undefined {
  try {
    const parsed = parseGcs({ request: sent, wire: sentUrl.wire, origin: "", wildcard: "" }, facts.family);
    const missing = parsed.headers.filter(({ values }) => values.length === 0).map(({ name }) => name);
    if (missing.length === 0 || request?.headers === undefined) return undefined;
    return {
      code: "HEADER",
      sentence: `The URL was signed with the header ${missing.join(", ")}, which was not sent.`,
      evidence: [`X-Goog-SignedHeaders=${facts.signedHeaders.join(";")}`],
      fix: `Send ${missing.join(", ")} with exactly the value that was signed.`,
    };
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    const known = (["UNSIGNED_HEADER", "AMBIGUOUS_AUTHENTICATION"] as const).find((code) => code === error.code);
    return {
      code: error.code === "WRONG_SCOPE" ? "SERVICE" : (known ?? "MALFORMED"),
      sentence: `The request is refused before its signature is looked at: ${error.message}.`,
      evidence: [],
      fix:
        known === undefined
          ? "Pass the URL on byte for byte as it was made; quote it in a shell."
          : "Send only what was signed.",
    };
  }
}

async function checkSignature(subject: Subject, facts: GcsFacts, input: V4Input): Promise<Diagnosis> {
  const keys = keysOf(subject.keys, facts);
  if (keys.length === 0) {
    const shown = fromErrorBody(subject, input) ?? { cause: changedOnTheWay(signedInput(subject, facts, ""), input) };
    return subject.keys.length > 0 && shown.cause === undefined ? { cause: otherKind(facts) } : shown;
  }
  const own = keys.filter(({ id }) => id === facts.keyId);
  const variantsOf = v4Variants(v4Hints(subject));
  let hypotheses: readonly Hypothesis[] = [];
  for (const key of own.length > 0 ? own : keys) {
    const secret = "secret" in key ? key.secret : "";
    const fits = (tried: V4Input): Promise<boolean> => fitsV4(key, tried, facts.signature);
    const keyed = { ...input, secret };
    if (await fits(keyed)) return matching(subject, facts, keyed, key);
    // The URL as it was given comes first, so that what was changed on the way is named as such.
    const asSigned = signedInput(subject, facts, secret);
    if (await fits(asSigned)) return { cause: changedOnTheWay(asSigned, keyed), method: asSigned.method };
    const found = await searchAsync(keyed, variantsOf, fits, "signed");
    hypotheses = found.hypotheses;
    if (found.cause !== undefined) return signedOtherwise(subject, found.cause, { hypotheses, method: input.method });
  }
  if (own.length === 0) return { hypotheses, cause: unknownKey(facts, keys) };
  return { hypotheses, cause: fromErrorBody(subject, input)?.cause ?? wrongKey(facts, hypotheses) };
}

function keysOf(keys: readonly ExplainKey[], { family }: GcsFacts): readonly GcsExplainKey[] {
  return gcsExplainKeys(keys, family !== GOOG4_HMAC);
}

/** The request that the given URL stands for, whatever was sent. */
function signedInput(subject: Subject, facts: GcsFacts, secret: string): V4Input {
  const { url, sent, sentUrl } = subject;
  if (sentUrl === url) return gcsInput(subject, facts, secret);
  return gcsInput({ ...subject, sentUrl: url, sent: { ...sent, authority: url.authority } }, facts, secret);
}

function otherKind({ family, keyId }: GcsFacts): Cause {
  return {
    code: "UNKNOWN_KEY",
    sentence: `The URL was signed by ${keyId} with ${family.algorithm}, and none of the given keys is of that kind.`,
    evidence: [],
    fix: "Give the account's key file or public key for RSA, accessKeyId and secretAccessKey for HMAC.",
  };
}

function unknownKey({ keyId }: GcsFacts, keys: readonly GcsExplainKey[]): Cause {
  return {
    code: "UNKNOWN_KEY",
    sentence: `The URL was signed by ${keyId}, and the given keys are ${keys.map(({ id }) => id).join(", ")}.`,
    evidence: [],
    fix: "Give the key that signed.",
  };
}

function wrongKey({ keyId }: GcsFacts, hypotheses: readonly Hypothesis[]): Cause {
  return {
    code: "WRONG_SECRET",
    sentence: `The URL was signed with another key than the given one of ${keyId}, or changed in a way that is not among the usual ones.`,
    evidence: [`No variant fits: ${hypotheses.map(({ code, tried }) => `${code} ${tried}`).join(", ")}.`],
    fix: "Compare the key that the signer uses with the given one; an account can have several, and deleted ones end their URLs.",
  };
}

/** The signature fits the request and the key. Whatever the server says then, the difference is on its side. */
function matching(subject: Subject, facts: GcsFacts, input: V4Input, { id }: GcsExplainKey): Diagnosis {
  const { method } = input;
  if (id !== facts.keyId) {
    const sentence = `The URL names ${facts.keyId} and was signed with the key of ${id}.`;
    return { method, cause: { code: "UNKNOWN_KEY", sentence, evidence: [], fix: "Use name and key of one account." } };
  }
  if (subject.error === undefined || !isMismatch(subject.error)) return { method };
  const shown = fromErrorBody(subject, input);
  if (shown?.cause !== undefined && shown.cause.code !== "WRONG_SECRET") return { ...shown, method };
  return {
    method,
    cause: {
      code: "WRONG_SECRET",
      sentence: `The signature is right for this request and the given key: the key was deleted or disabled at Google, or a proxy changed the request before it arrived.`,
      evidence: [],
      fix: "Look at the account's keys in the console; then look at proxies between client and server.",
    },
  };
}
