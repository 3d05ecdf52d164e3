import type { WireRequest, WireTarget } from "../core/contracts.ts";
import type { ServerError } from "./error-body.ts";
import type { Cause, ExplainKey, Explanation, Hypothesis } from "./explanation.ts";
import type { ToldRequest } from "./given-request.ts";
import type { Known } from "./server-request.ts";

/** An absolute URL, split but not decoded. */
export interface SplitUrl {
  readonly text: string;
  readonly protocol: "http" | "https";
  readonly authority: string;
  readonly wire: WireTarget;
}

/** What an explainer works on. */
export interface Subject {
  /** The URL that was signed. */
  readonly url: SplitUrl;
  /** The URL that was requested; the same one unless the caller says otherwise. */
  readonly sentUrl: SplitUrl;
  /** The request as the server saw it. What of it is not {@link known} is a guess: `GET`, without headers. */
  readonly sent: WireRequest;
  readonly known: Known;
  readonly request: ToldRequest | undefined;
  readonly error: ServerError | undefined;
  readonly keys: readonly ExplainKey[];
  readonly hosts: readonly string[];
  /** Whether what fits no key as it is is tried in variants. */
  readonly searches: boolean;
  readonly now: Date;
}

/** An explanation, and the texts in it that are hidden unless the caller asks for them. */
export interface Explained {
  readonly explanation: Explanation;
  readonly hidden: readonly string[];
}

/** Explains the URLs of one scheme. */
export interface Explainer {
  detects(request: WireRequest): boolean;
  /** Whether one of the keys is of this scheme and finds its names, which may be the caller's own. */
  detectsByKey?(request: WireRequest, keys: readonly ExplainKey[]): boolean;
  /** The same, had the key been set up otherwise: of what no explainer knows. */
  detectsOtherwise?(request: WireRequest, keys: readonly ExplainKey[]): boolean;
  /** Checks a key that names this scheme, and tells whether it does. Throws for one that the verifier does not take. */
  checkKey?(key: ExplainKey): boolean;
  explain(subject: Subject): Explained | Promise<Explained>;
  /** Whether the scheme's own servers refuse a token with a web page or a word, which says no more than a store's `AccessDenied`. */
  readonly answersWithPages?: boolean | undefined;
  /** What its own servers say of a signature that does not fit, on a page or in JSON. */
  readonly ownRefusal?: RegExp | undefined;
}

/** Why a URL is refused, and what the search for it has shown. */
export interface Diagnosis {
  readonly cause?: Cause | undefined;
  readonly hypotheses?: readonly Hypothesis[] | undefined;
  /** The method that was signed, where a key has shown it. */
  readonly method?: string | undefined;
  /** The headers that were signed, where a key has shown them. */
  readonly headers?: readonly { readonly name: string; readonly values: readonly string[] }[] | undefined;
}
