import type { Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { methodFix } from "../search/variants.ts";
import { addedCause } from "./added-cause.ts";
import { cutEndCause } from "./cut-end.ts";
import { otherPlace } from "./other-place.ts";
import { SPELLINGS, spellingCause } from "./spelling-cause.ts";

/** A method that the URL itself tells, and how. */
export interface ToldMethod {
  readonly method: string;
  readonly by: string;
  /** Whether something speaks for it, and does not prove it. */
  readonly isLikely?: true;
}

/** What a signature is made with, in words, and what is known to happen to it. */
export interface Signer {
  readonly what: "secret" | "key";
  /** What to look at before all else. */
  readonly look: string;
}

/** What a refusal is judged by where neither a key nor the server's text decides. */
export interface Undecided {
  readonly told?: ToldMethod | undefined;
  /** Headers that are signed by name. */
  readonly headers: readonly { readonly name: string; readonly values: readonly string[] }[];
  /** Headers that were sent and are signed without being named: their absence is, too. */
  readonly implied?: Undecided["headers"] | undefined;
  /** Whether the signature covers a Content-Type that the URL does not tell, or that there is none. */
  readonly signsType?: boolean | undefined;
  /** Whether the signature covers all parameters. */
  readonly signsQuery?: boolean | undefined;
  /** Parameters that a service takes appended and unsigned all the same. */
  readonly notSigned?: readonly string[] | undefined;
  /** Whether HEAD goes with whatever was signed. */
  readonly headIsFree?: boolean | undefined;
  /** Whether no method is signed. */
  readonly methodIsFree?: boolean | undefined;
  /** What the server computes, as its own text has it. */
  readonly computed?: string | undefined;
  /** What the scheme signs with; a secret, unless said otherwise. */
  readonly signer?: Signer | undefined;
  /** Whether the server has shown that it computed what the URL implies. */
  readonly isSame: boolean;
}

/**
 * The signature does not fit, and without the key nothing tells a wrong secret from another method, from another value of a
 * signed header or from a URL that was changed. The likeliest comes first, and the sentence names the others.
 */
export function undecided(subject: Subject, given: Undecided): Cause {
  const { told, headers, implied = [], signsType = false, signsQuery = false, headIsFree = false } = given;
  const { computed = "the request that", isSame, signer = SECRET, methodIsFree = false } = given;
  const { known, sent } = subject;
  const method = known.method ? sent.method : undefined;
  const isFree = method === undefined || methodIsFree || (headIsFree && method === "HEAD");
  const wrong = isFree ? undefined : wrongMethod(method, { told, isSame });
  if (wrong !== undefined) return wrong;
  const others = [
    ...(methodIsFree || (told !== undefined && told.method === method)
      ? []
      : [`for another method${method === undefined ? "" : ` than ${method}`}`]),
    ...(signsType ? ["with another content-type than was sent"] : []),
    `with another ${signer.what}`,
  ];
  const added = signsQuery ? (cutEndCause(subject) ?? addedCause(subject, others, given.notSigned)) : undefined;
  if (added !== undefined) return added;
  const own = headers.filter(({ name }) => name !== "host");
  if (own.length > 0) return headerCause(own, others, { isKnown: known.headers });
  if (implied.length > 0) return impliedCause(implied, others);
  // The server's own text shows how it read all but a plus, which it may have read as the signer did not, and what was encoded twice.
  const spelling = spellingCause(subject, isSame ? SPELLINGS.slice(0, 3) : SPELLINGS);
  if (spelling !== undefined) return spelling;
  if (isSame) return sameButRefused(sent.method, { others, computed, signer });
  const signsHost = own.length < headers.length;
  return otherPlace(subject, { others, signsHost }) ?? noEvidence(others, { signsHost, signer });
}

const SECRET: Signer = {
  what: "secret",
  look: "Compare the URL with the one that was made, and the signer's secret with the server's: spaces, line ends, a rotated key, another environment.",
};

/** The URL itself tells that another method was signed than the one that was sent. */
export function toldOtherwise(method: string, told: ToldMethod | undefined): Cause | undefined {
  if (told === undefined || told.method === method) return undefined;
  return {
    code: "METHOD",
    sentence: `${told.isLikely === true ? "Most likely the" : "The"} URL was signed for ${told.method} (${told.by}) and sent with ${method}.`,
    evidence: [`The request had the method ${method}.`],
    fix: methodFix(told.method, method),
  };
}

function wrongMethod(method: string, { told, isSame }: Pick<Undecided, "told" | "isSame">): Cause | undefined {
  if (told !== undefined) return toldOtherwise(method, told);
  if (method !== "HEAD" && method !== "OPTIONS") return undefined;
  const evidence = [`${isSame ? "The server saw" : "The request had"} the method ${method}.`];
  const rest = isSame ? ": all else is as the URL says" : "";
  const sentence = `The URL was sent with ${method}, and was probably signed for GET or PUT${rest}.`;
  return { code: "METHOD", sentence, evidence, fix: methodFix("GET", method) };
}

/**
 * A key gives the signature for a method or headers that nobody has said to have been sent. `undefined` where all is known.
 *
 * @param right the cause where they were sent
 */
export function sentOtherwise(
  { known }: Pick<Subject, "known">,
  { method, headers }: { readonly method: string; readonly headers: Undecided["headers"] },
  right: Cause,
): Cause | undefined {
  const own = known.headers ? [] : headers.filter(({ name }) => name !== "host");
  if (known.method && own.length === 0) return undefined;
  const signed = `${method}${own.length === 0 ? "" : ` with ${shownHeaders(own)}`}`;
  const evidence = ["The given key gives the signature of the URL."];
  const fix = `Send ${signed}, or run explain again with the method and the headers that were sent.`;
  const rest = right.sentence.replace("this request", `a ${signed} of this URL`);
  // Most requests are GET, so that nothing speaks for another one.
  if (own.length === 0 && (known.method || method === "GET")) {
    return {
      ...right,
      sentence: rest.replace(/\.$/, `; or it was sent with another method than ${method}.`),
      fix: `${right.fix} ${fix}`,
    };
  }
  const others = `${rest.charAt(0).toLowerCase()}${rest.slice(1)}`;
  return {
    code: own.length > 0 ? "HEADER" : "METHOD",
    sentence: `The URL was signed for ${signed}, and was most likely sent with something else. If not, ${others}`,
    evidence,
    fix,
  };
}

/** A signed header can be the cause as long as nobody knows the value that was signed. */
function headerCause(
  headers: Undecided["headers"],
  others: readonly string[],
  { isKnown }: { readonly isKnown: boolean },
): Cause {
  const names = headers.map(({ name }) => name).join(", ");
  const sent = shownHeaders(headers);
  return {
    code: "HEADER",
    sentence: `The URL was signed with the header ${names}, and ${isKnown ? `was sent with ${sent}: most likely another value was signed` : "nothing shows that it was sent as it was signed"}. Or the URL was changed, or signed ${others.join(", or ")}: without the key, explain cannot tell which.`,
    evidence: ["The URL names the signed headers, but not their values."],
    fix: `Send ${names} with exactly the value that was signed; run explain again with the key, or with what was sent (headers and method).`,
  };
}

/** The legacy signatures cover a Content-Type, or its absence, and do not say so. */
function impliedCause(headers: Undecided["headers"], others: readonly string[]): Cause {
  const sent = shownHeaders(headers);
  const names = headers.map(({ name }) => name).join(", ");
  return {
    code: "HEADER",
    sentence: `Most likely the header ${names} differs: it was sent (${sent}), but the URL, which does not show its value, was signed with a different value or with none. Or the URL was changed, or signed ${others.join(", or ")}: without the key, explain cannot tell which.`,
    evidence: ["This signature covers these headers, and also their absence."],
    fix: `Send ${names} with exactly the value that was signed, or without it if it was not signed; run explain again with the key.`,
  };
}

/** The server computed what the URL implies, and yet another signature. */
function sameButRefused(
  method: string,
  {
    others,
    computed,
    signer,
  }: { readonly others: readonly string[]; readonly computed: string; readonly signer: Signer },
): Cause {
  const open = others.slice(0, -1);
  const methodIsOpen = open.some((other) => other.includes("method"));
  return {
    code: "WRONG_SECRET",
    sentence: `${open.length === 0 ? "The" : `The URL was signed ${open.join(", or ")}, or the`} ${signer.what} is ${signer.what === "secret" ? "wrong" : "gone or another one"}, or the URL was changed after signing: the server computed exactly ${computed} the URL implies with ${method}, yet a different signature.`,
    evidence: [
      `The text and the hash it computed are the same as ours. The method is ${method}${methodIsOpen ? ": if that is not what was signed, it is the cause" : ""}.`,
    ],
    fix: `${methodIsOpen ? "Send the method that was signed: a browser opens a URL with GET, and an upload is a PUT. " : ""}${signer.look} With the key, explain finds the usual changes.`,
  };
}

/** A mismatch, and nothing that shows why. */
function noEvidence(
  others: readonly string[],
  { signsHost, signer }: { readonly signsHost: boolean; readonly signer: Signer },
): Cause {
  const causes = [
    `was signed ${others.join(", or ")}`,
    "was changed in transit",
    ...(signsHost ? ["was sent with another Host header"] : []),
  ];
  return {
    code: "WRONG_SECRET",
    sentence: `The server says that the signature does not match; without the key, or the text that the server computed, nothing shows why. Most often the URL ${causes.join(", or ")}.`,
    evidence: [],
    fix: `${signer === SECRET ? "" : `${signer.look} `}Run explain again with the key, with the request's method and headers, or with the whole error body.`,
  };
}

function shownHeaders(headers: Undecided["headers"]): string {
  return headers
    .map(({ name, values }) => (values.join("") === "" ? `no ${name}` : `${name}: ${values.join(",")}`))
    .join(", ");
}
