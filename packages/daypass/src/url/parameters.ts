const TEXT = /^[A-Za-z0-9*._%-]+$/;
const LIST = /^[A-Za-z0-9_.-]+$/;
const TIME = /^(?:19[7-9][0-9]|[2-9][0-9]{3})[0-9]{4}T[0-9]{6}Z$/;

export type ParameterName =
  | "dp-audience"
  | "dp-create"
  | "dp-date"
  | "dp-expires"
  | "dp-headers"
  | "dp-ip"
  | "dp-key"
  | "dp-length"
  | "dp-methods"
  | "dp-nonce"
  | "dp-prefix"
  | "dp-response-cache-control"
  | "dp-response-content-disposition"
  | "dp-response-content-language"
  | "dp-response-content-type"
  | "dp-sha256"
  | "dp-signature"
  | "dp-starts"
  | "dp-subject"
  | "dp-type"
  | "dp-uses"
  | "dp-v"
  | "dp-vary";

/**
 * Every parameter of a Daypass URL with the form of its raw value, in the order in which they stand in one. A name that
 * starts with `dp-` and is not here is refused, so a constraint that is added later is critical for old verifiers.
 * Signer and verifier read this one table.
 */
export const PARAMETERS: Readonly<Record<ParameterName, RegExp>> = {
  "dp-audience": TEXT,
  "dp-create": /^1$/,
  "dp-date": TIME,
  "dp-expires": TIME,
  "dp-headers": LIST,
  "dp-ip": LIST,
  "dp-key": /^[A-Za-z0-9_-]{1,64}$/,
  "dp-length": /^(?:0|[1-9][0-9]{0,15})(?:-[1-9][0-9]{0,15})?$/,
  "dp-methods": LIST,
  "dp-nonce": /^[A-Za-z0-9_-]{16,64}$/,
  "dp-prefix": /^[1-9][0-9]?$/,
  "dp-response-cache-control": TEXT,
  "dp-response-content-disposition": TEXT,
  "dp-response-content-language": TEXT,
  "dp-response-content-type": TEXT,
  "dp-sha256": /^[0-9a-f]{64}$/,
  // 32 bytes (HS256) or 64 (Ed25519), the spare bits of the last character zero: one spelling for each signature.
  "dp-signature": /^(?:[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]|[A-Za-z0-9_-]{85}[AQgw])$/,
  "dp-starts": TIME,
  "dp-subject": TEXT,
  "dp-type": TEXT,
  "dp-uses": /^[1-9][0-9]{0,15}$/,
  "dp-v": /^1$/,
  "dp-vary": LIST,
};

/** Raw values by name. */
export type ParameterValues = { [N in ParameterName]?: string | undefined };

/** The names in ascending byte order, as the table has them; a test holds it to that. */
export const PARAMETER_NAMES: readonly ParameterName[] = Object.keys(PARAMETERS) as ParameterName[];

export const REQUIRED_PARAMETERS: readonly ParameterName[] = [
  "dp-date",
  "dp-expires",
  "dp-key",
  "dp-methods",
  "dp-signature",
  "dp-v",
];

type ResponseHeader = "cache-control" | "content-disposition" | "content-language" | "content-type";

/** The response headers that a URL may set, each with its parameter. */
export const RESPONSE_PARAMETERS: Readonly<Record<ResponseHeader, ParameterName>> = {
  "cache-control": "dp-response-cache-control",
  "content-disposition": "dp-response-content-disposition",
  "content-language": "dp-response-content-language",
  "content-type": "dp-response-content-type",
};

/** Parameters about content that is written: they have no meaning beside GET or HEAD, and are refused there. */
export const CONTENT_PARAMETERS: readonly ParameterName[] = ["dp-create", "dp-length", "dp-sha256", "dp-type"];

export const METHOD_FORM: RegExp = /^[A-Z]{3,16}$/;

// A URL that a browser could be made to use as a tunnel or a preflight grants nothing anyone wants to grant.
export const METHOD_ITEM: RegExp = /^(?!(?:CONNECT|TRACE|OPTIONS)$)[A-Z]{3,16}$/;

// Headers that carry credentials, that the signature covers otherwise, or that a proxy takes off (RFC 9110 section 7.6.1).
export const HEADER_ITEM: RegExp =
  /^(?!(?:host|cookie|authorization|connection|keep-alive|proxy-authenticate|proxy-authorization|proxy-connection|te|trailer|transfer-encoding|upgrade)$)[a-z0-9_-]+$/;

export const VARY_ITEM: RegExp = /^(?![dD][pP]-)[A-Za-z0-9_-]+$/;
