import type { WireRequest, WireTarget } from "../core/contracts.ts";
import type { ServerError } from "./error-body.ts";
import type { Cause, ExplainKey, Explanation, Hypothesis } from "./explanation.ts";
import type { GivenRequest } from "./given-request.ts";
import type { Work } from "./search/work.ts";

/** An absolute URL, split but not decoded. */
export interface SplitUrl {
  readonly text: string;
  readonly protocol: "http" | "https";
  readonly authority: string;
  readonly wire: WireTarget;
}

/** The parts of the request that the caller or the server has stated. The rest is guessed, and no finding. */
export interface Known {
  readonly method: boolean;
  readonly headers: boolean;
}

/** The input of an explainer. */
export interface Subject {
  /** The URL that was signed. */
  readonly url: SplitUrl;
  /** The URL that was requested; the same one unless the caller says otherwise. */
  readonly sentUrl: SplitUrl;
  /** The request that the server saw. Parts that are not {@link known} are guesses: `GET`, without headers. */
  readonly sent: WireRequest;
  readonly known: Known;
  readonly request: GivenRequest | undefined;
  readonly error: ServerError | undefined;
  /** The status of the answer. */
  readonly status: number | undefined;
  readonly keys: readonly ExplainKey[];
  readonly hosts: readonly string[];
  /** What the tries of keys may cost. */
  readonly work: Work;
  readonly now: Date;
}

/** An explanation, and the texts in it that are hidden unless the caller asks for them. */
export interface Explained {
  readonly explanation: Explanation;
  readonly hidden: readonly string[];
  /** Whether a given key fits the sent request as it is. `undefined` if no key of this signer was tried. */
  readonly keyFits?: boolean | undefined;
  /** Sent headers that the signature covers without naming them. */
  readonly implied?: readonly { readonly name: string; readonly values: readonly string[] }[] | undefined;
  /** Whether the signature covers all parameters. */
  readonly signsQuery?: boolean | undefined;
  /** Parameters that are accepted without a signature. */
  readonly notSigned?: readonly string[] | undefined;
}

/** Explains the URLs of one scheme. */
export interface Explainer {
  detects(request: WireRequest): boolean;
  /** Whether a given key of this scheme finds its parameters, whose names the caller can choose. */
  detectsByKey?(request: WireRequest, keys: readonly ExplainKey[]): boolean;
  /** The same for a key with other options. Asked if no explainer knows the URL. */
  detectsOtherwise?(request: WireRequest, keys: readonly ExplainKey[]): boolean;
  /** Returns whether a key names this scheme. Throws for a key that the verifier refuses. */
  checkKey?(key: ExplainKey): boolean;
  explain(subject: Subject): Explained | Promise<Explained>;
  /** Whether the scheme's own servers refuse a token with a web page or a word, which names no reason. */
  readonly answersWithPages?: boolean | undefined;
  /** The message of the scheme's servers about a wrong signature, in a page or in JSON. */
  readonly ownRefusal?: RegExp | undefined;
}

/** The cause of a refusal, and the results of the search for it. */
export interface Diagnosis extends Pick<Explained, "keyFits"> {
  readonly cause?: Cause | undefined;
  readonly hypotheses?: readonly Hypothesis[] | undefined;
  /** The signed method, if a key has shown it. */
  readonly method?: string | undefined;
  /** The signed headers, if a key has shown them. */
  readonly headers?: readonly { readonly name: string; readonly values: readonly string[] }[] | undefined;
}
