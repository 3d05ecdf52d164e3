import { decodeOr } from "../decoded.ts";
import type { Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { methodFix } from "../search/variants.ts";
import { guess } from "./combine-causes.ts";

/** A method that the URL itself states. */
export interface StatedMethod {
  readonly method: string;
  /** Where the URL states it, in words. */
  readonly by: string;
  /** Whether the URL makes it likely, without proving it. */
  readonly isLikely?: true;
}

/** The signing secret or key in words, and the first thing to check about it. */
export interface Signer {
  readonly what: "secret" | "key";
  readonly look: string;
}

type Headers = readonly { readonly name: string; readonly values: readonly string[] }[];

/** The facts about a refusal that neither a key nor the server's text explains. */
export interface Undecided {
  readonly told?: StatedMethod | undefined;
  /** Headers that are signed by name. */
  readonly headers: Headers;
  /** Sent headers that are signed without being named. Their absence is signed, too. */
  readonly implied?: Headers | undefined;
  /** Whether the signature covers a Content-Type, or its absence, that the URL does not state. */
  readonly signsType?: boolean | undefined;
  /** Whether HEAD is accepted with any signed method. */
  readonly headIsFree?: boolean | undefined;
  /** Whether no method is signed. */
  readonly methodIsFree?: boolean | undefined;
  /** The server's own text, in words: `"the request that"`. */
  readonly computed?: string | undefined;
  /** By default, a secret. */
  readonly signer?: Signer | undefined;
  /** Whether the server has shown that it computed the same text as the URL implies. */
  readonly isSame: boolean;
}

/**
 * The likeliest cause of a mismatch. Without the key, a wrong secret, another method, another value of a signed
 * header and a changed URL look the same, so the sentence names the alternatives.
 */
export function undecided(subject: Subject, given: Undecided): Cause {
  return guess(likeliest(subject, given));
}

function likeliest(subject: Subject, given: Undecided): Cause {
  const { told, headers, implied = [], isSame, signer = SECRET } = given;
  const { known, sent } = subject;
  const method = known.method ? sent.method : undefined;
  const isFree = given.methodIsFree === true || (given.headIsFree === true && method === "HEAD");
  const wrong = method === undefined || isFree ? undefined : wrongMethod(method, { told, isSame });
  if (wrong !== undefined) return wrong;
  const isOpen = given.methodIsFree !== true && (told === undefined || told.method !== method);
  const others = [
    ...(isOpen ? [`for another method${method === undefined ? "" : ` than ${method}`}`] : []),
    ...(given.signsType === true ? ["with another content-type than was sent"] : []),
    `with another ${signer.what}`,
  ];
  const own = headers.filter(({ name }) => name !== "host");
  if (own.length > 0) return headerCause(own, others, known.headers ? "sent" : "unknown");
  if (implied.length > 0) return headerCause(implied, others, "implied");
  const signsHost = own.length < headers.length;
  const place = isSame ? undefined : otherPlace(subject, { others, signsHost });
  return place ?? unexplained(sent.method, { ...given, others, signsHost });
}

const SECRET: Signer = {
  what: "secret",
  look: "Compare the URL with the signed URL, and the signer's secret with the server's: spaces, line ends, a rotated key, another environment.",
};

/** The URL states another method than the request had. */
export function statedOtherwise(method: string, told: StatedMethod | undefined): Cause | undefined {
  if (told === undefined || told.method === method) return undefined;
  return {
    code: "METHOD",
    sentence: `${told.isLikely === true ? "Most likely the" : "The"} URL was signed for ${told.method} (${told.by}) and sent with ${method}.`,
    evidence: [`The request had the method ${method}.`],
    fix: methodFix(told.method, method),
  };
}

/** Signers seldom sign for HEAD and OPTIONS. */
export function wrongMethod(method: string, { told, isSame }: Pick<Undecided, "told" | "isSame">): Cause | undefined {
  if (told !== undefined) return statedOtherwise(method, told);
  if (method !== "HEAD" && method !== "OPTIONS") return undefined;
  return {
    code: "METHOD",
    sentence: `The URL was sent with ${method}, and was probably signed for GET or PUT${isSame ? ": all else is as the URL says" : ""}.`,
    evidence: [`${isSame ? "The server saw" : "The request had"} the method ${method}.`],
    fix: methodFix("GET", method),
  };
}

/**
 * The key gives the signature for a method or headers that the caller did not name as sent. `undefined` if all is known.
 *
 * @param right the cause if they were sent
 */
export function sentOtherwise(
  { known }: Pick<Subject, "known">,
  { method, headers }: { readonly method: string; readonly headers: Headers },
  right: Cause,
): Cause | undefined {
  const own = known.headers ? [] : headers.filter(({ name }) => name !== "host");
  if (known.method && own.length === 0) return undefined;
  const signed = `${method}${own.length === 0 ? "" : ` with ${shownHeaders(own)}`}`;
  const fix = `Send ${signed}, or run explain again with the method and the headers that were sent.`;
  const rest = right.sentence.replace("this request", `a ${signed} of this URL`);
  // Most requests are GET.
  if (own.length === 0 && (known.method || method === "GET")) {
    const sentence = rest.replace(/\.$/, `; or it was sent with another method than ${method}.`);
    return { ...right, sentence, fix: `${right.fix} ${fix}` };
  }
  return {
    code: own.length > 0 ? "HEADER" : "METHOD",
    sentence: `The URL was signed for ${signed}, and was most likely sent with something else. If not, ${rest.charAt(0).toLowerCase()}${rest.slice(1)}`,
    evidence: ["The given key gives the signature of the URL."],
    fix,
  };
}

/** A signed header is the likeliest cause while its signed value is unknown. The legacy signatures do not even name it. */
export function headerCause(headers: Headers, others: readonly string[], how: "sent" | "unknown" | "implied"): Cause {
  const names = headers.map(({ name }) => name).join(", ");
  const sent = shownHeaders(headers);
  const fault = {
    sent: `The URL was signed with the header ${names}, and was sent with ${sent}: most likely another value was signed`,
    unknown: `The URL was signed with the header ${names}, and nothing shows that it was sent as it was signed`,
    implied: `Most likely the header ${names} differs: it was sent (${sent}), but the URL, which does not show its value, was signed with a different value or with none`,
  }[how];
  const isImplied = how === "implied";
  return {
    code: "HEADER",
    sentence: `${fault}. Or the URL was changed, or signed ${others.join(", or ")}.`,
    evidence: [
      isImplied
        ? "This signature covers these headers, and also their absence."
        : "The URL names the signed headers, but not their values.",
    ],
    fix: `Send ${names} with exactly the value that was signed${isImplied ? ", or without it if it was not signed" : ""}; run explain again with the key, or with what was sent (headers and method).`,
  };
}

interface Open {
  readonly others: readonly string[];
  readonly signsHost: boolean;
}

/**
 * MinIO and its likes answer with the path that they saw, and not with the text that they computed. They usually stand behind
 * the operator's own proxy, which is what most often breaks a signature there.
 */
function otherPlace({ error, sentUrl }: Subject, { others, signsHost }: Open): Cause | undefined {
  const seen = error?.fields.get("Resource");
  if (seen === undefined || !seen.startsWith("/")) return undefined;
  // Some show it encoded, and put the bucket of the host in front.
  const [path, shown] = [decodeOr(sentUrl.wire.path), decodeOr(seen)];
  const evidence = [`the URL has ${path}`, `the server saw ${seen}`];
  if (!shown.endsWith(path)) {
    const isStripped = path.endsWith(shown);
    const why = isStripped
      ? "most likely a proxy stripped its prefix"
      : "a proxy rewrote it, or the client sent another one";
    return {
      code: "PATH",
      sentence: `The server saw the path ${seen}, and the URL has ${path}: ${why}, but the whole path is signed.`,
      evidence,
      fix: `${isStripped ? "Give the store a host of its own" : "Send the path as it was signed"}, and let the proxy pass path and Host on unchanged.`,
    };
  }
  if (!signsHost) return undefined;
  return {
    code: "HOST",
    sentence: `Most likely the server was reached under another name or port than the URL was signed for. Or the URL was signed ${others.join(", or ")}, or was changed in transit.`,
    evidence,
    fix: "Sign with the host and port that clients use, and let proxies pass Host on unchanged (nginx: proxy_set_header Host $http_host). With the key, explain finds the name.",
  };
}

/** Nothing shows why the signature does not match, or the server computed the text that the URL implies and yet another signature. */
function unexplained(
  method: string,
  { others, signsHost, isSame, computed = "the request that", signer = SECRET }: Open & Undecided,
): Cause {
  const host = signsHost && !isSame ? ", or was sent with another Host header" : "";
  const same = `The server computed exactly ${computed} the URL implies with ${method}, yet a different signature.`;
  const [fix, more] = isSame
    ? [`${signer.look} With the key, explain finds the usual changes.`, "Send the method that was signed. "]
    : [
        `${signer === SECRET ? "" : `${signer.look} `}Run explain again with the key, with the request's method and headers, or with the whole error body.`,
        "",
      ];
  return {
    code: "WRONG_SECRET",
    sentence: `The signature does not match: the URL was signed ${others.join(", or ")}, or was changed after signing${host}.`,
    evidence: isSame ? [same] : [],
    fix: `${others.length > 1 ? more : ""}${fix}`,
  };
}

function shownHeaders(headers: Headers): string {
  return headers
    .map(({ name, values }) => (values.join("") === "" ? `no ${name}` : `${name}: ${values.join(",")}`))
    .join(", ");
}
