import { invalidInput } from "../core/errors.ts";

const UNRESERVED = /^[A-Za-z0-9\-._~/]*$/;

/**
 * RFC 3986 percent-encoding as SigV4 wants it: the unreserved bytes `A-Za-z0-9-._~` stay, every other byte of the
 * UTF-8 form becomes `%XX` in upper case, a space is `%20`. `encodeURIComponent` leaves `!'()*` alone, so they follow.
 */
export function uriEncode(text: string): string {
  return uriEncodePath(text).replaceAll("/", "%2F");
}

/** {@link uriEncode} for an object key: `/` separates segments and stays; nothing is normalised. */
export function uriEncodePath(key: string): string {
  if (UNRESERVED.test(key)) return key;
  return percentEncode(key)
    .replaceAll("%2F", "/")
    .replaceAll("!", "%21")
    .replaceAll("'", "%27")
    .replaceAll("(", "%28")
    .replaceAll(")", "%29")
    .replaceAll("*", "%2A");
}

/** `encodeURIComponent` that refuses half of a surrogate pair with `INVALID_INPUT`. */
export function percentEncode(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    // The text omits the value, which may be a session token.
    throw invalidInput("text", "whole characters", "another");
  }
}

/** UTF-8 bytes. Written out because jsdom's window, where bundles are tested, has no `TextEncoder`. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  // One character for each byte: ASCII is that already, and of all else the percent-encoding names the bytes.
  const spelled = /[^\0-\x7f]/.test(text) ? unescape(percentEncode(text)) : text;
  const bytes = new Uint8Array(spelled.length);
  for (let at = 0; at < spelled.length; at++) bytes[at] = spelled.charCodeAt(at);
  return bytes;
}

/** Lower-case hexadecimal, the only spelling that a signature has. */
export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += (byte + 256).toString(16).slice(1);
  return text;
}

/** Bytes of hexadecimal in either case, or `undefined`. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 2 !== 0 || !/^[0-9A-Fa-f]*$/.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

// Every runtime has these; the library is compiled without the types of any.
// biome-ignore lint/suspicious/noShadowRestrictedNames: it is the global itself
declare function unescape(text: string): string;
declare function btoa(binary: string): string;
declare function atob(base64: string): string;

/** Standard base64 with padding (RFC 4648 section 4). */
export function base64(bytes: Uint8Array): string {
  return btoa(latin1(bytes));
}

/** A character for each byte. One by one, as arguments stand on the stack: a long token must not overflow it. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** base64url without padding (RFC 4648 section 5). */
export function base64url(bytes: Uint8Array): string {
  return base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Standard base64 of the 32 bytes whose base64url is given: a MAC's, for the schemes that write it so. */
export function macBase64(mac: string): string {
  return `${mac.replaceAll("-", "+").replaceAll("_", "/")}=`;
}

/** Bytes of canonical base64 (padded, spare bits zero), or `undefined` for any other spelling. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = decodeBase64(text);
  return bytes !== undefined && base64(bytes) === text ? bytes : undefined;
}

/** Bytes of canonical base64url (no padding, spare bits zero), or `undefined` for any other spelling. */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = decodeBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
  return bytes !== undefined && base64url(bytes) === text ? bytes : undefined;
}

/**
 * Bytes of a signature in padded base64, or `undefined` if it is malformed: another alphabet, or not of `size` bytes. Spare
 * bits that are not zero are not malformed but wrong, as any other changed character: then the bytes are empty, which no key verifies.
 */
export function signatureBytes(text: string, size?: number): Uint8Array<ArrayBuffer> | undefined {
  // The length first: a much longer text would overflow the stack of the expression.
  if (size !== undefined && text.length !== Math.ceil(size / 3) * 4) return undefined;
  const [, plain] = /^([A-Za-z0-9+/]+)={0,2}$/.exec(text) ?? [];
  if (plain === undefined || text.length % 4 !== 0) return undefined;
  if (size !== undefined && Math.floor((plain.length * 3) / 4) !== size) return undefined;
  return fromBase64(text) ?? new Uint8Array();
}

/** {@link signatureBytes} of a signature in base64url without padding. */
export function signatureBytesUrl(text: string, size?: number): Uint8Array<ArrayBuffer> | undefined {
  if (/[+/=]/.test(text)) return undefined;
  const plain = text.replaceAll("-", "+").replaceAll("_", "/");
  return signatureBytes(plain.padEnd(Math.ceil(plain.length / 4) * 4, "="), size);
}

// `atob` forgives spaces, missing padding and spare bits: the callers compare with the one spelling.
function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
  } catch {
    return undefined;
  }
}
