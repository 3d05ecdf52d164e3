import { isDaypassError } from "../../core/errors.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { type Case, diagnose } from "../cause/diagnosis.ts";
import { refusedCause } from "../cause/grammar.ts";
import { missingHeader, addressCause as networkCause } from "../cause/request.ts";
import type { Explained, SplitUrl, Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { openHeaders, otherValue, untold } from "../search/unknowns.ts";
import type { EdgeExplainKey } from "./keys.ts";
import type { EdgeFacts, EdgeKind } from "./kind.ts";
import { damagedKeys, type EdgeInput, edgeVariants } from "./variants.ts";

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

/** Finds the cause by the verifier of the scheme, which judges every guess. */
export async function diagnoseEdge<K extends EdgeExplainKey>(
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
  const otherwise = eachOnce((key: K) => [...(kind.otherwise?.(key) ?? [])]);
  const damaged = eachOnce((key: K) => [...damagedKeys(key)]);
  const inputFor = (url: SplitUrl): EdgeInput<K> => ({
    method: sent.method,
    origin: `${url.protocol}://${url === sentUrl ? sent.authority : url.authority}`,
    path: url.wire.path,
    query: url.wire.query,
    address: sent.remoteAddress,
    key: fitting[0] ?? kind.someKey(facts, url),
  });
  const refusal = judge(kind, readable);
  const isFitting = async (input: EdgeInput<K>): Promise<boolean> => (await refusal(input)).code === "";
  const told = await refusal(inputFor(sentUrl));
  const broken = brokenEscape(told.error);
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
    methodIsFree: true,
    // Whatever makes whole escapes of the path would be taken for what was signed.
    variantsOf: (input) => (broken === undefined ? edgeVariants(input, { facts, subject, otherwise, damaged }) : []),
    signsQuery: facts.signs.query,
    asSeen: (key) => (kind.ownRefusal !== undefined && facts.signs.host ? otherOrigin(sentUrl, key) : undefined),
    beside: (wrong) => otherValue(headers, wrong),
    grammar: lacksAddress
      ? undefined
      : (missingHeader(
          subject,
          headers.map(({ name }) => name),
        ) ??
        broken ??
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

/** What signs its whole address is checked by applications, and these see another one behind a proxy, if nobody tells them. */
function otherOrigin({ protocol, authority }: SplitUrl, { fits }: { readonly fits: boolean }): Cause {
  const proxy = protocol === "https" ? `a proxy that ends TLS (http://${authority})` : "a proxy";
  return {
    code: "HOST",
    sentence: `${fits ? "The signature is right for this URL and the given key: most likely" : "Most likely"} the application sees a different address than the URL's, as behind ${proxy}.${fits ? "" : " Or the URL was changed, or signed with another key: without the key, explain cannot tell which."}`,
    evidence: [],
    fix: "Let the application trust its proxy (Laravel: TrustProxies, Symfony: framework.trusted_proxies), and let the proxy send X-Forwarded-Proto, -Host and -Port.",
  };
}

/** What is made of a key: the same each time, by which it is known again. */
function eachOnce<K, R>(make: (key: K) => R): (key: K) => R {
  const kept = new Map<K, R>();
  return (key) => {
    const made = kept.has(key) ? (kept.get(key) as R) : make(key);
    kept.set(key, made);
    return made;
  };
}

interface Verdict {
  /** Empty where the signature fits, whatever else is wrong. */
  readonly code: string;
  readonly error: unknown;
}

/**
 * The verifier's own judgement. Most guesses differ in path or query alone, and to make a verifier for each would be to read the
 * key for each. Two changes lead to the same guess in either order, which is judged once.
 */
function judge<K extends EdgeExplainKey>(
  kind: EdgeKind<K>,
  { sent, sentUrl, now }: Subject,
): (input: EdgeInput<K>) => Promise<Verdict> {
  const names = readParameters(sentUrl).map(([name]) => name);
  const verifierOf = eachOnce((key: K) =>
    eachOnce((origin: string) =>
      eachOnce((method: string) =>
        kind.verifier(key, {
          origins: [canonicalOrigin(origin)],
          methods: [method],
          withoutExpiry: "accept",
          allowUnsigned: names,
          clock: () => now,
        }),
      ),
    ),
  );
  const verdictsOf = eachOnce((_key: K) => new Map<string, Promise<Verdict>>());
  const verdict = async ({ method, origin, path, query, address, key }: EdgeInput<K>): Promise<Verdict> => {
    try {
      const target = query === "" ? path : `${path}?${query}`;
      const authority = origin.replace(/^https?:\/\//, "");
      await verifierOf(key)(origin)(method).verify({ ...sent, method, target, authority, remoteAddress: address });
      return { code: "", error: undefined };
    } catch (error) {
      if (!isDaypassError(error)) throw error;
      return { code: LATER.test(error.code) ? "" : error.code, error };
    }
  };
  return (input) => {
    const { key, ...guess } = input;
    const verdicts = verdictsOf(key);
    const name = JSON.stringify(Object.values(guess));
    const known = verdicts.get(name) ?? verdict(input);
    verdicts.set(name, known);
    return known;
  };
}

/** As `origins` has to be written. */
function canonicalOrigin(origin: string): string {
  return origin.toLowerCase().replace(/^(https:.*):443$|^(http:.*):80$/, "$1$2");
}

function grammarOf({ code, error }: { readonly code: string; readonly error: unknown }): Cause | undefined {
  return GRAMMAR.test(code) ? refusedCause(error) : undefined;
}

/** URI Signing normalises the URL, for which its escapes have to be whole. */
function brokenEscape(error: unknown): Cause | undefined {
  if (!isDaypassError(error) || error.code !== "MALFORMED" || error.details["parameter"] !== "target") return undefined;
  return {
    code: "MALFORMED",
    sentence: "The URL has a % without two hexadecimal digits after it: it is refused before its signature is checked.",
    evidence: [],
    fix: "Write a % in a name as %25 before the URL is signed.",
  };
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
    fix: "Request a URL that the token covers, or ask for a token for this one.",
  };
}

function addressCause({ request }: Subject, error: unknown): Cause | undefined {
  if (request?.remoteAddress === undefined || !isDaypassError(error) || error.code !== "IP_NOT_GRANTED")
    return undefined;
  return {
    code: "IP",
    sentence: `The client's address is not the one that the token is for: ${error.message}.`,
    evidence: ["The signature is right."],
    fix: "Sign for the address that the server sees; behind a proxy it differs.",
  };
}
