import { isDaypassError } from "../errors.ts";
import { UNSIGNED_PAYLOAD } from "../s3/canonical.ts";
import type { S3Credentials } from "../s3/credentials.ts";
import { headerValues } from "../wire.ts";
import type { Diagnosis, Subject } from "./explainer.ts";
import type { Cause, Hypothesis } from "./explanation.ts";
import { amazonRegion, methodOfOperation, type S3Facts } from "./s3-facts.ts";
import type { S3Version } from "./s3-version.ts";
import { isMismatch, serverCause } from "./server-cause.ts";
import { readParameters, s3Traps } from "./traps.ts";
import {
  changedOnTheWay,
  fromErrorBody,
  noEvidence,
  signedOtherwise,
  type ToldMethod,
  timeCause,
  v4Hints,
} from "./v4-diagnosis.ts";
import { type V4Input, v4Input, v4Variants } from "./v4-variants.ts";
import { searchAsync } from "./variants.ts";

/** What would be signed for the request as it was sent. */
export function s3Input(
  { dialect }: S3Version,
  { sent, sentUrl, request }: Subject,
  facts: S3Facts,
  secret: string,
): V4Input {
  const header = headerValues(sent.headers, "x-amz-content-sha256")[0];
  const parameter = readParameters(sentUrl).find(([name]) => name === "X-Amz-Content-Sha256")?.[1];
  const isSigned = facts.signedHeaders.includes("x-amz-content-sha256");
  return v4Input({
    dialect,
    method: sent.method,
    rawPath: sentUrl.wire.path,
    tokens: sentUrl.wire.tokens.filter(({ name }) => name !== "X-Amz-Signature"),
    headers: facts.signedHeaders.map((name) => ({
      name,
      values: name === "host" ? [sent.authority] : headerValues(sent.headers, name),
    })),
    payload: (isSigned ? (header ?? request?.bodySha256) : undefined) ?? parameter ?? UNSIGNED_PAYLOAD,
    scope: { date: facts.date, region: facts.region, service: facts.service },
    time: facts.time,
    secret,
  });
}

/** What a diagnosis works on. */
interface Case {
  readonly version: S3Version;
  readonly subject: Subject;
  readonly facts: S3Facts;
  /** What would be signed for the request as it was sent. */
  readonly input: V4Input;
  readonly keys: readonly S3Credentials[];
}

/** Finds the cause: what the server says, then what the grammar says, then what key or canonical request show, then the clock. */
export async function diagnoseS3(given: Case): Promise<Diagnosis> {
  const { facts, subject } = given;
  const { error, now } = subject;
  const said = error === undefined || isMismatch(error) ? undefined : serverCause(error, now);
  const signature = await checkSignature(given);
  if (said !== undefined) return { ...signature, cause: refine(said, given) };
  const malformed = grammarCause(given);
  if (malformed !== undefined) return { ...signature, cause: malformed };
  if (error !== undefined && isMismatch(error)) {
    return { ...signature, cause: signature.cause ?? scopeCause(given) ?? noEvidence() };
  }
  const late = timeCause(facts, now);
  const other = signature.cause ?? scopeCause(given);
  if (late === undefined || other === undefined) return { ...signature, cause: late ?? other };
  // A server tells the time first, and a new URL from the same signer would have the other fault again.
  return { ...signature, cause: { ...late, evidence: [...late.evidence, `Besides: ${other.sentence}`] } };
}

// Where the URL itself shows why the server says what it says, that is the better explanation.
function refine(said: Cause, given: Case): Cause {
  const empty = s3Traps(given.subject.url).find(({ name }) => name === "empty-body-checksum");
  if (said.code === "CHECKSUM" && empty !== undefined) {
    return {
      ...said,
      sentence: empty.text,
      fix: "Sign without a checksum, or with the checksum of the body that is sent.",
    };
  }
  if (said.code === "MALFORMED") return grammarCause(given) ?? scopeCause(given) ?? said;
  return said;
}

function grammarCause({ version, subject: { sent, sentUrl, request }, facts, input }: Case): Cause | undefined {
  try {
    const received = {
      request: sent,
      wire: sentUrl.wire,
      origin: `${sentUrl.protocol}://${sent.authority}`,
      wildcard: "",
    };
    version.checkGrammar(received);
    const missing = input.headers.filter(({ values }) => values.length === 0).map(({ name }) => name);
    if (missing.length === 0 || request?.headers === undefined) return undefined;
    return {
      code: "HEADER",
      sentence: `The URL was signed with the header ${missing.join(", ")}, which was not sent.`,
      evidence: [`X-Amz-SignedHeaders=${facts.signedHeaders.join(";")}`],
      fix: `Send ${missing.join(", ")} with exactly the value that was signed.`,
    };
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    const code =
      error.code === "UNSIGNED_HEADER" || error.code === "AMBIGUOUS_AUTHENTICATION" ? error.code : "MALFORMED";
    return {
      code,
      sentence: `The request is refused before its signature is looked at: ${error.message}.`,
      evidence: [],
      fix:
        code === "MALFORMED"
          ? "Pass the URL on byte for byte as it was made; quote it in a shell."
          : "Send only what was signed.",
    };
  }
}

