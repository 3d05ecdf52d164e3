import type { S3Credentials } from "../../../schemes/s3/credentials.ts";
import { isSubResource, s3V2StringToSign } from "../../../schemes/s3/v2/canonical.ts";
import { checkS3V2 } from "../../../schemes/s3/v2/check.ts";
import { detectS3V2, isAuthParameter, parseS3V2 } from "../../../schemes/s3/v2/parse.ts";
import { headerValues } from "../../../wire/raw-target.ts";
import { type Case, type CaseKey, diagnose } from "../../cause/diagnosis.ts";
import { grammarCause } from "../../cause/grammar.ts";
import { earlier } from "../../cause/life.ts";
import { isMismatch } from "../../cause/server-cause.ts";
import { compareTexts } from "../../cause/text-compare.ts";
import type { Undecided } from "../../cause/undecided.ts";
import type { ServerError } from "../../error-body.ts";
import type { Explained, Explainer, Subject } from "../../explainer.ts";
import type { Cause, Trap } from "../../explanation.ts";
import { readParameters } from "../../parameters.ts";
import { shownHeaders, withMethods, withTypes } from "../../search/unknowns.ts";
import { CONTENT_TYPES } from "../../search/variants.ts";
import { spellings } from "../../secrets.ts";
import { endTraps, s3Traps, urlTraps } from "../../traps.ts";
import { isS3Credentials, keyEndCause, s3Cause, s3Resource, tokenCause, untilKeyEnds, uploadMark } from "../facts.ts";
import { hoistedType, type V2Input, v2Input, v2Variants } from "./variants.ts";

/** S3 presigned URLs in the legacy Signature Version 2. */
export const s3V2Explainer: Explainer = { detects: detectS3V2, explain: explainS3V2 };

interface Facts {
  readonly accessKeyId: string;
  readonly signature: string;
  readonly expires: string;
  readonly endsAt: Date | undefined;
  readonly token: string | undefined;
  /** Parameters that the holder can change. */
  readonly open: readonly string[];
}

/** Headers that are signed and that boto writes into the query, too. */
const HOISTED = /^(?:x-amz-.*|content-(?:type|md5))$/i;

function readFacts({ url }: Subject): Facts {
  const values = new Map(readParameters(url));
  const expires = values.get("Expires") ?? "";
  return {
    accessKeyId: values.get("AWSAccessKeyId") ?? "",
    signature: values.get("Signature") ?? "",
    expires,
    endsAt: /^\d{1,11}$/.test(expires) ? new Date(Number(expires) * 1000) : undefined,
    token: values.get(TOKEN),
    open: [...values.keys()].filter((name) => !isAuthParameter(name) && !isSubResource(name) && !HOISTED.test(name)),
  };
}

