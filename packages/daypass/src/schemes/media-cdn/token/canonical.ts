import { sha256Hmac } from "#crypto/digests";
import { refusal } from "../../../core/errors.ts";
import { hasMember } from "../../../core/secrets.ts";
import { anyBase64 } from "../../../edge/google-cdn.ts";
import { hex } from "../../../wire/encoding.ts";
import { groupHeaders } from "../../../wire/raw-target.ts";

/** A shared secret for HMAC-SHA256. */
export interface MediaCdnTokenSecret {
  /** At least 16 bytes in base64url. */
  readonly secret: string;
}

/** A key for another algorithm, created by `mediaCdnSha1Key` or `mediaCdnPublicKey`. */
export interface MediaCdnTokenVerifyKey {
  /** Whether a field `hmac=…` or `Signature=…` is one of this text. */
  readonly matches: (text: string, proof: string) => Promise<boolean>;
}

/** A shared secret that signs. */
export interface MediaCdnTokenMac {
  /** The field `hmac=…` of a text. */
  readonly prove: (text: string) => string;
}

/** What a token says, in the order of Google's own code. */
export const FIELDS = [
  "FullPath",
  "PathGlobs",
  "URLPrefix",
  "Starts",
  "Expires",
  "SessionID",
  "Data",
  "Headers",
  "IPRanges",
] as const;
export type TokenField = (typeof FIELDS)[number];

/** The fields of a token in its order, as they stand in it; FullPath has no value there. */
export type TokenFields = { [F in TokenField]?: string };

/** Who made the mistake: the one who sent a token, or the one who asks for one. */
export type FaultCode = "MALFORMED" | "INVALID_INPUT";

/** "FullPath~Expires=1663070400~hmac=…". */
export function joinToken(fields: TokenFields, proof: string): string {
  return [...Object.entries(fields).map(([name, value]) => (value === "" ? name : `${name}=${value}`)), proof].join(
    "~",
  );
}

/**
 * "The values for each of the parameters are the same between the signed value and the token string, with the following
 * exceptions: FullPath, Headers". These two are signed and not sent, so what begins another field in them would take that
 * field out of the token: who may choose `bar~IPRanges=…` for a header is bound to no network.
 */
export function tokenStringToSign(
  fields: TokenFields,
  { path, headers, code }: { readonly path: string; readonly headers: Headers; readonly code: FaultCode },
): string {
  const signed = (name: string, value: string): string => {
    if (name === "FullPath") return checkText(path, /^[!-}]+$/, code);
    if (name !== "Headers") return checkText(value, /^[!"$%'-}]+$/, code);
    const names = value.split(",");
    // Each name again would sign the header's value again, and a request has room for thousands.
    if (new Set(value.toLowerCase().split(",")).size < names.length) throw refusal(code, "each signed header once");
    const received = groupHeaders(headers);
    const pairs = names.map((header) => {
      const values = received.get(header.toLowerCase()) ?? [];
      return `${checkText(header, /^[\w-]+$/, code)}=${checkText(values.join("\n"), /^[ -+\--}]+$/, code)}`;
    });
    return pairs.join();
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${signed(name, value)}`)
    .join("~");
}

type Headers = readonly (readonly [name: string, value: string])[];

function checkText(text: string, form: RegExp, code: FaultCode): string {
  if (form.test(text)) return text;
  throw refusal(code, "path, fields and signed headers in ASCII without ~ , & #");
}

/** The bytes of a shared secret. */
export function secretBytes(key: MediaCdnTokenSecret): Uint8Array {
  const bytes = anyBase64(key?.secret);
  if (bytes !== undefined && bytes.length >= 16) return bytes;
  throw refusal("INVALID_KEY", "a secret of at least 16 bytes in base64url");
}

/** A secret as it signs: HMAC-SHA256 unless it says otherwise. */
export function proofOf(key: MediaCdnTokenSecret | MediaCdnTokenMac): (text: string) => string {
  if (hasMember(key, "prove")) return key.prove;
  const mac = sha256Hmac(secretBytes(key));
  return (text) => `hmac=${hex(mac(text))}`;
}
