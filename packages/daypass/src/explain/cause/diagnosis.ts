import { NOT_VALID, type ServerError } from "../error-body.ts";
import type { Diagnosis, Subject } from "../explainer.ts";
import type { Cause, Hypothesis } from "../explanation.ts";
import { searchEach, type Variant, withCutNote } from "../search/search.ts";
import { learntFrom, ofKnown, otherValue, untried, withFacts, withMethods } from "../search/unknowns.ts";
import { compareCanonicalRequests, URL_AND_SERVER } from "../v4/compare.ts";
import { combineCauses, guess } from "./combine-causes.ts";
import { mixedKeys, noneFits, unknownKey } from "./keys.ts";
import { lifeCause, type Times } from "./life.ts";
import { isMismatch, otherCause, serverCause } from "./server-cause.ts";
import { type Signer, type StatedMethod, sentOtherwise, type Undecided, undecided } from "./undecided.ts";
import { oneCharacterOff, type Signatures } from "./whole-signature.ts";

/** The parts of a request that a signature depends on. */
export interface SignedInput {
  readonly method: string;
  readonly headers?: Undecided["headers"];
}

/** The facts about a URL whose signature covers one text. */
export interface Case<I extends SignedInput> {
  readonly subject: Subject;
  /** The signing key's name in the URL. `undefined` if the URL names no key. */
  readonly signedBy: string | undefined;
  /** The given keys of this scheme. */
  readonly keys: readonly CaseKey<I>[];
  /** The signed input for a URL, without a key. */
  inputFor(url: Subject["url"]): I;
  textOf(input: I): string;
  fits(input: I): boolean | Promise<boolean>;
  /** The URL's signature and the key's. Absent for keys that only verify. */
  readonly signatures?: Signatures<I> | undefined;
  variantsOf(input: I): Iterable<Variant<I>>;
  /** Possible requests if method or headers are unknown; by default, every method. */
  unknowns?(input: I): readonly I[];
  /** What a try costs beyond its bytes. */
  readonly keyWork?: number | undefined;
  /** Whether a change that a key proves can explain an unreadable URL. */
  readonly readsAnyway?: boolean | undefined;
  /** Whether HEAD is accepted with any signed method. */
  readonly headIsFree?: boolean | undefined;
  /** Whether no method is signed. */
  readonly methodIsFree?: boolean | undefined;
  /** Headers of an input that the signature covers without naming them. */
  implied?(input: I): Undecided["headers"];
  /** Headers that the URL names as signed. */
  readonly listed?: readonly string[] | undefined;
  /** The string to sign in the server's answer. */
  readonly shown?: string | undefined;
  /** The difference between the server's text and ours if no variant explains it. */
  difference?(ours: string, theirs: string, input: I): Cause | undefined;
  /** The canonical request of an input, to compare with the server's. */
  canonicalOf?(input: I): string;
  /** The meaning of the server's answer, except for a mismatch. */
  said?(error: ServerError): Cause | undefined;
  /** Another meaning of a key that fits nothing. */
  beside?(wrong: Cause): Cause | undefined;
  readonly grammar: Cause | undefined;
  readonly times: Times;
  /** The method that the URL states. */
  readonly told?: StatedMethod | undefined;
  readonly signer?: Signer | undefined;
  /** The usual meaning of a refusal: the server saw another address than was signed. */
  asSeen?(key: { readonly fits: boolean }): Cause | undefined;
  /** A fault that the URL shows, used if nothing else explains the refusal. */
  readonly other?: Cause | undefined;
  /** The same for the input that fits a key. */
  otherOf?(fitting: I | undefined): Cause | undefined;
}

/** One of the given keys. */
export interface CaseKey<I> {
  /** Its name, in the URL's form. */
  readonly id: string;
  /** Whether the URL names this key, or names none. */
  readonly isNamed: boolean;
  /** The input with this key. */
  put(input: I): I;
}

/** A diagnosis, and the input that a key fits. */
export interface CaseDiagnosis<I> extends Diagnosis {
  readonly fitting?: I | undefined;
}

