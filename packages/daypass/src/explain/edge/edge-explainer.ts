import type { EdgeVerifierOptions, ExpiryOptions, UnsignedOptions } from "../../edge-verify.ts";
import { isDaypassError } from "../../errors.ts";
import type { Grant, Verifier, WireRequest } from "../../scheme.ts";
import { describeWeakness, type Weakness } from "../../weakness.ts";
import { headerValues } from "../../wire.ts";
import { type Case, diagnose } from "../cause/diagnosis.ts";
import { grammarCause, refusedCause } from "../cause/grammar.ts";
import { missingHeader, addressCause as networkCause } from "../cause/request.ts";
import { checkWhole } from "../cause/whole-signature.ts";
import type { Explained, Explainer, SplitUrl, Subject } from "../explainer.ts";
import type { Cause, ExplainKey, MustSend, Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { openHeaders, otherValue, untold } from "../search/unknowns.ts";
import { spellings } from "../secrets.ts";
import { endTraps, urlTraps } from "../traps.ts";
import type { EdgeExplainKey } from "./keys.ts";
import { type EdgeInput, edgeVariants } from "./variants.ts";

/** What a URL says of itself, read without a key and without a judgement. */
export interface EdgeFacts {
  /** `""` where it is missing. */
  readonly signature: string;
  /** How many characters a whole one has, where the verifier takes any. */
  readonly lengths?: readonly number[] | undefined;
  /** The name of the key, where the token tells it. */
  readonly keyId?: string | undefined;
  /** The end as it stands there. */
  readonly end: string;
  readonly startsAt?: Date | undefined;
  readonly endsAt: Date | undefined;
  /** Without a token in it. */
  readonly path?: string | undefined;
  /** `"everything below …"`, where it is for more than one path. */
  readonly below?: string | undefined;
  readonly binds: readonly string[];
  readonly leavesOpen: readonly string[];
  readonly weak: readonly Weakness[];
  readonly mustSend?: readonly MustSend[] | undefined;
  readonly traps?: readonly Trap[] | undefined;
  /** Whether it is for this URL, by what it says itself. Missing where the signature of one exact path tells. */
  covers?(origin: string): boolean;
  /** Parameters of the token. The others are signed with it, or not at all. */
  isOwn(name: string): boolean;
  /** The client's addresses that it is for, where it tells them. */
  readonly clients?: string | undefined;
  readonly signs: { readonly host: boolean; readonly query: boolean; readonly address: boolean };
}

/** One edge scheme as it is explained: its own verifier judges every guess. */
export interface EdgeKind<K extends EdgeExplainKey> {
  readonly scheme: K["scheme"];
  /** What it is, as the beginning of a sentence. */
  readonly what: string;
  readonly signedBy: string;
  readonly mayEndEarlier: string;
  /** Whether a request has its names and their form. With a key the names are the key's. */
  detects(request: WireRequest): boolean;
  read(url: SplitUrl, cookie: (name: string) => string | undefined, key: K | undefined): EdgeFacts;
  /** Some key of the right form, where none is given. */
  someKey(facts: EdgeFacts, url: SplitUrl): K;
  nameOf?(key: K): string;
  verifier(key: K, options: EdgeVerifierOptions & ExpiryOptions & UnsignedOptions): Verifier<Grant>;
  /** The same key, set up otherwise. */
  otherwise?(key: K): Iterable<readonly [what: string, key: K]>;
}

export function edgeExplainer<K extends EdgeExplainKey>(kind: EdgeKind<K>): Explainer {
  return {
    detects: kind.detects,
    detectsByKey: (request, keys) =>
      ofScheme(kind, keys).some((key) => attempt(() => kind.verifier(key, ANY_OPTIONS).detects(request))),
    checkKey: (key) => ofScheme(kind, [key]).map((own) => kind.verifier(own, ANY_OPTIONS)).length > 0,
    explain: (subject) => explainEdge(kind, subject),
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
      leavesOpen: facts.leavesOpen,
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
  sentence: "The token was damaged on its way: a + in its signature was not sent as %2B, and is read as a space.",
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
  text: "It is for one client's address, which is signed and not in the URL: only with that address can it be checked.",
};

function unsignedTraps(url: SplitUrl, { signs, isOwn }: EdgeFacts): readonly Trap[] {
  const open = signs.query ? [] : readParameters(url).filter(([name]) => !isOwn(name));
  if (open.length === 0) return [];
  const names = open.map(([name]) => name).join(", ");
  return [{ name: "unsigned-parameter", text: `${names}: not signed, whoever holds the URL can change it.` }];
}

// Refusals that come after a signature has been found to fit.
const LATER =
  /^(?:EXPIRED|NOT_YET_VALID|IP_NOT_GRANTED|METHOD_NOT_GRANTED|KEY_SCOPE|UNENFORCED_CONSTRAINT|WRONG_AUDIENCE|WRONG_SUBJECT)$/;
const GRAMMAR = /^(?:MALFORMED|AMBIGUOUS_AUTHENTICATION|DOT_SEGMENTS)$/;

interface Found<K> {
  readonly facts: EdgeFacts;
  /** Those of the URL that was sent. */
  readonly sentFacts: EdgeFacts;
  readonly keys: readonly K[];
}

async function diagnoseEdge<K extends EdgeExplainKey>(
  kind: EdgeKind<K>,
  subject: Subject,
  { facts, sentFacts, keys }: Found<K>,
): Promise<Pick<Explained["explanation"], "cause" | "hypotheses">> {
  const { sent, sentUrl, known } = subject;
  const { keyId, mustSend = [] } = facts;
  const names = keys.map((key) => kind.nameOf?.(key) ?? kind.signedBy);
  const fitting = keys.filter((_key, i) => keyId === undefined || kind.nameOf === undefined || names[i] === keyId);
  const headers = mustSend.map(({ name }) => ({ name, values: headerValues(sent.headers, name.toLowerCase()) }));
  const open = known.headers ? [] : openHeaders(headers);
  // What is signed and not known leaves nothing to be checked: an address, the value of a header.
  const lacksAddress = facts.signs.address && sent.remoteAddress === undefined;
  const isBlind = lacksAddress || open.length > 0;
  // Some value, so that the rest can be read.
  const filler = open.map(({ name }) => [name, "-"] as const);
  const readable = { ...subject, sent: { ...sent, headers: [...sent.headers, ...filler] } };
  const inputFor = (url: SplitUrl): EdgeInput<K> => ({
    method: sent.method,
    origin: `${url.protocol}://${url === sentUrl ? sent.authority : url.authority}`,
    path: url.wire.path,
    query: url.wire.query,
    address: sent.remoteAddress,
    key: fitting[0] ?? kind.someKey(facts, url),
  });
  const refusal = (input: EdgeInput<K>): Promise<{ readonly code: string; readonly error: unknown }> =>
    judge(kind, readable, input);
  const isFitting = async (input: EdgeInput<K>): Promise<boolean> => /^$/.test((await refusal(input)).code);
  const told = await refusal(inputFor(sentUrl));
  const found: Case<EdgeInput<K>> = {
    subject,
    signedBy: keyId,
    keys: isBlind
      ? []
      : keys.map((key, i) => ({
          id: names[i] as string,
          isNamed: fitting.includes(key),
          put: (input) => ({ ...input, key }),
        })),
    inputFor,
    textOf: () => "",
    fits: isFitting,
    // None of them signs the method.
    unknowns: (input) => [input],
    variantsOf: (input) => edgeVariants(input, { facts, subject, otherwise: (key) => kind.otherwise?.(key) ?? [] }),
    beside: (wrong) => otherValue(headers, wrong),
    grammar: lacksAddress
      ? undefined
      : (missingHeader(
          subject,
          headers.map(({ name }) => name),
        ) ??
        grammarOf(told) ??
        otherUrls(sentFacts, inputFor(sentUrl))),
    times: { startsAt: facts.startsAt, endsAt: facts.endsAt },
    other:
      fitting.length === 0
        ? networkCause(subject, facts.clients)
        : open.length > 0
          ? untold(open)
          : addressCause(subject, told.error),
  };
  // A server of an edge shows nothing of what it computes.
  return diagnose(subject, () => found);
}

/** The verifier's own judgement: `code` is empty where the signature fits, whatever else is wrong. */
async function judge<K extends EdgeExplainKey>(
  kind: EdgeKind<K>,
  { sent, sentUrl, now }: Subject,
  { method, origin, path, query, address, key }: EdgeInput<K>,
): Promise<{ readonly code: string; readonly error: unknown }> {
  const names = readParameters(sentUrl).map(([name]) => name);
  try {
    const verifier = kind.verifier(key, {
      origins: [canonicalOrigin(origin)],
      methods: [method],
      withoutExpiry: "accept",
      allowUnsigned: names,
      clock: () => now,
    });
    const target = query === "" ? path : `${path}?${query}`;
    const authority = origin.replace(/^https?:\/\//, "");
    await verifier.verify({ ...sent, method, target, authority, remoteAddress: address });
    return { code: "", error: undefined };
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    return { code: LATER.test(error.code) ? "" : error.code, error };
  }
}

/** As `origins` has to be written. */
function canonicalOrigin(origin: string): string {
  return origin.toLowerCase().replace(/^(https:.*):443$|^(http:.*):80$/, "$1$2");
}

function grammarOf({ code, error }: { readonly code: string; readonly error: unknown }): Cause | undefined {
  return GRAMMAR.test(code) ? refusedCause(error) : undefined;
}

/** A verifier refuses a URL that its token is not for as it does one with a wrong signature. */
function otherUrls(
  { covers, below }: EdgeFacts,
  { origin, path, query }: Pick<EdgeInput<unknown>, "origin" | "path" | "query">,
): Cause | undefined {
  if (covers === undefined || covers(canonicalOrigin(origin))) return undefined;
  return {
    code: "PATH",
    sentence: `The token is for other URLs: for ${below ?? "one that it does not show"}, and not for ${origin}${path}${query === "" ? "" : " with its query"}.`,
    evidence: [],
    fix: "Ask for a URL that the token covers, or for a token of its own.",
  };
}

function addressCause({ request }: Subject, error: unknown): Cause | undefined {
  if (request?.remoteAddress === undefined || !isDaypassError(error) || error.code !== "IP_NOT_GRANTED")
    return undefined;
  return {
    code: "IP",
    sentence: `The client's address is not the one that the token is for: ${error.message}.`,
    evidence: ["The signature is right."],
    fix: "Sign for the address as the server sees it; behind a proxy that is another one.",
  };
}
