import type { WireRequest } from "../../core/contracts.ts";
import { isDaypassError } from "../../core/errors.ts";
import { describeWeakness, type Weakness } from "../../core/weakness.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { grammarCause } from "../cause/grammar.ts";
import { checkWhole } from "../cause/whole-signature.ts";
import type { Explained, Explainer, SplitUrl, Subject } from "../explainer.ts";
import type { Cause, ExplainKey, Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { spellings } from "../secrets.ts";
import { endTraps, urlTraps } from "../traps.ts";
import { diagnoseEdge } from "./diagnosis.ts";
import type { EdgeExplainKey } from "./keys.ts";
import type { EdgeFacts, EdgeKind } from "./kind.ts";

export function edgeExplainer<K extends EdgeExplainKey>(kind: EdgeKind<K>): Explainer {
  return {
    detects: kind.detects,
    detectsByKey: (request, keys) =>
      ofScheme(kind, keys).some((key) => attempt(() => kind.verifier(key, ANY_OPTIONS).detects(request))),
    checkKey: (key) => ofScheme(kind, [key]).map((own) => kind.verifier(own, ANY_OPTIONS)).length > 0,
    explain: (subject) => explainEdge(kind, subject),
    detectsOtherwise: (request, keys) =>
      ofScheme(kind, keys)
        .flatMap((key) => [...(kind.otherwise?.(key) ?? [])])
        .some(([, key]) => attempt(() => kind.verifier(key, ANY_OPTIONS).detects(request))),
    answersWithPages: true,
    ownRefusal: kind.ownRefusal,
  };
}

// What a verifier detects depends on none of them.
const ANY_OPTIONS = { origins: ["https://example.com"], withoutExpiry: "accept" } as const;

function ofScheme<K extends EdgeExplainKey>({ scheme }: EdgeKind<K>, keys: readonly ExplainKey[]): readonly K[] {
  return keys.filter((key): key is ExplainKey & K => "scheme" in key && key.scheme === scheme);
}

/** A key that the factory refuses detects nothing. */
function attempt(ask: () => boolean): boolean {
  try {
    return ask();
  } catch (error) {
    if (isDaypassError(error)) return false;
    throw error;
  }
}

async function explainEdge<K extends EdgeExplainKey>(kind: EdgeKind<K>, subject: Subject): Promise<Explained> {
  const { url, sent, now } = subject;
  const cookie = (name: string): string | undefined => cookieOf(sent, name);
  const keys = ofScheme(kind, subject.keys);
  const [first] = keys;
  const facts = kind.read(url, cookie, first);
  const { endsAt, startsAt, below, signature, keyId, signs, weak } = facts;
  const sentFacts = subject.sentUrl === url ? facts : kind.read(subject.sentUrl, cookie, first);
  const { cause, hypotheses } = cutOff(sentFacts) ?? (await diagnoseEdge(kind, subject, { facts, sentFacts, keys }));
  const resource = below ?? `${url.protocol}://${url.authority}${facts.path ?? url.wire.path}`;
  const life = endsAt === undefined ? "" : `, valid until ${endsAt.toISOString()}`;
  return {
    explanation: {
      scheme: kind.scheme,
      summary: `${kind.what} for ${resource}${life}.`,
      signedBy: keyId ?? kind.signedBy,
      grants: { methods: ["GET", "HEAD"], resource },
      binds: facts.binds,
      leavesOpen: [...(below === undefined ? [] : ["which URL of those"]), ...facts.leavesOpen],
      startsAt,
      endsAt,
      mayEndEarlier: kind.mayEndEarlier,
      mustSend: facts.mustSend ?? [],
      traps: [
        ...urlTraps(url).filter(({ name }) => signs.host || name !== "host-port"),
        ...weakTraps(weak, endsAt),
        ...unsignedTraps(url, facts),
        ...(signs.address && sent.remoteAddress === undefined ? [SIGNED_ADDRESS] : []),
        ...(facts.traps ?? []),
        ...endTraps(endsAt, facts.end, now),
      ],
      cause,
      hypotheses,
    },
    hidden: spellings(signature),
  };
}

/** Not every verifier looks at the length before it compares. */
function cutOff({ signature, lengths }: EdgeFacts): Pick<Explained["explanation"], "cause" | "hypotheses"> | undefined {
  if (signature.includes(" ")) return { cause: PLUS_AS_SPACE };
  const cause = lengths && grammarCause(() => checkWhole("the token", signature, lengths));
  return cause && { cause };
}

// A space in a signature was a plus, which stands for one in a query.
const PLUS_AS_SPACE: Cause = {
  code: "MALFORMED",
  sentence: "The token was damaged in transit: a + in its signature was not sent as %2B, and is read as a space.",
  evidence: [],
  fix: "Percent-encode the signature once (encodeURIComponent), so that + travels as %2B.",
};

function cookieOf({ headers }: WireRequest, name: string): string | undefined {
  return headerValues(headers, "cookie")
    .flatMap((field) => field.split(";"))
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}

/** What is weak about every URL of the scheme; that it never ends is said of those only which do not. */
function weakTraps(weak: readonly Weakness[], endsAt: Date | undefined): readonly Trap[] {
  return weak
    .filter((weakness) => weakness !== "no-expiry" || endsAt === undefined)
    .map((weakness) => ({ name: weakness, text: `Weak by construction: ${describeWeakness(weakness)}.` }));
}

const SIGNED_ADDRESS: Trap = {
  name: "signed-address",
  text: "It is for one client's address, which is signed but not in the URL: it can be checked only with that address.",
};

function unsignedTraps(url: SplitUrl, { signs, isOwn }: EdgeFacts): readonly Trap[] {
  const open = signs.query ? [] : readParameters(url).filter(([name]) => !isOwn(name));
  if (open.length === 0) return [];
  const names = open.map(([name]) => name).join(", ");
  return [{ name: "unsigned-parameter", text: `${names}: not signed, whoever holds the URL can change it.` }];
}
