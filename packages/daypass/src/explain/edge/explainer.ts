import type { WireRequest } from "../../core/contracts.ts";
import { isDaypassError } from "../../core/errors.ts";
import { parseEpoch } from "../../core/time.ts";
import { describeWeakness } from "../../core/weakness.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { grammarCause } from "../cause/grammar.ts";
import { checkWhole } from "../cause/whole-signature.ts";
import type { Diagnosis, Explained, Explainer, SplitUrl, Subject } from "../explainer.ts";
import type { Cause, ExplainKey, Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { spellings } from "../secrets.ts";
import { endTraps, urlTraps } from "../traps.ts";
import { diagnoseEdge } from "./diagnosis.ts";
import type { EdgeExplainKey } from "./keys.ts";
import type { EdgeClaims, EdgeKind } from "./kind.ts";

export function edgeExplainer<K extends EdgeExplainKey>(kind: EdgeKind<K>): Explainer {
  const { scheme, detects, verifier, otherwise = () => [], ownRefusal } = kind;
  const ofScheme = (keys: readonly ExplainKey[]): readonly K[] =>
    keys.filter((key): key is ExplainKey & K => "scheme" in key && key.scheme === scheme);
  // A key that the factory refuses detects nothing.
  const detectsWith = (key: K, request: WireRequest): boolean =>
    attempt(() => verifier(key, ANY_OPTIONS).detects(request), false);
  return {
    detects:
      detects instanceof RegExp
        ? ({ target, headers }) => [target, ...headerValues(headers, "cookie")].some((text) => detects.test(text))
        : detects,
    detectsByKey: (request, keys) => ofScheme(keys).some((key) => detectsWith(key, request)),
    detectsOtherwise: (request, keys) =>
      ofScheme(keys)
        .flatMap((key) => [...otherwise(key)])
        .some(([, key]) => detectsWith(key, request)),
    checkKey: (key) => ofScheme([key]).map((own) => verifier(own, ANY_OPTIONS)).length > 0,
    explain: (subject) => explainEdge(kind, subject, ofScheme(subject.keys)),
    answersWithPages: true,
    ownRefusal,
  };
}

// Detection depends on none of these.
const ANY_OPTIONS = { origins: ["https://example.com"], withoutExpiry: "accept" } as const;

/** A default for input that a scheme refuses. */
export function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (isDaypassError(error)) return otherwise;
    throw error;
  }
}

async function explainEdge<K extends EdgeExplainKey>(
  kind: EdgeKind<K>,
  subject: Subject,
  keys: readonly K[],
): Promise<Explained> {
  const { url, sentUrl, sent, now } = subject;
  const read = (from: SplitUrl): EdgeClaims => {
    const facts = kind.read({
      url: from,
      values: new Map(readParameters(from)),
      key: keys[0],
      cookie: (name) => cookieOf(sent, name),
    });
    return { signs: {}, ...facts, endsAt: "endsAt" in facts ? facts.endsAt : parseEpoch(facts.end) };
  };
  const facts = read(url);
  const { endsAt, startsAt, below, signature, keyId, signs, mustSend = [], leavesOpen = openParts(facts) } = facts;
  const sentFacts = sentUrl === url ? facts : read(sentUrl);
  const { cause, hypotheses, keyFits } =
    cutOff(sentFacts) ?? (await diagnoseEdge(kind, subject, { facts, sentFacts, keys }));
  const resource = below ?? `${url.protocol}://${url.authority}${facts.path ?? url.wire.path}`;
  const life = endsAt === undefined ? "" : `, valid until ${endsAt.toISOString()}`;
  return {
    explanation: {
      scheme: kind.scheme,
      summary: `${kind.what} for ${resource}${life}.`,
      signedBy: keyId ?? kind.signedBy,
      grants: { methods: ["GET", "HEAD"], resource },
      binds: facts.binds,
      leavesOpen: [...(below === undefined ? [] : ["which URL of those"]), ...leavesOpen],
      startsAt,
      endsAt,
      mayEndEarlier: kind.mayEndEarlier ?? `when ${kind.signedBy} is replaced`,
      mustSend,
      traps: [
        ...urlTraps(url).filter(({ name }) => signs.host === true || name !== "host-port"),
        ...weakTraps(facts),
        ...unsignedTraps(url, facts),
        ...(signs.address && sent.remoteAddress === undefined ? [SIGNED_ADDRESS] : []),
        ...(facts.traps ?? []),
        ...endTraps(endsAt, facts.end, now),
      ],
      cause,
      hypotheses,
    },
    hidden: spellings(signature),
    keyFits,
    signsQuery: signs.query,
  };
}

/** Any client, any number of times. */
export const ANYONE = "who uses it, from where, and how often";

function openParts({ signs: { host, query, address }, isForOne, mustSend = [] }: EdgeClaims): readonly string[] {
  return [
    "method",
    ...(host ? [] : ["scheme and host"]),
    ...(query ? [] : ["query"]),
    mustSend.length === 0 ? "headers" : "other headers",
    "body",
    address || isForOne ? "how often it is used" : ANYONE,
  ];
}

/** Some verifiers do not check the length before they compare. */
function cutOff({ signature, lengths }: EdgeClaims): Diagnosis | undefined {
  if (signature.includes(" ")) return { cause: PLUS_AS_SPACE };
  const cause = lengths && grammarCause(() => checkWhole("the token", signature, lengths));
  return cause && { cause };
}

const PLUS_AS_SPACE: Cause = {
  code: "MALFORMED",
  sentence: "The token was damaged in transit: a + in its signature was not sent as %2B, and is read as a space.",
  evidence: [],
  fix: "Percent-encode the signature once (encodeURIComponent), so that + travels as %2B.",
};

/** The first cookie of this name. The verifier refuses a second one. */
function cookieOf({ headers }: WireRequest, name: string): string | undefined {
  return headerValues(headers, "cookie")
    .flatMap((field) => field.split(";"))
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}

function weakTraps({ weak = [], endsAt }: EdgeClaims): readonly Trap[] {
  return weak
    .filter((weakness) => weakness !== "no-expiry" || endsAt === undefined)
    .map((weakness) => ({ name: weakness, text: `Weak by construction: ${describeWeakness(weakness)}.` }));
}

const SIGNED_ADDRESS: Trap = {
  name: "signed-address",
  text: "It is for one client's address, which is signed but not in the URL: it can be checked only with that address.",
};

function unsignedTraps(url: SplitUrl, { signs, isOwn }: EdgeClaims): readonly Trap[] {
  const open = signs.query ? [] : readParameters(url).filter(([name]) => !isOwn(name));
  if (open.length === 0) return [];
  const names = open.map(([name]) => name).join(", ");
  return [{ name: "unsigned-parameter", text: `${names}: not signed, the holder of the URL can change it.` }];
}
