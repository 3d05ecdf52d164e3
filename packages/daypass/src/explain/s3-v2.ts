import { isDaypassError } from "../errors.ts";
import type { S3Credentials } from "../s3/credentials.ts";
import { s3V2StringToSign } from "../s3/v2/canonical.ts";
import { checkS3V2 } from "../s3/v2/check.ts";
import { detectS3V2, parseS3V2 } from "../s3/v2/parse.ts";
import { headerValues } from "../wire.ts";
import type { Diagnosis, Explained, Explainer, Subject } from "./explainer.ts";
import type { Cause, Trap } from "./explanation.ts";
import { isS3Credentials, s3Resource, spellings } from "./s3-facts.ts";
import { type V2Input, v2Input, v2Variants } from "./s3-v2-variants.ts";
import { isMismatch, serverCause } from "./server-cause.ts";
import { readParameters, s3Traps, urlTraps } from "./traps.ts";
import { search } from "./variants.ts";

/** S3 presigned URLs in the legacy Signature Version 2. */
export const s3V2Explainer: Explainer = { detects: detectS3V2, explain: explainS3V2 };

interface Facts {
  readonly accessKeyId: string;
  readonly signature: string;
  readonly expires: string;
  readonly endsAt: Date | undefined;
  readonly token: string | undefined;
}

function readFacts({ url }: Subject): Facts {
  const values = new Map(readParameters(url));
  const expires = values.get("Expires") ?? "";
  return {
    accessKeyId: values.get("AWSAccessKeyId") ?? "",
    signature: values.get("Signature") ?? "",
    expires,
    endsAt: /^\d{1,11}$/.test(expires) ? new Date(Number(expires) * 1000) : undefined,
    token: values.get("x-amz-security-token"),
  };
}

function explainS3V2(subject: Subject): Explained {
  const { url, now } = subject;
  const facts = readFacts(subject);
  const key = subject.keys.filter(isS3Credentials).find(({ accessKeyId }) => accessKeyId === facts.accessKeyId);
  const input = v2Input(subject, { expires: facts.expires, secret: key?.secretAccessKey ?? "" });
  const { cause, hypotheses, method } = diagnose(subject, facts, input, key);
  const { accessKeyId, token, endsAt } = facts;
  const isTemporary = token !== undefined || accessKeyId.startsWith("ASIA");
  return {
    explanation: {
      scheme: "s3/v2",
      summary: `An S3 presigned URL in the legacy Signature Version 2 for ${s3Resource(url)}, signed by ${accessKeyId || "nobody"}${endsAt === undefined ? "" : `, valid until ${endsAt.toISOString()}`}.`,
      signedBy: accessKeyId,
      grants: { methods: method === undefined ? undefined : [method], resource: s3Resource(url) },
      binds: [
        "method",
        "bucket",
        "key",
        "end",
        "sub-resources and response-* parameters",
        "headers content-md5, content-type and x-amz-*",
      ],
      leavesOpen: [
        "scheme and host",
        "every other query parameter",
        "every other header",
        "body",
        "who uses it, from where, and how often",
      ],
      endsAt:
        key?.expiration !== undefined && endsAt !== undefined && key.expiration < endsAt ? key.expiration : endsAt,
      mayEndEarlier: isTemporary
        ? "with the temporary credentials that signed it: minutes to hours, 36 hours at most, whatever the URL says"
        : "when the access key that signed it is deactivated or loses the permission",
      mustSend: signedParameterHeaders(subject),
      traps: [...urlTraps(url).filter(({ name }) => name !== "host-port"), ...s3Traps(url), ...v2Traps(facts, now)],
      cause,
      hypotheses,
      stringToSign: key === undefined ? undefined : s3V2StringToSign(input),
    },
    hidden: [...spellings(facts.signature), ...spellings(token)],
  };
}

// botocore writes the headers that it signed into the query, too.
function signedParameterHeaders({ url }: Subject): readonly { readonly name: string; readonly value: string }[] {
  return readParameters(url)
    .filter(([name]) => /^content-(?:type|md5)$/.test(name))
    .map(([name, value]) => ({ name, value }));
}

function diagnose(subject: Subject, facts: Facts, input: V2Input, key: S3Credentials | undefined): Diagnosis {
  const { error, now } = subject;
  const said = error === undefined || isMismatch(error) ? undefined : serverCause(error, now);
  if (said !== undefined) return { cause: said };
  const malformed = grammarCause(subject);
  if (malformed !== undefined && malformed.code !== "UNSIGNED_PARAMETER") return { cause: malformed };
  const signature = checkSignature(subject, facts, input, key);
  const ended = error === undefined ? endCause(facts, now) : undefined;
  return { ...signature, cause: ended ?? signature.cause ?? missingHeader(subject) ?? malformed };
}

