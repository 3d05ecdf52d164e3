import { isDaypassError } from "../errors.ts";
import { coveringNetwork, isInside } from "../ip.ts";
import { headerValues } from "../wire.ts";
import type { ServerError } from "./error-body.ts";
import type { Diagnosis, Subject } from "./explainer.ts";
import type { Cause, Hypothesis, Trap } from "./explanation.ts";
import { isMismatch, serverCause } from "./server-cause.ts";
import { noEvidence, signedOtherwise } from "./v4-diagnosis.ts";
import { searchAsync, type Variant } from "./variants.ts";

/** What is known of a URL whose signature covers one text. */
export interface Case<I extends { readonly method: string }> {
  readonly subject: Subject;
  /** Who signed, as the URL says. */
  readonly signedBy: string;
  /** The given keys of this scheme by the same kind of name, whether they fit or not. */
  readonly given: readonly string[];
  /** What would be signed for a URL: the one that was sent, and the one that was meant. Without a key. */
  inputFor(url: Subject["url"]): I;
  /** An input with each key that may have signed. */
  keyed(input: I): readonly I[];
  textOf(input: I): string;
  fits(input: I): boolean | Promise<boolean>;
  variantsOf(input: I): Iterable<Variant<I>>;
  /** The text that the server says it has signed. */
  readonly shown?: string | undefined;
  /** What the server's code says, but for a mismatch. */
  said?(error: ServerError): Cause | undefined;
  readonly grammar: Cause | undefined;
  readonly times: Times;
  /** What the URL itself shows, where nothing else does. */
  readonly other?: Cause | undefined;
}

/** When a URL begins and ends, as it says itself. */
export interface Times {
  readonly startsAt?: Date | undefined;
  readonly endsAt: Date | undefined;
}

/** A diagnosis, and the input that has the URL's signature where a key has shown it. */
export interface CaseDiagnosis<I> extends Diagnosis {
  readonly fitting?: I | undefined;
}

/** Finds the cause: what the server says, then what a key shows, then the grammar, then the clock. */
export async function diagnose<I extends { readonly method: string }>(given: Case<I>): Promise<CaseDiagnosis<I>> {
  const { subject, grammar, times, other } = given;
  const { error, now } = subject;
  const signature = await checkSignature(given);
  const read = given.said ?? ((told) => serverCause(told, now));
  const said = error === undefined || isMismatch(error) ? undefined : read(error);
  if (said !== undefined) return { ...signature, hypotheses: undefined, cause: said };
  // What a key has shown is the sharper answer to a request that cannot be read either.
  const isShown = signature.hypotheses?.some(({ fits }) => fits) === true;
  const late = error === undefined ? lifeCause(times, now) : undefined;
  const cause = (isShown ? undefined : grammar) ?? late ?? signature.cause ?? other;
  if (cause !== undefined || error === undefined) return { ...signature, cause };
  return { ...signature, cause: signature.fitting === undefined ? noEvidence() : RIGHT };
}

const RIGHT: Cause = {
  code: "WRONG_SECRET",
  sentence:
    "The signature is right for this request and the given key: the server has another key, or a proxy changed the request before it arrived.",
  evidence: [],
  fix: "Compare the key with the server's, then look at proxies between client and server.",
};

async function checkSignature<I extends { readonly method: string }>(given: Case<I>): Promise<CaseDiagnosis<I>> {
  const { subject, fits, keyed, inputFor, variantsOf } = given;
  const { url, sentUrl } = subject;
  const sent = inputFor(sentUrl);
  const inputs = keyed(sent);
  if (inputs.length === 0) return { cause: fromShownText(given, sent) ?? unknownKey(given) };
  for (const input of inputs) {
    if (await fits(input)) return { fitting: input, method: input.method };
  }
  if (sentUrl !== url) {
    for (const input of keyed(inputFor(url))) {
      if (await fits(input)) return { method: input.method, cause: changed(subject) };
    }
  }
  let hypotheses: readonly Hypothesis[] | undefined;
  for (const input of inputs) {
    const found = await searchAsync(input, variantsOf, async (tried) => fits(tried), "signed");
    hypotheses ??= found.hypotheses;
    if (found.cause === undefined) continue;
    return signedOtherwise(subject, found.cause, { hypotheses: found.hypotheses, method: input.method });
  }
  const tried = hypotheses?.map(({ code, tried: times }) => `${code} ${times}`).join(", ") ?? "";
  return {
    hypotheses,
    cause: fromShownText(given, sent) ?? {
      code: "WRONG_SECRET",
      sentence: `The URL was signed with another key than the given ${inputs.length === 1 ? "one" : "ones"} of ${given.signedBy}, or changed in a way that is not among the usual ones.`,
      evidence: [`No variant fits: ${tried}.`],
      fix: "Compare the key that the signer uses with the server's; look for one that was replaced.",
    },
  };
}

const METHODS = ["GET", "PUT", "HEAD", "POST", "DELETE"] as const;