/**
 * Finds the cause: from the server's answer, a key, the grammar and the clock, in this order. A fault of the URL outranks an
 * answer that servers give for everything.
 */
export async function diagnose<I extends SignedInput>(
  asked: Subject,
  caseOf: (subject: Subject) => Case<I>,
): Promise<CaseDiagnosis<I>> {
  const first = caseOf(asked);
  const learnt = learnSent(asked, first);
  const found = learnt === asked ? first : caseOf(learnt);
  // Servers do not check the signature of a URL that they cannot read.
  const work = {
    ...learnt.work.costing(found.keyWork ?? 0),
    ...(found.grammar && found.readsAnyway !== true && { searches: false }),
  };
  const given: Case<I> = { ...found, subject: { ...learnt, work } };
  const { subject, grammar, times, other } = given;
  const { error, now } = subject;
  const signature = await checkSignature(given);
  const read = given.said ?? ((told) => serverCause(told, now));
  const isRefused = error !== undefined && isMismatch(error);
  const said = error === undefined || isRefused ? undefined : read(error);
  if (said !== undefined && said.isGuess !== true) {
    return { ...signature, hypotheses: undefined, cause: said };
  }
  // A cause that a key proves outranks a grammar error.
  const isShown = signature.hypotheses?.some(({ fits }) => fits) === true;
  const unread = isShown ? undefined : grammar;
  if (unread !== undefined) return { ...signature, cause: unread };
  const late = lifeCause(times, now);
  // A new URL from the same signer would have the second fault again.
  const ended = isRefused ? undefined : combineCauses(late, isShown ? signature.cause : undefined);
  const cause = ended ?? signature.cause ?? other ?? given.otherOf?.(signature.fitting) ?? said;
  // Servers check the time before the signature, so the URL has expired since: the answer is from a log.
  if (isRefused) return { ...signature, cause: combineCauses(cause ?? mismatchCause(given, signature.fitting), late) };
  if (cause !== undefined || error === undefined) return { ...signature, cause };
  return {
    ...signature,
    cause: error.code === NOT_VALID ? mismatchCause(given, signature.fitting) : otherCause(error),
  };
}

/** The likeliest cause of a mismatch that nothing has explained. `fitting` is the input that a key fits. */
function mismatchCause<I extends SignedInput>(given: Case<I>, fitting: I | undefined): Cause {
  const { subject } = given;
  if (fitting === undefined) {
    const seen = given.asSeen?.({ fits: false });
    return seen === undefined ? likeliest(given, given.inputFor(subject.sentUrl), { isSame: false }) : guess(seen);
  }
  const right = { ...fitting, headers: [...listedHeaders(given, fitting), ...(given.implied?.(fitting) ?? [])] };
  const meant = given.asSeen?.({ fits: true }) ?? RIGHT;
  const known = given.methodIsFree === true ? { ...subject.known, method: true } : subject.known;
  return guess(sentOtherwise({ known }, right, meant) ?? meant);
}

/** Learns the method and headers of an unknown request: the server's text fits only one input. */
function learnSent<I extends SignedInput>(subject: Subject, given: Case<I>): Subject {
  const { shown, textOf, inputFor } = given;
  const { known } = subject;
  if (shown === undefined || (known.method && known.headers)) return subject;
  const inputs = possible(given, inputFor(subject.sentUrl));
  const found = inputs.find((input) => textOf(input).trimEnd() === shown.trimEnd());
  return found === undefined ? subject : learntFrom(subject, found);
}

/** The likeliest cause if neither a key nor the server's text decides. */
function likeliest<I extends SignedInput>(given: Case<I>, input: I, { isSame }: Pick<Undecided, "isSame">): Cause {
  const implied = given.implied?.(input);
  const signsType = implied !== undefined;
  const headers = listedHeaders(given, input);
  return undecided(given.subject, { ...given, headers, implied, signsType, computed: "what", isSame });
}

function listedHeaders<I extends SignedInput>({ listed = [] }: Case<I>, { headers = [] }: I): Undecided["headers"] {
  return headers.filter(({ name }) => listed.includes(name));
}

