import { UNSIGNED_PAYLOAD } from "../../schemes/s3/canonical.ts";
import { combineCauses } from "../cause/combine-causes.ts";
import { earlier } from "../cause/life.ts";
import { missingHeader } from "../cause/request.ts";
import { isMismatch, otherCause } from "../cause/server-cause.ts";
import type { Explained, Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { isSentAnyway } from "../search/unknowns.ts";
import { spellings } from "../secrets.ts";
import { lifeTraps, urlTraps } from "../traps.ts";
import { checkV4 } from "./check.ts";
import { learnSent, timeCause } from "./diagnosis.ts";
import { signedValue, type V4Input, v4CanonicalRequest, v4StringToSign } from "./input.ts";
import { readV4Facts, type V4Findings, type V4Scheme, v4GrammarCause, v4InputOf } from "./scheme.ts";

/** Explains a URL of the V4 family. */
export async function explainV4(given: Subject, scheme: V4Scheme): Promise<Explained> {
  const { url, now } = given;
  const { dialect } = scheme;
  const facts = readV4Facts(url, dialect.prefix);
  const { accessKeyId, signedAt, signedHeaders, signature, token, regionSet } = facts;
  const learnt = learnSent(given, (from) => v4InputOf(scheme, facts, from));
  const malformed = v4GrammarCause(scheme, facts, learnt);
  const subject = malformed === undefined ? learnt : { ...learnt, work: { ...learnt.work, searches: false } };
  const { error } = subject;
  const input = v4InputOf(scheme, facts, subject);
  const keys = scheme.keys(subject, facts);
  const { signer, ...checked } = await checkV4({ scheme, facts, subject, input, keys });
  const key = signer ?? keys.find(({ id }) => id === accessKeyId);
  const cause = firstCause({
    subject,
    headers: input.headers,
    signature: checked,
    said: error === undefined || isMismatch(error) ? undefined : scheme.said(error, now),
    malformed,
    late: timeCause(facts, now),
    ...scheme.findings?.({ scheme, subject, facts, input, signature: { ...checked, signer }, key }),
  });
  const method = checked.method ?? scheme.told?.(facts)?.method;
  const headers = signedHeaders.filter((name) => name !== "host");
  const endsAt = facts.endsAt && earlier(facts.endsAt, key?.credentials?.expiration ?? undefined);
  const resource = scheme.resource(url);
  const signed = { ...input, method: subject.known.method ? input.method : (method ?? input.method) };
  return {
    explanation: {
      scheme: scheme.scheme,
      summary: `${scheme.title} ${method === undefined ? "for" : `to ${method} the`} ${resource}, signed by ${accessKeyId || "nobody"}${scheme.place?.(facts) ?? ""}${endsAt === undefined ? "" : `, valid until ${endsAt.toISOString()}`}.`,
      signedBy: accessKeyId,
      grants: { methods: method === undefined ? undefined : [method], resource },
      binds: [
        "method",
        `host ${scheme.signedHost(url.authority)}`,
        "path",
        "all query parameters",
        "signing time and life",
        ...(regionSet === undefined ? [] : ["set of regions"]),
        ...headers.map((name) => `header ${name}`),
        ...(input.payload === UNSIGNED_PAYLOAD ? [] : ["body (its SHA-256)"]),
      ],
      leavesOpen: [
        scheme.open,
        ...openBody(input),
        ...(headers.includes("content-type") ? [] : ["header content-type"]),
        `all headers that are not listed, other than ${dialect.prefix.toLowerCase()}*`,
        "who uses it, from where, and how often",
      ],
      signedAt,
      startsAt: signedAt && scheme.startsAt(signedAt),
      endsAt,
      mayEndEarlier: scheme.mayEndEarlier(facts, key?.credentials),
      mustSend: headers.map((name) => ({ name, value: signedValue(checked.headers, name) })),
      traps: [
        ...urlTraps(url).filter(({ name }) => name !== "host-port" || scheme.signedHost(url.authority).includes(":")),
        ...lifeTraps(facts, now, `${dialect.prefix}Expires`),
        ...(method === "PUT" && !headers.includes("content-type") ? [OPEN_TYPE] : []),
        ...scheme.traps(url, facts, method),
      ],
      cause,
      hypotheses: checked.hypotheses,
      canonicalRequest: key && v4CanonicalRequest(signed),
      stringToSign: key && v4StringToSign(signed),
    },
    hidden: [signature, ...spellings(token)],
    keyFits: checked.keyFits,
    signsQuery: true,
  };
}

const OPEN_TYPE = {
  name: "open-content-type",
  text: "The Content-Type of this upload is not signed: the holder chooses it, even text/html.",
};

/** The URL does not show the value of a signed hash header, which may have been `UNSIGNED-PAYLOAD`. */
function openBody({ payload, headers }: V4Input): readonly string[] {
  if (payload !== UNSIGNED_PAYLOAD) return [];
  const open = headers.find(({ name, values }) => /^x-(?:amz|goog)-content-sha256$/.test(name) && values.length === 0);
  return [open === undefined ? "body" : `body, unless ${open.name} was signed with its hash`];
}

/** Chooses the cause: the server's answer, the grammar, key or canonical request, the clock. The URL's own faults come before a vague answer. */
function firstCause({
  subject,
  headers,
  signature,
  said,
  malformed,
  beside,
  certain,
  late,
}: V4Findings): Cause | undefined {
  const { error } = subject;
  if (said !== undefined && said.isGuess !== true) return said;
  if (malformed !== undefined) return malformed;
  const { cause: shown, keyFits } = signature;
  const isProven = shown === undefined ? keyFits === true : shown.isGuess !== true;
  // Clients send Content-Length with every body, so a list of headers need not contain it.
  const names = headers.map(({ name }) => name).filter((name) => !isSentAnyway(name));
  const missing = isProven && shown !== undefined ? undefined : missingHeader(subject, names);
  if (missing !== undefined) return missing;
  const other = isProven ? (shown ?? beside) : (beside ?? shown);
  if (error !== undefined && isMismatch(error)) return combineCauses(other, late);
  // Servers check the time first. A new URL from the same signer would have the other fault, too.
  const proven = isProven ? other : undefined;
  const failed = keyFits === false ? other : undefined;
  return combineCauses(late, proven) ?? proven ?? certain ?? failed ?? said ?? other ?? (error && otherCause(error));
}
