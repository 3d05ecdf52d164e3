import { isDaypassError } from "../errors.ts";
import { UNSIGNED_PAYLOAD } from "../s3/canonical.ts";
import type { S3Credentials } from "../s3/credentials.ts";
import { checkSignatureForm, parseS3 } from "../s3/parse.ts";
import { AWS4 } from "../v4.ts";
import { headerValues } from "../wire.ts";
import type { Diagnosis, Subject } from "./explainer.ts";
import type { Cause, Hypothesis } from "./explanation.ts";
import { amazonRegion, methodOfOperation, type S3Facts } from "./s3-facts.ts";
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
import { type V4Dialect, type V4Input, v4Input, v4Signature, v4Variants } from "./v4-variants.ts";
import { search } from "./variants.ts";

/** SigV4 as S3 has it. */
export const S3_DIALECT: V4Dialect = {
  name: "S3",
  family: AWS4,
  prefix: "X-Amz-",
  optional: /^X-Amz-(?:Content-Sha256|Security-Token)$/,
  lost: ["GetObject", "PutObject", "DeleteObject", "HeadObject", "UploadPart"].map((operation) => ["x-id", operation]),
  regions: ["us-east-1", "auto", "eu-west-1", "us-west-2", "garage", ""],
  services: ["s3", "s3express", "s3-object-lambda", "execute-api"],
  hasSecret: true,
};

/** What would be signed for the request as it was sent. */
export function s3Input({ sent, sentUrl, request }: Subject, facts: S3Facts, secret: string): V4Input {
  const header = headerValues(sent.headers, "x-amz-content-sha256")[0];
  const parameter = readParameters(sentUrl).find(([name]) => name === "X-Amz-Content-Sha256")?.[1];
  const isSigned = facts.signedHeaders.includes("x-amz-content-sha256");
  return v4Input({
    dialect: S3_DIALECT,
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

/** Finds the cause: what the server says, then what the grammar says, then what key or canonical request show, then the clock. */
export function diagnoseS3(
  subject: Subject,
  facts: S3Facts,
  input: V4Input,
  keys: readonly S3Credentials[],
): Diagnosis {
  const { error, now } = subject;
  const said = error === undefined || isMismatch(error) ? undefined : serverCause(error, now);
  const signature = checkSignature(subject, facts, input, keys);
  if (said !== undefined) return { ...signature, cause: refine(said, facts, subject) };
  const malformed = grammarCause(subject);
  if (malformed !== undefined) return { ...signature, cause: malformed };
  if (error !== undefined && isMismatch(error)) {
    return { ...signature, cause: signature.cause ?? scopeCause(facts, subject) ?? noEvidence() };
  }
  const late = timeCause(facts, now);
  const other = signature.cause ?? scopeCause(facts, subject);
  if (late === undefined || other === undefined) return { ...signature, cause: late ?? other };
  // A server tells the time first, and a new URL from the same signer would have the other fault again.
  return { ...signature, cause: { ...late, evidence: [...late.evidence, `Besides: ${other.sentence}`] } };
}

// Where the URL itself shows why the server says what it says, that is the better explanation.
function refine(said: Cause, facts: S3Facts, subject: Subject): Cause {
  const empty = s3Traps(subject.url).find(({ name }) => name === "empty-body-checksum");
  if (said.code === "CHECKSUM" && empty !== undefined) {
    return {
      ...said,
      sentence: empty.text,
      fix: "Sign without a checksum, or with the checksum of the body that is sent.",
    };
  }
  if (said.code === "MALFORMED") return grammarCause(subject) ?? scopeCause(facts, subject) ?? said;
  return said;
}

function grammarCause({ sent, sentUrl, request }: Subject): Cause | undefined {
  try {
    const received = {
      request: sent,
      wire: sentUrl.wire,
      origin: `${sentUrl.protocol}://${sent.authority}`,
      wildcard: "",
    };
    const parsed = parseS3(received);
    checkSignatureForm(parsed.signature);
    const missing = parsed.headers.filter(({ values }) => values.length === 0).map(({ name }) => name);
    if (missing.length === 0 || request?.headers === undefined) return undefined;
    return {
      code: "HEADER",
      sentence: `The URL was signed with the header ${missing.join(", ")}, which was not sent.`,
      evidence: [`X-Amz-SignedHeaders=${parsed.signedHeaders}`],
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

function scopeCause({ region, service }: S3Facts, { url }: Subject): Cause | undefined {
  if (service !== "s3" && service !== "s3express") {
    return {
      code: "SERVICE",
      sentence: `The URL was signed for the service ${service}, and S3 expects s3.`,
      evidence: [],
      fix: "Sign for the service s3.",
    };
  }
  const hostRegion = amazonRegion(url.authority);
  if (hostRegion === undefined || hostRegion === region) return undefined;
  return {
    code: "REGION",
    sentence: `The URL was signed for the region ${region} and its host is in ${hostRegion}.`,
    evidence: [`host ${url.authority}`],
    fix: `Sign for ${hostRegion}, or use the endpoint of ${region}.`,
  };
}

function checkSignature(subject: Subject, facts: S3Facts, input: V4Input, keys: readonly S3Credentials[]): Diagnosis {
  const own = keys.filter(({ accessKeyId }) => accessKeyId === facts.accessKeyId);
  if (keys.length === 0) return fromErrorBody(subject, input, told(facts)) ?? changedWithoutKey(subject, facts, input);
  const variantsOf = v4Variants(v4Hints(subject));
  const fits = (tried: V4Input): boolean => v4Signature(tried) === facts.signature;
  let hypotheses: readonly Hypothesis[] = [];
  for (const { accessKeyId, secretAccessKey } of own.length > 0 ? own : keys) {
    const keyed = { ...input, secret: secretAccessKey };
    if (fits(keyed)) return matching(subject, facts, keyed, accessKeyId);
    // The URL as it was given comes first, so that what was changed on the way is named as such.
    const asSigned = signedInput(subject, facts, secretAccessKey);
    if (fits(asSigned)) return { cause: changedOnTheWay(asSigned, keyed), method: asSigned.method };
    const found = search(keyed, variantsOf, fits, "signed");
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
function signedInput(subject: Subject, facts: S3Facts, secret: string): V4Input {
  const { url, sent, sentUrl } = subject;
  if (sentUrl === url) return s3Input(subject, facts, secret);
  return s3Input({ ...subject, sentUrl: url, sent: { ...sent, authority: url.authority } }, facts, secret);
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
function changedWithoutKey(subject: Subject, facts: S3Facts, input: V4Input): Diagnosis {
  return { cause: changedOnTheWay(signedInput(subject, facts, ""), input) };
}

/** The method that AWS's SDK for JavaScript writes down as the operation. */
function told({ operation }: S3Facts): ToldMethod | undefined {
  const method = methodOfOperation(operation);
  return method === undefined ? undefined : { method, by: `x-id=${operation}` };
}
