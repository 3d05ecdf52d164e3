import { sha1Hmac, sha256Hmac } from "#crypto/digests";
import type { KeyResolver } from "../../core/contracts.ts";
import { type DaypassError, refusal } from "../../core/errors.ts";
import { type Keys, keyResolver, whenFound } from "../../core/key-resolver.ts";
import { subtleSha512Hmac } from "../../crypto/small-hmac.ts";
import { base64url, hex } from "../../wire/encoding.ts";

/** A digest that Swift signs with: `sha256` and `sha512` unless the operator allows the old `sha1`. */
export type SwiftDigest = "sha1" | "sha256" | "sha512";

/** A `Temp-URL-Key` of an account or of one container. Either may have two, so that one can replace the other. */
export interface SwiftKey {
  /** `AUTH_…` */
  readonly account: string;
  /** Only if the key is set on a container: it is then valid for nothing else. */
  readonly container?: string | undefined;
  /** Its value, as text. */
  readonly key: string;
  /** Digests that signatures with this key may use: SHA-256 and SHA-512 if omitted, as in Swift itself. */
  readonly digests?: readonly SwiftDigest[] | undefined;
}

/** The value of `temp_url_sig` for a message. */
export type SwiftMac = (message: string) => string;
export type AsyncSwiftMac = (message: string) => Promise<string>;

/** With SHA-1 or SHA-256: lower-case hexadecimal. */
export function swiftMac(digest: "sha1" | "sha256", key: string): SwiftMac {
  checkKeyText(key);
  if (digest !== "sha1" && digest !== "sha256") throw invalidKey('"sha1", "sha256" or "sha512"');
  const mac = digest === "sha1" ? sha1Hmac(key) : sha256Hmac(key);
  return (message) => hex(mac(message));
}

/** "Base64 is required for HMAC-SHA512 signatures", the one for URLs and as Swift's own client writes it without padding. */
export function swiftMac512(key: string): AsyncSwiftMac {
  checkKeyText(key);
  let mac: ReturnType<typeof subtleSha512Hmac> | undefined;
  return async (message) => {
    mac ??= subtleSha512Hmac(key);
    return `sha512:${base64url(await mac(message))}`;
  };
}

/** A key that has been checked. */
export interface LoadedKey {
  readonly account: string;
  readonly container: string | undefined;
  /** `undefined` for a digest that the key may not have. */
  readonly macs: Partial<Readonly<Record<SwiftDigest, SwiftMac | AsyncSwiftMac>>>;
}

export function loadKey({ account, container, key, digests = ["sha256", "sha512"] }: SwiftKey): LoadedKey {
  if (typeof account !== "string" || digests.length === 0) throw invalidKey("account, key and at least one digest");
  const macs = digests.map((digest) => [digest, digest === "sha512" ? swiftMac512(key) : swiftMac(digest, key)]);
  return { account, container, macs: Object.fromEntries(macs) };
}

/**
 * Turns any form of a verifier's `keys` option into a resolver. A TempURL names no key: the keys of its account and of its
 * container are tried, and a function is asked with `account/container`.
 */
export function swiftKeys(keys: Keys<SwiftKey>): KeyResolver<LoadedKey> {
  const find = keyResolver(keys, () => "", loadKey);
  return (id) => {
    const fits = ({ account, container }: LoadedKey): boolean =>
      id === `${account}/${container ?? id.slice(account.length + 1)}`;
    const filter = (found: Awaited<ReturnType<typeof find>>): readonly LoadedKey[] =>
      (found as readonly LoadedKey[] | undefined)?.filter(fits) ?? [];
    return whenFound(find(typeof keys === "function" ? id : ""), filter);
  };
}

/** A key is set by a header (`X-Account-Meta-Temp-URL-Key`), so it is one line: with a break, as a file ends with one, it opens nothing. */
function checkKeyText(key: string): void {
  if (typeof key !== "string" || !/^.+$/.test(key)) throw invalidKey("a line of text");
}

function invalidKey(expected: string): DaypassError {
  return refusal("INVALID_KEY", `key cannot be used. Pass a Temp-URL-Key as ${expected}`);
}