const RIGHT: Cause = {
  code: "WRONG_SECRET",
  sentence:
    "The signature is right for this request and the given key: the server has another key, or a proxy changed the request before it arrived.",
  evidence: [],
  fix: "Compare the key with the server's, then check the proxies between client and server.",
};

async function checkSignature<I extends SignedInput>(given: Case<I>): Promise<CaseDiagnosis<I>> {
  const { subject, fits, inputFor } = given;
  const { url, sentUrl } = subject;
  const meant = inputFor(url);
  const named = given.keys.filter(({ isNamed }) => isNamed);
  const inputs = named.map((key) => key.put(inputFor(sentUrl)));
  const input = await firstFitting(given, inputs);
  if (input !== undefined) {
    const { method, headers } = input;
    return { fitting: input, keyFits: true, method, headers, cause: fromShownText(given, input)?.cause };
  }
  for (const other of given.keys.filter(({ isNamed }) => !isNamed)) {
    const mixed = await firstFitting(given, [other.put(inputFor(sentUrl))]);
    if (mixed !== undefined) return { method: mixed.method, cause: mixedKeys(given.signedBy, other.id) };
  }
  if (inputs.length === 0) {
    const seen = fromShownText(given, meant);
    // If the server saw the signed request, no change in transit is the cause.
    const onTheWay =
      sentUrl === url || seen !== undefined ? undefined : changed(subject, "Only the URL that was sent differs.");
    return { cause: seen?.cause ?? onTheWay ?? otherKeys(given) ?? sameText(given, meant) };
  }
  const before =
    sentUrl === url
      ? undefined
      : await firstFitting(
          given,
          named.map((key) => key.put(meant)),
        );
  if (before !== undefined) return { method: before.method, headers: before.headers, cause: changed(subject) };
  const searches = inputs.map((input) => ({ inputs: possible(given, input), fits }));
  const tried = searches.flatMap(({ inputs }) => inputs);
  const off = given.signatures && (await oneCharacterOff(tried, given.signatures, subject.work));
  if (off !== undefined) return { ...off, method: off.input.method, headers: off.input.headers };
  const found = await searchEach(searches, { variantsOf: methodsOf(given), view: "signed", work: subject.work });
  const hypotheses = withFacts(found.hypotheses, searches[found.index]?.inputs ?? []);
  if (found.cause !== undefined) {
    const { method, headers } = found.input ?? (inputs[found.index] as I);
    return { cause: found.cause, hypotheses, method, headers };
  }
  return {
    hypotheses,
    keyFits: false,
    cause:
      fromShownText(given, meant)?.cause ??
      withCutNote(wrongKey(given, inputs, hypotheses), { isCut: found.isCut === true || !subject.work.searches }),
  };
}

async function firstFitting<I extends SignedInput>(given: Case<I>, inputs: readonly I[]): Promise<I | undefined> {
  for (const input of inputs.flatMap((one) => possible(given, one)))
    if (given.subject.work.take() && (await given.fits(input))) return input;
  return undefined;
}

function possible<I extends SignedInput>({ unknowns, subject }: Case<I>, input: I): readonly I[] {
  return unknowns?.(input) ?? withMethods(input, subject.known);
}

function methodsOf<I extends SignedInput>({ variantsOf, subject }: Case<I>): Case<I>["variantsOf"] {
  return ofKnown(variantsOf, subject);
}

function wrongKey<I extends SignedInput>(
  given: Case<I>,
  inputs: readonly I[],
  hypotheses: readonly Hypothesis[],
): Cause {
  const [input] = inputs;
  const isOpen = given.implied !== undefined && !given.subject.known.headers;
  const signer = given.signedBy === undefined ? "" : ` of ${given.signedBy}`;
  const type = isOpen ? ", or with an unusual content-type" : "";
  const cause: Cause = {
    code: "WRONG_SECRET",
    sentence: `The URL was signed with a different key than the given ${inputs.length === 1 ? "one" : "ones"}${signer}${type}, or changed in a way that explain does not recognize.`,
    evidence: [noneFits(hypotheses)],
    fix: "Compare the signer's key with the server's; look for a replaced key.",
  };
  const beside = given.beside?.(cause);
  if (beside !== undefined || input === undefined) return guess(beside ?? cause);
  const headers = listedHeaders(given, input);
  const sent = given.subject.known.headers ? [...headers, ...(given.implied?.(input) ?? [])] : headers;
  return guess(untried(given.subject, headers, cause) ?? otherValue(sent, cause) ?? cause);
}

