import { isDaypassError } from "../../core/errors.ts";
import { joinTarget } from "../../edge/query.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { diagnose } from "../cause/diagnosis.ts";
import { refusedCause } from "../cause/grammar.ts";
import { missingHeader, addressCause as networkCause } from "../cause/request.ts";
import type { Diagnosis, SplitUrl, Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { openHeaders, otherValue, untold } from "../search/unknowns.ts";
import { PUBLIC_KEY } from "../search/work.ts";
import type { EdgeExplainKey } from "./keys.ts";
import type { EdgeClaims, EdgeKind } from "./kind.ts";
import { damagedKeys, type EdgeInput, edgeVariants } from "./variants.ts";

// Verifiers report these only after the signature matched.
const LATER =
  /^(?:EXPIRED|NOT_YET_VALID|IP_NOT_GRANTED|METHOD_NOT_GRANTED|KEY_SCOPE|UNENFORCED_CONSTRAINT|WRONG_AUDIENCE|WRONG_SUBJECT)$/;
const GRAMMAR = /^(?:MALFORMED|AMBIGUOUS_AUTHENTICATION|DOT_SEGMENTS)$/;

interface Found<K> {
  readonly facts: EdgeClaims;
  /** Facts of the URL that was sent. */
  readonly sentFacts: EdgeClaims;
  readonly keys: readonly K[];
}

/** Finds the cause. The verifier of the scheme checks each guess. */
export async function diagnoseEdge<K extends EdgeExplainKey>(
  kind: EdgeKind<K>,
  subject: Subject,
  { facts, sentFacts, keys }: Found<K>,
): Promise<Diagnosis> {
  const { sent, sentUrl, known } = subject;
  const { keyId, mustSend = [], signs } = facts;
  const named = keys.map((key) => ({ key, id: kind.nameOf?.(key) ?? kind.signedBy }));
  const isNamed = ({ id }: { readonly id: string }): boolean =>
    keyId === undefined || kind.nameOf === undefined || id === keyId;
  const own = named.find(isNamed)?.key;
  const headers = mustSend.map(({ name }) => ({ name, values: headerValues(sent.headers, name.toLowerCase()) }));
  const open = known.headers ? [] : openHeaders(headers);
  // A signed address or header value that is not given makes every check of the signature impossible.
  const lacksAddress = signs.address === true && sent.remoteAddress === undefined;
  // With any value, the verifier can read the rest.
  const filler = open.map(({ name }) => [name, "-"] as const);
  const readable = { ...subject, sent: { ...sent, headers: [...sent.headers, ...filler] } };
  const otherwise = eachOnce((key: K) => [...(kind.otherwise?.(key) ?? [])]);
  const damaged = eachOnce((key: K) => [...damagedKeys(key)]);
  const inputFor = (url: SplitUrl): EdgeInput<K> => ({
    method: sent.method,
    origin: `${url.protocol}://${url === sentUrl ? sent.authority : url.authority}`,
    path: url.wire.path,
    query: url.wire.query,
    address: sent.remoteAddress,
    key: own ?? kind.someKey(facts, url),
  });
  const verdictOf = judge(kind, readable);
  const verdict = await verdictOf(inputFor(sentUrl));
  const broken = brokenEscape(verdict.error);
  return diagnose<EdgeInput<K>>(subject, () => ({
    subject,
    signedBy: keyId,
    keys:
      lacksAddress || open.length > 0
        ? []
        : named.map(({ key, id }) => ({ id, isNamed: isNamed({ id }), put: (input) => ({ ...input, key }) })),
    inputFor,
    // No server of an edge shows the text that it signed.
    textOf: () => "",
    fits: async (input) => (await verdictOf(input)).code === "",
    unknowns: (input) => [input],
    methodIsFree: true,
    // Each try runs a whole verifier, which reads the path several times.
    keyWork: PUBLIC_KEY + 4 * sentUrl.wire.path.length,
    readsAnyway: true,
    // Any spelling of the path with valid escapes would pass for the signed one.
    variantsOf: (input) => (broken === undefined ? edgeVariants(input, { facts, subject, otherwise, damaged }) : []),
    asSeen: (key) => (kind.ownRefusal !== undefined && signs.host ? otherOrigin(sentUrl, key) : undefined),
    beside: (wrong) => otherValue(headers, wrong),
    grammar: lacksAddress
      ? undefined
      : (missingHeader(
          subject,
          headers.map(({ name }) => name),
        ) ??
        broken ??
        (GRAMMAR.test(verdict.code) ? refusedCause(verdict.error) : undefined) ??
        otherUrls(sentFacts, inputFor(sentUrl))),
    times: { startsAt: facts.startsAt, endsAt: facts.endsAt },
    other:
      own === undefined
        ? networkCause(subject, facts.clients)
        : open.length > 0
          ? untold(open)
          : addressCause(subject, verdict.error),
  }));
}

/** Applications check the whole address. Behind a proxy they see another one unless they are configured for it. */
function otherOrigin({ protocol, authority }: SplitUrl, { fits }: { readonly fits: boolean }): Cause {
  const proxy = protocol === "https" ? `a proxy that ends TLS (http://${authority})` : "a proxy";
  return {
    code: "HOST",
    sentence: `${fits ? "The signature is right for this URL and the given key: most likely" : "Most likely"} the application sees a different address than the URL's, as behind ${proxy}.${fits ? "" : " Or the URL was changed, or signed with another key: without the key, explain cannot tell which."}`,
    evidence: [],
    fix: "Let the application trust its proxy (Laravel: TrustProxies, Symfony: framework.trusted_proxies), and let the proxy send X-Forwarded-Proto, -Host and -Port.",
  };
}

/** Memoizes a function of one argument. */
function eachOnce<K, R>(make: (key: K) => R): (key: K) => R {
  const kept = new Map<K, { readonly made: R }>();
  return (key) => {
    const entry = kept.get(key) ?? { made: make(key) };
    kept.set(key, entry);
    return entry.made;
  };
}

interface Verdict {
  /** Empty if the signature matches, even if something else is wrong. */
  readonly code: string;
  readonly error: unknown;
}

/**
 * Checks guesses with the verifier of the scheme. Most guesses share key and origin, and creating a verifier reads the key. Two
 * changes in either order give the same guess, so verdicts are memoized.
 */
function judge<K extends EdgeExplainKey>(
  kind: EdgeKind<K>,
  { sent, sentUrl, now }: Subject,
): (input: EdgeInput<K>) => Promise<Verdict> {
  const allowUnsigned = readParameters(sentUrl).map(([name]) => name);
  const verifierOf = eachOnce((key: K) =>
    eachOnce((origin: string) =>
      kind.verifier(key, {
        origins: [canonicalOrigin(origin)],
        methods: [sent.method],
        withoutExpiry: "accept",
        allowUnsigned,
        clock: () => now,
      }),
    ),
  );
  const verdict = async ({ method, origin, path, query, address, key }: EdgeInput<K>): Promise<Verdict> => {
    try {
      const authority = origin.replace(/^https?:\/\//, "");
      const request = { ...sent, method, target: joinTarget(path, query), authority, remoteAddress: address };
      await verifierOf(key)(origin).verify(request);
      return { code: "", error: undefined };
    } catch (error) {
      if (!isDaypassError(error)) throw error;
      return { code: LATER.test(error.code) ? "" : error.code, error };
    }
  };
  const verdictsOf = eachOnce((_key: K) => new Map<string, Promise<Verdict>>());
  return (input) => {
    const { key, ...guess } = input;
    const verdicts = verdictsOf(key);
    const name = JSON.stringify(Object.values(guess));
    const known = verdicts.get(name) ?? verdict(input);
    verdicts.set(name, known);
    return known;
  };
}

/** The form that the option `origins` requires. */
function canonicalOrigin(origin: string): string {
  return origin.toLowerCase().replace(/^(https:.*):443$|^(http:.*):80$/, "$1$2");
}

/** URI Signing normalises the URL, which requires valid escapes. */
function brokenEscape(error: unknown): Cause | undefined {
  if (!isDaypassError(error) || error.code !== "MALFORMED" || error.details["parameter"] !== "target") return undefined;
  return {
    code: "MALFORMED",
    sentence: "The URL has a % without two hexadecimal digits after it: it is refused before its signature is checked.",
    evidence: [],
    fix: "Write a % in a name as %25 before the URL is signed.",
  };
}

/** A verifier reports a URL outside the token's scope like a wrong signature. */
function otherUrls({ covers, below }: EdgeClaims, { origin, path, query }: EdgeInput<unknown>): Cause | undefined {
  if (covers === undefined || covers(canonicalOrigin(origin))) return undefined;
  return {
    code: "PATH",
    sentence: `The token is for other URLs: for ${below ?? "one that it does not show"}, and not for ${origin}${path}${query === "" ? "" : " with its query"}.`,
    evidence: [],
    fix: "Request a URL that the token covers, or ask for a token for this one.",
  };
}

function addressCause({ request }: Subject, error: unknown): Cause | undefined {
  if (request?.remoteAddress === undefined || !isDaypassError(error) || error.code !== "IP_NOT_GRANTED")
    return undefined;
  return {
    code: "IP",
    sentence: `The token is for another client address: ${error.message}.`,
    evidence: ["The signature is right."],
    fix: "Sign for the address that the server sees; behind a proxy it differs.",
  };
}
