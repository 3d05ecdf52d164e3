/**
 * A request as it was on the wire. The target stays raw: a URL parser turns `/b/%2e%2e/secret` into `/secret`, whose
 * signature is for another object.
 *
 * If you create one yourself, do what the adapters (`daypass/node`, `daypass/fetch`) do: refuse a request with two `Host` or
 * `Content-Type` fields, with a `Host` other than its authority or a `Transfer-Encoding` other than `chunked`. Verifiers use `authority`
 * and the headers as they are here.
 */
export interface WireRequest {
  /** The method as sent, upper case for all registered ones. */
  readonly method: string;
  /** Path and query exactly as in the request line, percent-encoding untouched. */
  readonly target: string;
  /** The value of the one `Host` header, or `:authority`. */
  readonly authority: string;
  /** Every header field as received: names in any case, order and repeats kept. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The address of the peer as reported by the socket (or a configured proxy hop), if known. */
  readonly remoteAddress?: string | undefined;
}

/** One `name=value` of a raw query, in the spelling of the wire. */
export interface QueryToken {
  readonly name: string;
  /** `undefined` if the token has no `=`. */
  readonly value: string | undefined;
}

/** A raw request target, split but not decoded. */
export interface WireTarget {
  readonly path: string;
  /** What follows the first `?`, or the empty string. */
  readonly query: string;
  /** The tokens between `&`, in wire order. Empty ones are omitted, as in every server. */
  readonly tokens: readonly QueryToken[];
}

/** Returns the current time. Passed in everywhere, so that no test has to wait. */
export type Clock = () => Date;

/**
 * Something that a signature cannot enforce by itself. A verifier refuses a grant with obligations that its caller has
 * not listed in `enforces`, so that forgetting one fails closed.
 */
export type Obligation =
  /** The body has at least `min` and at most `max` bytes. Discharged by {@link Grant.limitBody}. */
  | { readonly kind: "body-length"; readonly min: number; readonly max: number }
  /** The body has this SHA-256, in lower-case hexadecimal. Discharged by {@link Grant.limitBody}. */
  | { readonly kind: "body-sha256"; readonly sha256: string }
  /** The body has the checksum in this header: `content-md5` or `x-amz-checksum-*`, base64, or `x-goog-hash`. */
  | { readonly kind: "body-checksum"; readonly header: string; readonly value: string }
  /** The body is sent in chunks (`aws-chunked`). Enforced by reading it through `openBody` of the grant. */
  | { readonly kind: "body-chunks"; readonly length: number; readonly trailers: readonly string[] }
  /** Write only if the object does not exist. */
  | { readonly kind: "create-only" }
  /** Serve at most `limit` times per (key id, grant id): needs state. */
  | { readonly kind: "uses"; readonly limit: number }
  /** Encrypt what is written with this server-side key (Azure's encryption scopes). */
  | { readonly kind: "encryption-scope"; readonly scope: string }
  /** Answer with these response headers (lower-case names). */
  | { readonly kind: "response"; readonly headers: Readonly<Record<string, string>> }
  /** Show the handler {@link Grant.target} instead of the raw target: parameters that may vary are removed from it. */
  | { readonly kind: "strip"; readonly names: readonly string[] };

/** The name of an {@link Obligation}, as `enforces` of a verifier lists it. */
export type ObligationKind = Obligation["kind"];

/**
 * What a valid signature allows. Only verifiers create grants.
 *
 * Not a plain object: `id`, `notBefore`, `expiresAt` and `limitBody` may not be its own properties, so a spread, `structuredClone` and
 * `console.log` may omit them. `JSON.stringify` includes the first three.
 */
