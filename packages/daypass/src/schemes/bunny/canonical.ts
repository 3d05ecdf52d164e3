import { base64url, utf8 } from "../../wire/encoding.ts";
import { peerAddress } from "../../wire/ip.ts";
import type { Parameter } from "../../wire/parameters.ts";

/** The weakness of Bunny's tokens. */
export type BunnyWeakness = "unseparated-fields";
export const BUNNY_WEAK: readonly BunnyWeakness[] = ["unseparated-fields"];

/** What a token signs. */
export interface BunnyParts {
  /** Decoded: the whole path, or the value of token_path. */
  readonly path: string;
  /** Ten digits, so that none of them can move into the path (`/v1` + `1598024587` is `/v` + `11598024587`, too). */
  readonly expires: string;
  /** The bytes of the client's address where the token is locked to it. */
  readonly address: readonly number[] | undefined;
  /** Decoded, each name once. */
  readonly parameters: readonly Parameter[];
}

/** The parameters as they are signed: sorted by name, decoded, joined by `&`. */
function parameterText(parameters: readonly Parameter[]): string {
  return [...parameters]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

/** What the MAC is computed over: all parts with nothing between them. */
export function bunnyBytes({ path, expires, address = [], parameters }: BunnyParts): Uint8Array {
  return Uint8Array.from([...utf8(path + expires), ...address, ...utf8(parameterText(parameters))]);
}

/** The same as text with a line for each part, from which a grant's id is made. */
export function bunnyStringToSign({ path, expires, address, parameters }: BunnyParts): string {
  return [path, expires, address?.join(".") ?? "", parameterText(parameters)].join("\n");
}

/** "HS256-", "1-" where the token is locked to an address, and the MAC in base64url. */
export function bunnyToken(mac: Uint8Array, { address }: BunnyParts): string {
  return `HS256-${address === undefined ? "" : "1-"}${base64url(mac)}`;
}

/** The bytes of an address that a token is locked to: of IPv6 the first half, the network, and zeros. */
export function lockedAddress(text: string | undefined): readonly number[] | undefined {
  const bytes = peerAddress(text ?? "");
  return bytes?.map((byte, i) => (i < 8 ? byte : 0));
}

const NAME = /^(?!.*[0-9]{10}|[0-9].)[A-Za-z0-9._~-]+$/;

/**
 * Whether parameters are signed without ambiguity: values are joined decoded, so `a=1%26b=2` would be signed like `a=1&b=2`;
 * and the bytes of an address would be a parameter's text in another token, but for control characters. Ten digits in a name are
 * another token's end, and what is before them the rest of its path: see {@link hidesEnd}. A digit in front of more is one of the end's:
 * `/v/19` until 1767226200 with `x=1` is `/v/1` until 9176722620 with `0x=1`. In front of nothing it cannot be, as a name is not empty.
 */
export function isPlain([name, value]: Parameter): boolean {
  return NAME.test(name) && !/[&\p{Cc}]/u.test(value);
}

/**
 * Whether an end and a parameter's name stand in a path: `/a9999999999x=1` until 1598024587 is `/a` until 9999999999 with `x=11598024587`,
 * so that who may choose the name of a file would open another one, for good.
 */
export function hidesEnd(path: string): boolean {
  // By hand: one pattern for digits, name and `=` begins anew at each digit of a path.
  const names = path.split("=").map((text) => text.split(/[^A-Za-z0-9._~-]/).at(-1) as string);
  return names.slice(0, -1).some((name) => /[1-9][0-9]{9}./.test(name));
}

/** Whether a decoded path is the prefix or below it. Bunny compares texts, by which `/abc` would open `/abcdef`. */
export function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
}
