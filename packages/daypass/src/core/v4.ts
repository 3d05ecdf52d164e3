import { hmacFrame, hmacSha256Once, sha256Hex } from "#crypto";

/** What sets the dialects of the V4 family (AWS4, GOOG4, OSS4) apart. */
export interface V4Family {
  readonly algorithm: string;
  /** The prefix of the secret in the first step of the key derivation. */
  readonly secretPrefix: string;
  /** Last step of the derivation and last part of the scope. */
  readonly terminator: string;
}

/** AWS Signature Version 4, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
export const AWS4: V4Family = { algorithm: "AWS4-HMAC-SHA256", secretPrefix: "AWS4", terminator: "aws4_request" };

/** Date, region and service that a signature is limited to. */
export interface CredentialScope {
  /** `YYYYMMDD` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** `date/region/service/terminator`, the third line of the string to sign. */
export function scopeText(family: V4Family, { date, region, service }: CredentialScope): string {
  return `${date}/${region}/${service}/${family.terminator}`;
}

/** HMAC chain over date, region, service and terminator: "the signing key is the result of the last step". */
export function signingKey(family: V4Family, secret: string, { date, region, service }: CredentialScope): Uint8Array {
  let key = hmacSha256Once(family.secretPrefix + secret, date);
  for (const step of [region, service, family.terminator]) key = hmacSha256Once(key, step);
  return key;
}

/** A signature with the text that it was computed over. */
export interface V4Signature {
  readonly signature: string;
  readonly stringToSign: string;
}

/** Signs all that one key may sign in one scope, by its time (`YYYYMMDDTHHMMSSZ`) and the hash of the canonical request. */
export type ScopeSigner = (time: string, canonicalHash: string) => V4Signature;

/** Prepares a {@link ScopeSigner}: of the string to sign only time and hash change, so the rest is laid out once. */
export function scopeSigner(family: V4Family, secret: string, scope: CredentialScope): ScopeSigner {
  const scoped = scopeText(family, scope);
  const blank = stringToSignText(family, "0".repeat(16), scoped, "0".repeat(64));
  const frame = hmacFrame(signingKey(family, secret, scope), blank);
  const timeAt = family.algorithm.length + 1;
  let lastTime = "";
  let head = "";
  return (time, canonicalHash) => {
    // Many signatures of one second follow each other.
    if (time !== lastTime) {
      frame.write(timeAt, time);
      head = stringToSignText(family, time, scoped, "");
    }
    lastTime = time;
    frame.write(blank.length - canonicalHash.length, canonicalHash);
    return { signature: frame.hex(), stringToSign: head + canonicalHash };
  };
}

/** A header that takes part in the signature, with all its values in the order received. */
export interface SignedHeader {
  readonly name: string;
  readonly values: readonly string[];
}

/** The parts of a canonical request, each already in canonical form. */
export interface CanonicalParts {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** `name:value\n` for each signed header, sorted by name. */
  readonly headers: string;
  /** The names of the signed headers, joined by `;`. */
  readonly signedHeaders: string;
  readonly payload: string;
}

// What follows the query is the same in most requests, and putting it together costs a quarter of hashing it.
let end = { headers: "", signedHeaders: "", payload: "", text: "" };

/** Six parts joined by line feeds; `headers` already ends with a line feed, which gives the empty line of the rule. */
export function canonicalRequestText({ method, path, query, headers, signedHeaders, payload }: CanonicalParts): string {
  if (headers !== end.headers || signedHeaders !== end.signedHeaders || payload !== end.payload) {
    end = { headers, signedHeaders, payload, text: [headers, signedHeaders, payload].join("\n") };
  }
  return `${method}\n${path}\n${query}\n${end.text}`;
}

/** Canonical request → string to sign → signature. Signing and verifying both end here, so they cannot drift apart. */
export function v4Signature(sign: ScopeSigner, time: string, parts: CanonicalParts): V4Signature {
  return sign(time, sha256Hex(canonicalRequestText(parts)));
}

/** Algorithm, time, scope and hash of the canonical request: the text of the HMAC. */
export function stringToSignText(family: V4Family, time: string, scope: string, canonicalHash: string): string {
  return `${family.algorithm}\n${time}\n${scope}\n${canonicalHash}`;
}

/** A percent-encoded query parameter. */
export type EncodedPair = readonly [name: string, value: string];

/**
 * Canonical query: "sort the parameter names by character code point in ascending order", values next. Comparing the
 * encoded names by code unit is that order, as they are ASCII. An empty value keeps its `=`.
 */
export function canonicalQuery(pairs: readonly EncodedPair[]): string {
  // A space sorts before every character of encoded text, so that a name comes before those that it begins.
  return pairs
    .map((pair) => pair.join(" "))
    .sort()
    .join("&")
    .replaceAll(" ", "=");
}

/** Order by code unit. `localeCompare` would put `x-id` before `X-Amz-Date`. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * "Remove leading and trailing spaces, convert sequential spaces to a single space"; repeats are joined by a comma. Spaces are those
 * of HTTP (RFC 9110 section 5.6.3), blank and tab: `trim` would take a no-break space, too, the last byte of "à" among them. What is
 * left at an end is one blank, so that a long run of them costs no more than its length.
 */
export function canonicalHeaderValue(values: readonly string[]): string {
  return values.map((value) => value.replace(/[ \t]+/g, " ").replace(/^ | $/g, "")).join(",");
}

/** Derived signing keys of one secret, one for each scope in use. */
export type SigningKeys = (scope: CredentialScope) => ScopeSigner;

// A URL lives for seven days at most, so eight dates can be in use; the rest is room for a few regions.
const MAX_CACHED_SCOPES = 32;

/** Derives and caches signing keys: the four HMACs of a derivation cost more than a signature. */
export function signingKeys(family: V4Family, secret: string): SigningKeys {
  const derived = new Map<string, ScopeSigner>();
  let lastScope: CredentialScope | undefined;
  let lastKey: ScopeSigner | undefined;
  return (scope) => {
    // Parsers cache scopes, so that nearly all scopes of a day are one object.
    if (lastKey !== undefined && scope === lastScope) return lastKey;
    const name = `${scope.date}/${scope.region}/${scope.service}`;
    let key = derived.get(name);
    if (key === undefined) {
      key = scopeSigner(family, secret, scope);
      // The scope comes from the request. A client that sends many scopes must not fill the memory.
      if (derived.size >= MAX_CACHED_SCOPES) derived.clear();
      derived.set(name, key);
    }
    lastScope = scope;
    lastKey = key;
    return key;
  };
}
