import { refusal } from "../../../core/errors.ts";
import { malformed } from "../../../wire/parameters.ts";
import { groupHeaders } from "../../../wire/raw-target.ts";

/** The fields of a token in the order of Google's own code. */
const FIELDS = [
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

/** The fields of a token, in its order and as on the wire, where FullPath has no value. */
export type TokenFields = { [F in (typeof FIELDS)[number]]?: string };

/** The code for a wrong field: of a received token, or of a token to sign. */
export type FaultCode = "MALFORMED" | "INVALID_INPUT";

/** "FullPath~Expires=1663070400~hmac=…". */
export function joinToken(fields: TokenFields, proof: string): string {
  return [...Object.entries(fields).map(([name, value]) => (value === "" ? name : `${name}=${value}`)), proof].join(
    "~",
  );
}

/**
 * "The values for each of the parameters are the same between the signed value and the token string, with the following
 * exceptions: FullPath, Headers". Both are signed and not sent, so a path or header with `~` could contain another field: a
 * client that chooses the header `bar~IPRanges=…` would not be bound to a network.
 */
export function tokenStringToSign(
  fields: TokenFields,
  { path, headers, code }: { readonly path: string; readonly headers: Headers; readonly code: FaultCode },
): string {
  const signed = (name: string, value: string): string => {
    if (name === "FullPath") return checkText(path, /^[!-}]+$/, code);
    if (name !== "Headers") return checkText(value, /^[!"$%'-}]+$/, code);
    const names = value.split(",");
    // A repeated name would sign the header's value again, and a request has room for thousands of names.
    if (new Set(value.toLowerCase().split(",")).size < names.length)
      throw refusal(code, "a signed header is listed twice. List it once");
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
  throw refusal(
    code,
    "the path, a field or a signed header has a character that a token cannot hold. Use ASCII without ~ , & #",
  );
}

/** Reads the fields in the order of the token, each once. FullPath has no value and no `=`. */
export function readFields(parts: readonly string[]): TokenFields {
  const fields: TokenFields = {};
  for (const part of parts) {
    const [name, ...rest] = part.split("=");
    const value = rest.join("=");
    const field = FIELDS.find((known) => known === name);
    const isBad = field === "FullPath" ? rest.length > 0 : value === "";
    if (field === undefined || fields[field] !== undefined || isBad) {
      throw bad(`each of ${FIELDS.join()} once`);
    }
    fields[field] = value;
  }
  return fields;
}

/** `MALFORMED`, because of the token. */
export function bad(expected: string): Error {
  return malformed("token", "form", expected);
}