async function explainS3V2(subject: Subject): Promise<Explained> {
  const { url, now } = subject;
  const facts = readFacts(subject);
  const { cause, hypotheses, method, fitting } = await diagnose(subject, (from) => caseOf(from, facts));
  const key = ownKey(subject.keys.filter(isS3Credentials), facts.accessKeyId, fitting);
  const input = v2Input(subject, { expires: facts.expires, secret: key?.secretAccessKey ?? "" });
  const shown = fitting === undefined ? [] : shownHeaders(implied(fitting, subject));
  const hoisted = signedParameterHeaders(subject).filter(({ name }) => shown.every((other) => other.name !== name));
  const { accessKeyId, token, endsAt } = facts;
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
      endsAt: endsAt && earlier(endsAt, key?.expiration ?? undefined),
      mayEndEarlier: untilKeyEnds(facts),
      mustSend: [...hoisted, ...shown],
      traps: [...urlTraps(url).filter(({ name }) => name !== "host-port"), ...s3Traps(url), ...v2Traps(facts, now)],
      cause,
      hypotheses,
      stringToSign: key === undefined ? undefined : s3V2StringToSign(fitting ?? input),
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

/** The key whose secret gave the signature; where none did, the first of that id. */
function ownKey(keys: readonly S3Credentials[], id: string, fitting: V2Input | undefined): S3Credentials | undefined {
  const own = keys.filter(({ accessKeyId }) => accessKeyId === id);
  return own.find(({ secretAccessKey }) => secretAccessKey === fitting?.secret) ?? own[0];
}

const TOKEN = "x-amz-security-token";

function caseOf(subject: Subject, facts: Facts): Case<V2Input> {
  const { accessKeyId, signature, expires, endsAt } = facts;
  const given = subject.keys.filter(isS3Credentials);
  const keys = given.map(
    (key): CaseKey<V2Input> => ({
      id: key.accessKeyId,
      isNamed: key.accessKeyId === accessKeyId,
      put: (input) => ({ ...input, secret: key.secretAccessKey }),
    }),
  );
  const { sent, error, now } = subject;
  const isRefused = error !== undefined && isMismatch(error);
  return {
    subject,
    signedBy: accessKeyId,
    keys,
    inputFor: (url) => {
      const authority = url === subject.sentUrl ? sent.authority : url.authority;
      return v2Input({ ...subject, sentUrl: url, sent: { ...sent, authority } }, { expires, secret: "" });
    },
    textOf: s3V2StringToSign,
    fits: (tried) => checkS3V2(tried, { secretAccessKey: tried.secret, signature }).matches,
    variantsOf: v2Variants(subject),
    unknowns: (input) =>
      withTypes(withMethods(input, subject.known), subject.known, (one, contentType) => ({ ...one, contentType }), [
        hoistedType(subject),
        ...CONTENT_TYPES,
      ]),
    implied: (input) => implied(input, subject),
    difference: compareTexts,
    shown: error?.fields.get("StringToSign"),
    grammar: readGrammar(subject),
    told: uploadMark(subject),
    said: (told) => {
      if (told.code === "UnauthorizedAccess") return legacy(told);
      const cause = s3Cause(told, now);
      const isTemporary = cause?.code === "UNKNOWN_KEY" && accessKeyId.startsWith("ASIA");
      return (isTemporary ? tokenCause(facts, TOKEN, subject) : undefined) ?? cause;
    },
    times: { endsAt },
    other: hoistedHeader(subject),
    otherOf: (fitting) => {
      const own = ownKey(given, accessKeyId, fitting);
      const token = own?.sessionToken ? tokenCause(facts, TOKEN, subject) : undefined;
      return isRefused ? undefined : (token ?? keyEndCause(own, endsAt, now));
    },
  };
}

/** Backblaze B2 takes a URL of this version for one without a signature, and says that nobody may use the bucket. */
function legacy({ code, message }: ServerError): Cause {
  return {
    code: "LEGACY_SIGNATURE",
    sentence: "The server does not support Signature Version 2, and treated the request as unsigned.",
    evidence: [`The server says ${code}: ${message}`],
    fix: "Sign with Signature Version 4.",
  };
}

/** Headers that were sent and are signed without being named. What stands in the query is not among them. */
function implied({ contentMd5, contentType, amz }: V2Input, { sentUrl }: Subject): Undecided["headers"] {
  const hoisted = readParameters(sentUrl).map(([name]) => name.toLowerCase());
  const content = { "content-md5": contentMd5, "content-type": contentType };
  return [
    ...Object.entries(content).flatMap(([name, value]) => (value === "" ? [] : [{ name, values: [value] }])),
    ...amz.filter(({ name }) => !hoisted.includes(name)),
  ];
}

/** Only Daypass refuses what is not signed. */
function readGrammar({ sent, sentUrl }: Subject): Cause | undefined {
  const allowed = new Set(readParameters(sentUrl).map(([name]) => name));
  const received = { request: sent, wire: sentUrl.wire, origin: "", wildcard: "" };
  return grammarCause(() => parseS3V2(received, allowed), { refusesHeaders: true });
}

/** A header that stands in the query and was not sent so. */
function hoistedHeader(subject: Subject): Cause | undefined {
  if (!subject.known.headers) return undefined;
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

function v2Traps({ endsAt, token, expires, open }: Facts, now: Date): readonly Trap[] {
  const traps: Trap[] = [
    {
      name: "sigv2",
      text: "Signature Version 2: host, scheme and all query parameters but sub-resources are open, and AWS regions since 2014 refuse it.",
    },
  ];
  if (open.length > 0) {
    const text = `${open.join(", ")}: not signed, whoever holds the URL can change it. S3 serves it anyway, a Daypass server refuses it.`;
    traps.push({ name: "open-parameters", text });
  }
  traps.push(...endTraps(endsAt, expires, now));
  if (token !== undefined) {
    traps.push({
      name: "session-token",
      text: "The URL carries a session token and expires with it, whatever Expires says.",
    });
  }
  return traps;
}