function scopeCause({ version, subject: { url }, facts: { region, regionSet, service } }: Case): Cause | undefined {
  const { services } = version.dialect;
  if (service !== services[0] && service !== "s3express") {
    return {
      code: "SERVICE",
      sentence: `The URL was signed for the service ${service}, and S3 expects ${services[0]}.`,
      evidence: [],
      fix: `Sign for the service ${services[0]}.`,
    };
  }
  if (regionSet !== undefined) return undefined;
  const hostRegion = amazonRegion(url.authority);
  if (hostRegion === undefined || hostRegion === region) return undefined;
  return {
    code: "REGION",
    sentence: `The URL was signed for the region ${region} and its host is in ${hostRegion}.`,
    evidence: [`host ${url.authority}`],
    fix: `Sign for ${hostRegion}, or use the endpoint of ${region}.`,
  };
}

async function checkSignature(given: Case): Promise<Diagnosis> {
  const { version, subject, facts, input, keys } = given;
  const own = keys.filter(({ accessKeyId }) => accessKeyId === facts.accessKeyId);
  if (keys.length === 0) return fromErrorBody(subject, input, told(facts)) ?? changedWithoutKey(given);
  const variantsOf = v4Variants(v4Hints(subject));
  const fits = version.matcher(facts);
  let hypotheses: readonly Hypothesis[] = [];
  for (const { accessKeyId, secretAccessKey } of own.length > 0 ? own : keys) {
    const keyed = { ...input, secret: secretAccessKey };
    if (await fits(keyed)) return matching(subject, facts, keyed, accessKeyId);
    // The URL as it was given comes first, so that what was changed on the way is named as such.
    const asSigned = signedInput(given, secretAccessKey);
    if (await fits(asSigned)) return { cause: changedOnTheWay(asSigned, keyed), method: asSigned.method };
    const found = await searchAsync(keyed, variantsOf, fits, "signed");
    hypotheses = found.hypotheses;
    if (found.cause !== undefined) return signedOtherwise(subject, found.cause, { hypotheses, method: input.method });
  }
  const shown = fromErrorBody(subject, input, told(facts));
  return {
    hypotheses,
    cause: own.length === 0 ? unknownKey(facts, keys) : (shown?.cause ?? wrongSecret(facts, hypotheses)),
  };
}

/** The request that the given URL stands for, whatever was sent. */
function signedInput({ version, subject, facts }: Case, secret: string): V4Input {
  const { url, sent, sentUrl } = subject;
  const signed = sentUrl === url ? subject : { ...subject, sentUrl: url, sent: { ...sent, authority: url.authority } };
  return s3Input(version, signed, facts, secret);
}

function unknownKey({ accessKeyId }: S3Facts, keys: readonly S3Credentials[]): Cause {
  return {
    code: "UNKNOWN_KEY",
    sentence: `The URL was signed by ${accessKeyId}, and the given keys are ${keys.map((key) => key.accessKeyId).join(", ")}.`,
    evidence: [],
    fix: "Give the key that signed.",
  };
}

function wrongSecret({ accessKeyId }: S3Facts, hypotheses: readonly Hypothesis[]): Cause {
  return {
    code: "WRONG_SECRET",
    sentence: `The URL was signed with another secret than the given one of ${accessKeyId}, or changed in a way that is not among the usual ones.`,
    evidence: [`No variant fits: ${hypotheses.map(({ code, tried }) => `${code} ${tried}`).join(", ")}.`],
    fix: "Compare the secret that the signer uses with the server's; look for a rotated key.",
  };
}

/** The signature fits the request and the key. Whatever the server says then, the difference is on its side. */
function matching(subject: Subject, facts: S3Facts, input: V4Input, accessKeyId: string): Diagnosis {
  const { error, now } = subject;
  if (accessKeyId !== facts.accessKeyId) {
    return {
      method: input.method,
      cause: {
        code: "UNKNOWN_KEY",
        sentence: `The URL names the key ${facts.accessKeyId} and was signed with the secret of ${accessKeyId}.`,
        evidence: [],
        fix: "Use id and secret of one key.",
      },
    };
  }
  if (error === undefined || !isMismatch(error)) return { method: input.method };
  const shown = fromErrorBody(subject, input, told(facts));
  if (shown?.cause !== undefined && shown.cause.code !== "WRONG_SECRET") return { ...shown, method: input.method };
  return {
    method: input.method,
    cause: {
      code: "WRONG_SECRET",
      sentence: `The signature is right for this request and the given secret: the server holds another secret for ${facts.accessKeyId}, or a proxy changed the request before it arrived.`,
      evidence: [`checked at ${now.toISOString()}`],
      fix: "Compare the server's secret with this one; then look at proxies between client and server.",
    },
  };
}

/** Without a key: the request was sent to another URL than the one given. */
function changedWithoutKey(given: Case): Diagnosis {
  return { cause: changedOnTheWay(signedInput(given, ""), given.input) };
}

/** The method that AWS's SDK for JavaScript writes down as the operation. */
function told({ operation }: S3Facts): ToldMethod | undefined {
  const method = methodOfOperation(operation);
  return method === undefined ? undefined : { method, by: `x-id=${operation}` };
}