export interface Grant {
  /** Identifier of the scheme that was verified, e.g. `"s3"`. */
  readonly scheme: string;
  /**
   * base64url of the first 16 bytes of SHA-256 over the string to sign: the same on both sides, without any secret.
   * Count and revoke by it, never by the signature: ECDSA signatures are malleable and base64 has several spellings.
   */
  readonly id: string;
  /** Who signed: access key id or `kid`. */
  readonly keyId: string;
  /** The methods that are granted. `HEAD` is listed if it is granted. */
  readonly methods: readonly string[];
  /** First instant of validity. */
  readonly notBefore: Date;
  /** First instant at which the grant is no longer valid. */
  readonly expiresAt: Date;
  /** The obligations that the caller enforces, see {@link Obligation}. */
  readonly obligations: readonly Obligation[];
  /** The target the handler may act on: the raw one, without parameters that may vary. */
  readonly target: string;
  /**
   * Passes a body on while it conforms to the grant's length and SHA-256. Throws `BODY_LENGTH` as soon as too many bytes
   * arrive, and `BODY_LENGTH` or `BODY_DIGEST` at the end: act on the body only after the iteration has finished.
   * `INVALID_INPUT` means that the stream has already been read, for example by a body parser.
   */
  limitBody(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

/** Everything the holder of a signed request needs. */
export interface SignedRequest {
  /** The URL, byte for byte as it must be sent. */
  readonly url: string;
  /** The method that the holder must send. */
  readonly method: string;
  /** Headers that the holder must send, lower-case names; without `host`. */
  readonly headers: Readonly<Record<string, string>>;
  /** First instant at which the URL is no longer valid, taking the expiration of the credentials into account. */
  readonly expiresAt: Date;
  /** The same identifier that the verifier's {@link Grant.id} has. */
  readonly id: string;
  /** What the signature covers. */
  readonly bound: readonly string[];
  /** What a holder can change without breaking the signature. */
  readonly unbound: readonly string[];
  /** Things that are allowed and probably not wanted, one sentence each. */
  readonly warnings: readonly string[];
}

/** Lifetime of a signed request: exactly one of `expiresIn` and `expiresAt`. */
export interface Lifetime {
  /** Lifetime in seconds, from the time of signing. */
  readonly expiresIn?: number | undefined;
  /** First instant at which the URL is no longer valid. */
  readonly expiresAt?: Date | undefined;
  /**
   * Seconds. The signing time is rounded down to a multiple of it, and the lifetime is extended by it, so that every call
   * within a window returns the same bytes (caches keep working) and each URL is still valid for at least `expiresIn`.
   */
  readonly stableWindow?: number | undefined;
}

/** Response headers that a signed download sets. */
export interface ResponseOverrides {
  /** `Cache-Control`, exactly as it will be sent. The values of all these headers are sent unchecked. */
  readonly cacheControl?: string | undefined;
  /** `Content-Disposition`, such as `attachment; filename="talk.mp4"`. */
  readonly contentDisposition?: string | undefined;
  /** `Content-Encoding`. It does not cause any encoding. */
  readonly contentEncoding?: string | undefined;
  /** `Content-Language`. */
  readonly contentLanguage?: string | undefined;
  /** `Content-Type`. */
  readonly contentType?: string | undefined;
  /** `Expires`, an HTTP date. The lifetime of the URL is `expiresIn`. */
  readonly expires?: string | undefined;
}

/** What a request is bound to beyond method, resource and time. Each scheme says which of these it can bind. */
export interface Bindings {
  /** The `Content-Type` that the holder must send. */
  readonly contentType?: string | undefined;
  /** Bytes of the body: exact, or a range. */
  readonly contentLength?: number | { readonly min?: number; readonly max: number } | undefined;
  /** SHA-256 of the body, 64 lower-case hexadecimal digits. */
  readonly sha256?: string | undefined;
  /** Request headers the holder must send with exactly these values. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Query parameters that become part of the URL. */
  readonly query?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Addresses that may use the URL, CIDR notation. */
  readonly ip?: string | readonly string[] | undefined;
}

/**
 * Constraints that a caller may request from any scheme, in addition to the resource. A scheme binds what it can and refuses the
 * rest with `UNSUPPORTED_CONSTRAINT`: silently dropping a constraint would grant more than was asked for.
 */
export interface Constraints extends Lifetime {
  /** First instant of validity. */
  readonly notBefore?: Date | undefined;
  /** Everything below this path instead of one resource. */
  readonly prefix?: string | undefined;
  /** Further properties of the request that the holder must keep to. */
  readonly bind?: Bindings | undefined;
  /** Headers of the response to a download. */
  readonly response?: ResponseOverrides | undefined;
}

/** An item of {@link Signer.signMany}: a bad request yields its error and does not stop the others. */
export type SignedOrError = SignedRequest | { readonly error: Error };

/** Signs synchronously: every HMAC scheme. */
export interface Signer<R> {
  /** Signs one request. Nothing is sent, and whether the resource exists shows when the URL is used. */
  sign(request: R): SignedRequest;
  /** In order, each request when its result is consumed. For an `AsyncIterable`, use the function `signMany` of `daypass`. */
  signMany(requests: Iterable<R>): Iterable<SignedOrError>;
}

/** Signs with a promise: RSA, ECDSA and Ed25519. */
export interface AsyncSigner<R> {
  /** Signs one request. Nothing is sent, and whether the resource exists shows when the URL is used. */
  sign(request: R): Promise<SignedRequest>;
  /**
   * In order, with up to sixteen signatures in progress: it reads up to that many requests ahead of what it has yielded. For an
   * `AsyncIterable`, use the function `signMany` of `daypass`.
   */
  signMany(requests: Iterable<R>): AsyncIterable<SignedOrError>;
}

/** What the caller knows about the sender of a request, in addition to the request itself. */
export interface Proof {
  /** The identity that the sender proved by other means, e.g. a session. */
  readonly subject?: string | undefined;
  /** Obligations that this caller enforces, in addition to the `enforces` of the verifier. Guards list their own here. */
  readonly enforces?: readonly ObligationKind[] | undefined;
}

/** Turns a request into a grant or throws a `DaypassError`. */
export interface Verifier<G extends Grant = Grant> {
  /** Returns, by names alone, whether the request is signed with this scheme. Verifies nothing. */
  detects(request: WireRequest): boolean;
  /**
   * Returns what the request may do, or rejects with a `DaypassError` that says why it is refused. Does not read the body, see
   * {@link Grant.limitBody}.
   */
  verify(request: WireRequest, proof?: Proof): Promise<G>;
}

/**
 * Counts the uses of URLs that may be used a limited number of times. An app implements it over its own store; the gateway does over its
 * state.
 */
export interface UseStore {
  /**
   * Counts one use, durably and before it resolves. Resolves to `false` if all uses are spent. Two calls at the same time must not both get the last
   * use.
   *
   * @param kid the key that signed
   * @param grantId the id of the grant; unique together with `kid`
   * @param uses how often the URL may be used
   * @param until when the URL expires: its count may be forgotten then
   */
  claim(kid: string, grantId: string, uses: number, until: Date): Promise<boolean>;
}

/** Looks up keys by the identifier in the request. Return several for key rotation, nothing or `null` for an unknown identifier. */
export type KeyResolver<K> = (
  keyId: string,
) => K | readonly K[] | null | undefined | Promise<K | readonly K[] | null | undefined>;

/** The wire request, its target split once and its origin selected: what every scheme reads. */
export interface ReceivedRequest {
  /** The request, unchanged. */
  readonly request: WireRequest;
  /** Its target, split at the bytes of the wire. */
  readonly wire: WireTarget;
  /** The configured origin that the request's authority selected, as `scheme://host[:port]`. */
  readonly origin: string;
  /** The text that the `*` of a wildcard origin matched (the bucket in virtual-host addressing); empty for an exact origin. */
  readonly wildcard: string;
}

/** The result of recomputing a signature. */
export interface Checked {
  /** Whether the key created the signature of the request. */
  readonly matches: boolean;
  /** The grant's id is a hash of it. */
  readonly stringToSign: string;
}

/**
 * One dialect of presigned URLs, for verifying. `verify.ts` calls the functions in the order in which they are listed
 * here, so no grant is created before `check` has succeeded.
 */
export interface Scheme<P, K, G extends Grant> {
  /** Also the name of its folder, its vectors and its doc page. */
  readonly id: string;
  /** By names alone: does the request carry this scheme's markers? */
  detect(request: WireRequest): boolean;
  /** Parses strictly and without a key. Throws `MALFORMED`; never checks the time or the signature's value. */
  parse(received: ReceivedRequest): P;
  /** Who claims to have signed: the name under which the key is looked up. */
  keyId(parsed: P): string;
  /** Recomputes the signature and compares in constant time. Called for every candidate key, or for `dummyKey` if no key is known. */
  check(received: ReceivedRequest, parsed: P, key: K): Checked | Promise<Checked>;
  /** Matches nothing. It exists because an unknown key id must cost the same hashes as a known one. */
  readonly dummyKey: K;
  /** The refusal because of the time alone, if any. `now` is in milliseconds since 1970, or NaN if the clock is invalid. */
  checkTime(parsed: P, now: number): Error | undefined;
  /**
   * Providers differ in what they report for a URL that is both expired and wrong. With `true`, the time is reported
   * first, as in S3. In both cases, both are checked.
   */
  readonly reportsTimeFirst?: true;
  /** Whether an origin may be `https://*.s3.example.com`, where `*` is the bucket. */
  readonly wildcards?: true;
  /** Refusals that depend on what was granted (method, audience, the key's scope), then the grant itself. */
  grant(received: ReceivedRequest, parsed: P, verified: Verified<K>): G;
}

/** What a scheme may rely on when it creates a grant: it exists only after a signature has matched. */
export interface Verified<K> {
  /** The candidate that matched. */
  readonly key: K;
  /** The signed text; the grant's id is a hash of it. */
  readonly stringToSign: string;
  /** What the caller has proved about the sender by other means. */
  readonly proof: Proof;
  /** The instant at which the time window was checked, in milliseconds since 1970. */
  readonly now: number;
}
