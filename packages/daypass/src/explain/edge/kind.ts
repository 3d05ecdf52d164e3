import type { Grant, Verifier, WireRequest } from "../../core/contracts.ts";
import type { Weakness } from "../../core/weakness.ts";
import type { EdgeVerifierOptions, ExpiryOptions, UnsignedOptions } from "../../edge/verify.ts";
import type { SplitUrl } from "../explainer.ts";
import type { MustSend, Trap } from "../explanation.ts";
import type { EdgeExplainKey } from "./keys.ts";

/** The claims of a token, read without a key and without validation. */
export interface EdgeFacts {
  /** `""` if the URL has none. */
  readonly signature: string;
  /** Lengths of a complete signature, for a verifier that accepts any length. */
  readonly lengths?: readonly number[] | undefined;
  /** Name of the key, if the token contains it. */
  readonly keyId?: string | undefined;
  /** The expiry as the URL spells it. */
  readonly end: string;
  readonly startsAt?: Date | undefined;
  /** By default, {@link end} in seconds since 1970. */
  readonly endsAt?: Date | undefined;
  /** Path without the token. */
  readonly path?: string | undefined;
  /** `"everything below …"` for a token that covers more than one path. */
  readonly below?: string | undefined;
  readonly binds: readonly string[];
  /** By default, all parts of a request that {@link signs} does not name. */
  readonly leavesOpen?: readonly string[] | undefined;
  readonly weak?: readonly Weakness[] | undefined;
  readonly mustSend?: readonly MustSend[] | undefined;
  readonly traps?: readonly Trap[] | undefined;
  /** Whether the token covers this URL by its own claims. Absent if only the signature shows that. */
  covers?(origin: string): boolean;
  /** Whether a query parameter belongs to the token. */
  isOwn(name: string): boolean;
  /** The client addresses that the token names. */
  readonly clients?: string | undefined;
  /** Whether only one client can use it. */
  readonly isForOne?: boolean | undefined;
  /** What the token signs in addition to the path. */
  readonly signs?: {
    readonly host?: boolean | undefined;
    readonly query?: boolean | undefined;
    /** The client's address, which the token does not contain. */
    readonly address?: boolean | undefined;
  };
}

/** The claims with their defaults. */
export type EdgeClaims = EdgeFacts & Required<Pick<EdgeFacts, "signs" | "endsAt">>;

/** The sources of a token. */
export interface EdgeReading<K> {
  readonly url: SplitUrl;
  /** Decoded query parameters. */
  readonly values: ReadonlyMap<string, string>;
  cookie(name: string): string | undefined;
  readonly key: K | undefined;
}

/** One edge scheme. Its own verifier checks each guess. */
export interface EdgeKind<K extends EdgeExplainKey> {
  readonly scheme: K["scheme"];
  /** Start of the summary. */
  readonly what: string;
  readonly signedBy: string;
  /** By default, when `signedBy` is replaced. */
  readonly mayEndEarlier?: string;
  /** How its servers report a wrong signature. */
  readonly ownRefusal?: RegExp;
  /** Recognises a target or a cookie header by the usual names. A key can have other names. */
  readonly detects: RegExp | ((request: WireRequest) => boolean);
  read(reading: EdgeReading<K>): EdgeFacts;
  /** Any key of the right form, to read the URL without a given key. */
  someKey(facts: EdgeFacts, url: SplitUrl): K;
  nameOf?(key: K): string;
  verifier(key: K, options: EdgeVerifierOptions & ExpiryOptions & UnsignedOptions): Verifier<Grant>;
  /** The same key with other options of its signer. */
  otherwise?(key: K): Iterable<readonly [what: string, key: K]>;
}
