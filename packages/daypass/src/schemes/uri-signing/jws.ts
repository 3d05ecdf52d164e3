import { base64url, fromBase64url, utf8 } from "../../wire/encoding.ts";
import { malformed } from "../../wire/parameters.ts";
import { percentDecode } from "../../wire/raw-target.ts";

/** A signed JWT in compact form, split and not verified. */
export interface Jws {
  /** Header and payload as they are signed. */
  readonly input: string;
  readonly alg: string;
  readonly kid: string | undefined;
  readonly payload: unknown;
  /** base64url in its one spelling. */
  readonly signature: string;
}

/**
 * Splits a token. "The header of the JWT MAY be passed via the CDNI Metadata interface instead of being included in the
 * URISigningPackage": then `header` is that part, in base64url.
 */
export function readJws(token: string, header: string | undefined): Jws {
  const parts = token.length > MAX_TOKEN ? [] : token.split(".");
  if (parts.length === 2 && header !== undefined) parts.unshift(header);
  const [head = "", body = "", signature = ""] = parts;
  const { alg, kid, crit } = Object(readJson(head)) as { alg?: unknown; kid?: unknown; crit?: unknown };
  // RFC 7515 section 4.1.11: extensions in the header that "MUST be understood"; none is.
  if (typeof alg !== "string" || (kid !== undefined && typeof kid !== "string") || crit !== undefined) {
    throw malformed("token", "header", "alg, kid, no crit");
  }
  if (parts.length !== 3 || signature === "" || fromBase64url(signature) === undefined) {
    throw malformed("token", "form", "JSON in base64url, three parts");
  }
  return { input: `${head}.${body}`, alg, kid, payload: readJson(body), signature };
}

// Longer than what servers take as a target. JSON costs more to read than what stands around it.
const MAX_TOKEN = 8192;

function readJson(part: string): unknown {
  const bytes = fromBase64url(part);
  try {
    if (bytes !== undefined) return JSON.parse(percentDecode([...bytes].map(escapeByte).join("")));
  } catch {
    // Told below.
  }
  throw malformed("token", "form", "JSON in base64url, three parts");
}

// The one decoder of UTF-8 here is the percent-decoder: jsdom's window, where bundles are tested, has no TextDecoder.
function escapeByte(byte: number): string {
  return `%${byte.toString(16).padStart(2, "0")}`;
}

/** Header and payload of a token, to be signed. */
export function jwsInput(alg: string, kid: string, payload: object): string {
  return `${encode({ alg, kid })}.${encode(payload)}`;
}

function encode(value: object): string {
  return base64url(utf8(JSON.stringify(value)));
}
