import { parseEpoch } from "../../core/validity.ts";
import { fromBase64, fromBase64url, latin1 } from "../../wire/encoding.ts";
import { decodeOr } from "../decoded.ts";
import type { SplitUrl } from "../explainer.ts";
import { readParameters } from "../parameters.ts";
import type { BearerTimes, BearerView } from "./kind.ts";

/** Header, claims and signature of a JSON Web Token. The first two are JSON objects in base64url. */
export const JWT: string = /eyJ[\w-]{8,8000}\.eyJ[\w-]{2,8000}\.[\w-]{20,2000}/.source;

export function bearerView(url: SplitUrl): BearerView {
  const parameters = new Map([...readParameters(url)].reverse());
  const target = `${url.wire.path}?${url.wire.query}`;
  return {
    host: url.authority.replace(/:\d+$/, "").toLowerCase(),
    path: url.wire.path,
    parameter: (name) => parameters.get(name) ?? "",
    found: (pattern) => pattern.exec(target)?.[1] ?? "",
  };
}

/** The claims of a JSON Web Token. They are read, and not verified. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return jsonOf(fromBase64url(token.split(".")[1] ?? ""));
}

/** A JSON object in bytes; an empty one where they are none. */
export function jsonOf(bytes: Uint8Array | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(decodeOr(percentEscaped(latin1(bytes ?? new Uint8Array()))));
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

/** Of bytes that are UTF-8 what the percent-decoder reads. */
function percentEscaped(bytes: string): string {
  return bytes.replace(/[%\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

export function timesOfJwt(token: string): BearerTimes {
  return timesOfClaims(claimsOf(token));
}

function timesOfClaims({ iat, nbf, exp }: Readonly<Record<string, unknown>>): BearerTimes {
  return { signedAt: seconds(iat), startsAt: seconds(nbf), endsAt: seconds(exp) };
}

/** SharePoint's: a JSON Web Token, or `v1.` and the claims themselves in front of what signs them. */
export function timesOfTempauth(token: string): BearerTimes {
  const rest = token.replace(/^v\d\./, "");
  const [first = ""] = rest.split(".", 1);
  const claims = jsonOf(fromBase64url(first));
  return claims["exp"] === undefined ? timesOfJwt(rest) : timesOfClaims(claims);
}

/** An instant of ISO 8601. One without a zone would be read as one of this machine's. */
export function isoInstant(text: string): Date | undefined {
  const at = new Date(/^\d{4}-\d\d-\d\d(?:T[\d:.]{1,20}(?:Z|[+-]\d\d:\d\d))?$/.test(text) ? text : Number.NaN);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

/** Seconds since 1970, as JSON or a query have them. */
export function seconds(value: unknown): Date | undefined {
  return parseEpoch(String(value).replace(/\.\d*$/, ""));
}

/** The same in hexadecimal. */
export function hexSeconds(text: string): Date | undefined {
  return /^[0-9a-f]{8}$/i.test(text) ? new Date(Number.parseInt(text, 16) * 1000) : undefined;
}

/** Milliseconds since 1970. */
export function milliseconds(text: string): Date | undefined {
  return /^\d{13}$/.test(text) ? new Date(Number(text)) : undefined;
}

/** Begin and end of a token in the form of Akamai's, `st=…~exp=…`. */
export function timesOfEdgeAuth(token: string): BearerTimes {
  const value = (name: string): string => new RegExp(`(?:^|~)${name}=(\\d{1,11})(?:~|$)`).exec(token)?.[1] ?? "";
  return { startsAt: parseEpoch(value("st")), endsAt: parseEpoch(value("exp")) };
}

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Django's: seconds since 1970 in base 62. */
export function base62Seconds(text: string): Date | undefined {
  let value = 0;
  for (const digit of text) value = value * 62 + BASE62.indexOf(digit);
  return text === "" ? undefined : new Date(value * 1000);
}

/** Seconds since 1970 in four bytes, as itsdangerous has them. */
export function byteSeconds(text: string): Date | undefined {
  const bytes = fromBase64url(text);
  if (bytes?.length !== 4) return undefined;
  return new Date(bytes.reduce((sum, byte) => sum * 256 + byte, 0) * 1000);
}

/** The end that Rails writes into a message beside its purpose. */
export function timesOfRails(message: string): BearerTimes {
  const { _rails: rails } = jsonOf(fromBase64(message) ?? fromBase64url(message));
  const { exp } = (typeof rails === "object" && rails !== null ? rails : {}) as Readonly<Record<string, unknown>>;
  return { endsAt: typeof exp === "string" ? isoInstant(exp) : undefined };
}
