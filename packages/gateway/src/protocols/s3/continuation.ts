/**
 * Continuation tokens of listings. A token contains the position and a checksum over the position and the listing, so a changed or
 * truncated token is refused, and so is the token of another listing. It is neither secret nor a permission: `start-after` reaches the
 * same keys. Every process and every release can read it.
 */
import { runningCrc } from "../../http/checksum.ts";
import type { Refusal } from "../../pipeline/refusal.ts";
import type { ListPosition } from "../../storage/contract/listing.ts";
import { invalidArgument } from "./arguments.ts";

const CRC_BYTES = 4;
const KEY = 0x6b;
const PREFIX = 0x70;

/** @param listing bucket, prefix and delimiter of the token */
export function continuationToken(position: ListPosition, listing: readonly string[]): string {
  const [kind, text] = "key" in position ? [KEY, position.key] : [PREFIX, position.prefix];
  const body = new Uint8Array([kind, ...new TextEncoder().encode(text)]);
  return toBase64Url(new Uint8Array([...checksum(body, listing), ...body]));
}

/** @throws {Refusal} `INVALID_ARGUMENT` */
export function readContinuationToken(token: string, listing: readonly string[]): ListPosition {
  const bytes = fromBase64Url(token);
  const body = bytes?.subarray(CRC_BYTES);
  const kind = body?.[0];
  if (bytes === undefined || body === undefined || (kind !== KEY && kind !== PREFIX)) throw incorrect(token);
  if (!checksum(body, listing).every((byte, i) => byte === bytes[i])) throw incorrect(token);
  // Without ignoreBOM, a key that begins with a byte order mark would become another key.
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(body.subarray(1));
  return kind === KEY ? { key: text } : { prefix: text };
}

function checksum(body: Uint8Array, listing: readonly string[]): Uint8Array {
  const running = runningCrc("crc32c");
  // JSON: different lists have different bytes.
  running.update(new TextEncoder().encode(JSON.stringify(listing)));
  running.update(body);
  return running.digest();
}

function toBase64Url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** `undefined` for a spelling that `toBase64Url` does not return. */
function fromBase64Url(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    return toBase64Url(bytes) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function incorrect(token: string): Refusal {
  return invalidArgument("continuation-token", token, "The continuation token provided is incorrect");
}