function grammarCause({ sent, sentUrl }: Subject): Cause | undefined {
  try {
    parseS3V2({ request: sent, wire: sentUrl.wire, origin: "", wildcard: "" }, new Set());
    return undefined;
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    const known = ["AMBIGUOUS_AUTHENTICATION", "UNSIGNED_PARAMETER"].find((code) => code === error.code);
    return {
      code: (known as "AMBIGUOUS_AUTHENTICATION" | "UNSIGNED_PARAMETER" | undefined) ?? "MALFORMED",
      sentence: `The request is refused before its signature is looked at: ${error.message}.`,
      evidence: [],
      fix: "Pass the URL on byte for byte as it was made (a + in the signature travels as %2B); quote it in a shell.",
    };
  }
}

function endCause({ endsAt }: Facts, now: Date): Cause | undefined {
  if (endsAt === undefined || now.getTime() < endsAt.getTime()) return undefined;
  return {
    code: "EXPIRED",
    sentence: `The URL has expired: it ended at ${endsAt.toISOString()}.`,
    evidence: [`now ${now.toISOString()}`],
    fix: "Ask for a new URL.",
  };
}

function missingHeader(subject: Subject): Cause | undefined {
  if (subject.request?.headers === undefined) return undefined;
  for (const { name, value } of signedParameterHeaders(subject)) {
    if (headerValues(subject.sent.headers, name)[0] === value) continue;
    return {
      code: "HEADER",
      sentence: `The URL was signed with the header ${name}: ${value}, which was not sent so.`,
      evidence: [`the parameter ${name} of the URL`],
      fix: `Send ${name}: ${value}.`,
    };
  }
  return undefined;
}

function checkSignature(subject: Subject, facts: Facts, input: V2Input, key: S3Credentials | undefined): Diagnosis {
  const { keys, error, request } = subject;
  const variantsOf = v2Variants(subject);
  const theirs = error?.fields.get("StringToSign");
  if (key === undefined) {
    if (theirs !== undefined) return fromStringToSign(input, theirs, variantsOf);
    const others = keys.filter(isS3Credentials).map(({ accessKeyId }) => accessKeyId);
    if (others.length === 0) return {};
    return {
      cause: {
        code: "UNKNOWN_KEY",
        sentence: `The URL was signed by ${facts.accessKeyId}, and the given keys are ${others.join(", ")}.`,
        evidence: [],
        fix: "Give the key that signed.",
      },
    };
  }
  const fits = (tried: V2Input): boolean =>
    checkS3V2(tried, { secretAccessKey: tried.secret, signature: facts.signature }).matches;
  if (fits(input)) {
    if (theirs === undefined) return { method: input.method };
    return { ...fromStringToSign(input, theirs, variantsOf), method: input.method };
  }
  const { cause, hypotheses } = search(input, variantsOf, fits, "signed");
  if (cause !== undefined) {
    const method = cause.code === "METHOD" ? /signed for ([A-Z]+)/.exec(cause.sentence)?.[1] : input.method;
    return cause.code === "METHOD" && request?.method === undefined ? { method } : { cause, hypotheses, method };
  }
  return {
    cause: {
      code: "WRONG_SECRET",
      sentence: `The URL was signed with another secret than the given one of ${facts.accessKeyId}, or changed in a way that is not among the usual ones.`,
      evidence: [`No variant fits: ${hypotheses.map(({ code, tried }) => `${code} ${tried}`).join(", ")}.`],
      fix: "Compare the secret that the signer uses with the server's; look for a rotated key.",
    },
    hypotheses,
  };
}

function fromStringToSign(input: V2Input, theirs: string, variantsOf: ReturnType<typeof v2Variants>): Diagnosis {
  const method = theirs.split("\n")[0] ?? input.method;
  const ours = { ...input, method };
  const fits = (tried: V2Input): boolean => s3V2StringToSign(tried) === theirs;
  if (!fits(ours)) {
    const found = search(ours, variantsOf, fits, "seen");
    if (found.cause !== undefined) return found;
  }
  return {
    cause: {
      code: "WRONG_SECRET",
      sentence:
        "The secret is wrong, or the URL was changed after signing: the server's string to sign is what the URL implies, and still the signatures differ.",
      evidence: [`The server saw the method ${method}: if that is not what was signed, it is the cause.`],
      fix: "Compare the URL with the one that was made, and the signer's secret with the server's. With the key given, explain finds the usual changes.",
    },
  };
}

const SEVEN_DAYS = 604_800_000;

function v2Traps({ endsAt, token, expires }: Facts, now: Date): readonly Trap[] {
  const traps: Trap[] = [
    {
      name: "sigv2",
      text: "Signature Version 2: host, scheme and all query parameters but sub-resources are open, and AWS regions since 2014 refuse it.",
    },
  ];
  const left = endsAt === undefined ? Number.NaN : endsAt.getTime() - now.getTime();
  if (left > SEVEN_DAYS)
    traps.push({ name: "too-long-life", text: "It lives for more than seven days; SigV2 has no maximum." });
  if (left <= 0) traps.push({ name: "expired", text: `It ended at ${endsAt?.toISOString() ?? ""}.` });
  if (/^\d{13}$/.test(expires)) {
    traps.push({ name: "milliseconds", text: "Expires looks like milliseconds; it counts seconds." });
  }
  if (token !== undefined) {
    traps.push({
      name: "session-token",
      text: "The URL carries a session token and dies with it, whatever Expires says.",
    });
  }
  return traps;
}
