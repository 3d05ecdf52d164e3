import type { Grant, Verifier, WireRequest } from "../../core/contracts.ts";
import type { Weakness } from "../../core/weakness.ts";
import type { EdgeVerifierOptions, ExpiryOptions, UnsignedOptions } from "../../edge/verify.ts";
import type { SplitUrl } from "../explainer.ts";
import type { MustSend, Trap } from "../explanation.ts";
import type { EdgeExplainKey } from "./keys.ts";

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
  /** What they say of a signature that does not fit, where they say it. */
  readonly ownRefusal?: RegExp;
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