// Every method, but not every header with each: this runs without a key, so it must be fast.
const MAX_SHOWN = 8;

/** The cause that the server's own text shows; no cause if it is the text of the URL. */
function fromShownText<I extends SignedInput>(
  given: Case<I>,
  input: I,
): { readonly cause: Cause | undefined } | undefined {
  const { subject, shown, textOf, canonicalOf } = given;
  const canonical = subject.error?.fields.get("CanonicalRequest");
  if (canonical !== undefined && canonicalOf !== undefined) {
    return { cause: compareCanonicalRequests(canonicalOf(input), canonical.trimEnd(), URL_AND_SERVER) };
  }
  if (shown === undefined) return undefined;
  const isShown = (tried: I): boolean => textOf(tried).trimEnd() === shown.trimEnd();
  const inputs = possible(given, input);
  if (inputs.some(isShown)) return { cause: undefined };
  for (const variant of inputs.slice(0, MAX_SHOWN).flatMap((one) => [...methodsOf(given)(one)])) {
    if (!isShown(variant.input)) continue;
    const evidence = ["With this one change the server's own text comes out exactly."];
    return { cause: { code: variant.code, sentence: variant.seen, evidence, fix: variant.fix } };
  }
  const cause: Cause = given.difference?.(textOf(input), shown, input) ?? {
    code: "QUERY",
    sentence: "The server's string to sign is not what the URL says: the request was changed in transit.",
    evidence: [`the URL says: ${JSON.stringify(textOf(input))}`, `the server saw: ${JSON.stringify(shown)}`],
    fix: "Pass the URL on byte for byte as it was made, and look for a proxy that decodes, adds or drops something.",
  };
  return { cause };
}

/** The server computed the URL's text, and yet a different signature. */
function sameText<I extends SignedInput>(given: Case<I>, input: I): Cause | undefined {
  const shown = fromShownText(given, input);
  return shown === undefined || shown.cause !== undefined ? undefined : likeliest(given, input, { isSame: true });
}

function otherKeys<I extends SignedInput>({ signedBy = "", keys }: Case<I>): Cause | undefined {
  return keys.length === 0 ? undefined : unknownKey({ signedBy, given: keys.map(({ id }) => id) });
}

/** The sent URL differs from the signed one. */
function changed(
  { url, sentUrl }: Subject,
  evidence = "The signature matches the URL that was signed, but not the URL that was sent.",
): Cause | undefined {
  const partsOf = (from: Subject["url"]): ReadonlyMap<string, string> =>
    new Map([
      ["path", from.wire.path],
      ["host", `${from.protocol}://${from.authority}`],
      ...from.wire.tokens.map(({ name, value = "" }) => [`query parameter ${name}`, value] as const),
    ]);
  const [before, after] = [partsOf(url), partsOf(sentUrl)];
  const differing = [...new Set([...before.keys(), ...after.keys()])].filter(
    (part) => before.get(part) !== after.get(part),
  );
  const [first = "query"] = differing;
  if (differing.length === 0 && url.wire.query === sentUrl.wire.query) return undefined;
  // A damaged signature or token is nearly as good as the whole one.
  const texts = differing.map((part) =>
    /sig|token|md5|hash|policy/i.test(part)
      ? `the ${part} was another one`
      : `the ${part} was ${before.get(part) ?? "absent"} and was sent as ${after.get(part) ?? "nothing"}`,
  );
  return {
    code: first === "path" ? "PATH" : first === "host" ? "HOST" : "QUERY",
    sentence: `The URL was changed in transit: ${texts.join("; ") || "the query was sent in another order or spelling"}.`,
    evidence: [evidence],
    fix: "Pass the URL on byte for byte.",
  };
}