/** What the server's own text shows, without a key. */
function fromShownText<I extends { readonly method: string }>(
  { subject, shown, textOf, variantsOf }: Case<I>,
  input: I,
): Cause | undefined {
  if (shown === undefined) return undefined;
  const isShown = (tried: I): boolean => textOf(tried).trimEnd() === shown.trimEnd();
  const methods = subject.request?.method === undefined ? METHODS : [input.method];
  if (methods.some((method) => isShown({ ...input, method }))) {
    return {
      code: "WRONG_SECRET",
      sentence:
        "The server's string to sign is exactly what the URL says: another key signed, or the signer signed another text.",
      evidence: [`the server saw: ${JSON.stringify(shown)}`],
      fix: "Compare this text with the one that the signer makes, line by line, and the key with the server's. With the key given, explain finds the usual faults.",
    };
  }
  for (const variant of variantsOf(input)) {
    if (!isShown(variant.input)) continue;
    const evidence = ["With this one change the server's own text comes out exactly."];
    return { code: variant.code, sentence: variant.seen, evidence, fix: variant.fix };
  }
  return {
    code: "QUERY",
    sentence: "The server's string to sign is not what the URL says: the request was changed on its way.",
    evidence: [`the URL says: ${JSON.stringify(textOf(input))}`, `the server saw: ${JSON.stringify(shown)}`],
    fix: "Pass the URL on byte for byte as it was made, and look for a proxy that decodes, adds or drops something.",
  };
}

function unknownKey<I extends { readonly method: string }>({ signedBy, given }: Case<I>): Cause | undefined {
  if (given.length === 0) return undefined;
  return {
    code: "UNKNOWN_KEY",
    sentence: `The URL was signed by ${signedBy || "nobody"}, and the given keys are of ${given.join(", ")}.`,
    evidence: [],
    fix: "Give the key that signed.",
  };
}

/** The signature fits the URL that was signed, and not the one that was sent. */
function changed({ url, sentUrl }: Subject): Cause {
  const was = (code: "HOST" | "PATH" | "QUERY", what: string, before: string, after: string): Cause => ({
    code,
    sentence: `The URL was changed on its way: the ${what} was ${before} and was sent as ${after}.`,
    evidence: ["The signature fits the URL that was signed, and not the one that was sent."],
    fix: "Pass the URL on byte for byte.",
  });
  const [before, after] = [url, sentUrl].map(({ protocol, authority }) => `${protocol}://${authority}`);
  if (url.wire.path !== sentUrl.wire.path) return was("PATH", "path", url.wire.path, sentUrl.wire.path);
  if (url.wire.query === sentUrl.wire.query) return was("HOST", "host", before as string, after as string);
  const names = (from: Subject["url"]): string => from.wire.tokens.map(({ name }) => name).join(", ") || "empty";
  return was("QUERY", "query", `one of ${names(url)}`, `one of ${names(sentUrl)}, or with other values`);
}

/** What a strict reader refuses before it looks at a signature. What only Daypass refuses is for the traps. */
export function grammarCause(read: () => unknown): Cause | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    if (/^UNSIGNED_|^KEY_SCOPE$/.test(error.code)) return undefined;
    const isTwofold = error.code === "AMBIGUOUS_AUTHENTICATION";
    return {
      code: isTwofold ? "AMBIGUOUS_AUTHENTICATION" : "MALFORMED",
      sentence: `The request is refused before its signature is looked at: ${error.message}.`,
      evidence: [],
      fix: isTwofold
        ? "Send the URL alone, without other credentials."
        : "Pass the URL on byte for byte as it was made (a + in the signature travels as %2B); quote it in a shell.",
    };
  }
}

function lifeCause({ startsAt, endsAt }: Times, now: Date): Cause | undefined {
  const evidence = [`now ${now.toISOString()}`];
  if (endsAt !== undefined && now >= endsAt) {
    const sentence = `The URL has expired: it ended at ${endsAt.toISOString()}.`;
    return { code: "EXPIRED", sentence, evidence, fix: "Ask for a new URL." };
  }
  if (startsAt === undefined || now >= startsAt) return undefined;
  const sentence = `The URL is not valid yet: it begins at ${startsAt.toISOString()}.`;
  return { code: "NOT_YET_VALID", sentence, evidence, fix: "Wait, or set the signer's clock (NTP)." };
}

/** Headers that are signed by name and were not sent. Where nobody said what was sent, a signature that fails tells. */
export function missingHeader({ request, sent, keys }: Subject, names: readonly string[]): Cause | undefined {
  const missing = names.filter((name) => name !== "host" && headerValues(sent.headers, name).length === 0);
  if (missing.length === 0 || (request?.headers === undefined && keys.length === 0)) return undefined;
  return {
    code: "HEADER",
    sentence: `The URL was signed with the header ${missing.join(", ")}, which was not sent.`,
    evidence: [],
    fix: `Send ${missing.join(", ")} with exactly the value that was signed.`,
  };
}

/** Pitfalls of an end in seconds since 1970, for which no server sets a maximum. `text` is how it stands in the URL. */
export function endTraps(endsAt: Date | undefined, text: string, now: Date): readonly Trap[] {
  if (/^\d{13}$/.test(text)) {
    return [{ name: "milliseconds", text: `Its end, ${text}, looks like milliseconds; it counts seconds.` }];
  }
  if (endsAt === undefined) return [];
  const left = endsAt.getTime() - now.getTime();
  if (left <= 0) return [{ name: "expired", text: `It ended at ${endsAt.toISOString()}.` }];
  if (left <= SEVEN_DAYS) return [];
  return [{ name: "too-long-life", text: "It lives for more than seven days; this scheme has no maximum." }];
}

/** The client is not in the network that the URL is for. Nobody knows where nobody has said where it is. */
export function addressCause({ sent }: Subject, ipRange: string | undefined): Cause | undefined {
  const network = ipRange === undefined ? undefined : coveringNetwork(ipRange);
  if (network === undefined || sent.remoteAddress === undefined || isInside(sent.remoteAddress, [network])) {
    return undefined;
  }
  return {
    code: "IP",
    sentence: `The URL is for clients in ${ipRange}, and the request came from ${sent.remoteAddress}.`,
    evidence: [],
    fix: "Sign for the address that the server sees: that of a proxy where there is one.",
  };
}

const SEVEN_DAYS = 604_800_000;
