import { parseBasicTime } from "../../core/time.ts";
import type { Network } from "../../wire/ip.ts";
import { malformed } from "../../wire/parameters.ts";
import { decodeHeaderText, decodeText, parseNetworks, readList } from "./canonical.ts";

/** What each parameter of a Daypass URL means once it is read. */
interface ParameterTypes {
  "dp-audience": string;
  "dp-create": string;
  "dp-date": Date;
  "dp-expires": Date;
  "dp-headers": readonly string[];
  "dp-ip": readonly Network[];
  "dp-key": string;
  "dp-length": { readonly min: number; readonly max: number };
  "dp-methods": readonly string[];
  "dp-nonce": string;
  "dp-prefix": number;
  "dp-response-cache-control": string;
  "dp-response-content-disposition": string;
  "dp-response-content-language": string;
  "dp-response-content-type": string;
  "dp-sha256": string;
  "dp-signature": string;
  "dp-starts": Date;
  "dp-subject": string;
  "dp-type": string;
  "dp-uses": number;
  "dp-v": string;
  "dp-vary": readonly string[];
}

/** Values that have been read. */
export type UrlParameters = Readonly<
  Partial<ParameterTypes> & Pick<ParameterTypes, (typeof REQUIRED_PARAMETERS)[number]>
>;

export const REQUIRED_PARAMETERS = ["dp-date", "dp-expires", "dp-key", "dp-methods", "dp-signature", "dp-v"] as const;

/** The form of a raw value. `read` returns its meaning, if that differs, or `undefined` for a wrong value. */
interface Form<T> {
  readonly pattern: RegExp;
  readonly text: string;
  readonly read?: (value: string) => T | undefined;
}

const ANY = /^/;
const TEXT: Form<string> = {
  pattern: ANY,
  text: "text without spaces and controls, percent-encoded",
  read: decodeText,
};
const HEADER_TEXT: Form<string> = {
  pattern: ANY,
  text: "ASCII text without spaces and controls, percent-encoded (file names: filename*)",
  read: decodeHeaderText,
};
const TIME: Form<Date> = {
  pattern: /^(?:19[7-9]|[2-9])/,
  text: "a real instant as YYYYMMDDTHHMMSSZ",
  read: parseBasicTime,
};
const ONE: Form<string> = { pattern: /^1$/, text: "1" };

function list(item: RegExp, text: string): Form<readonly string[]> {
  return {
    pattern: ANY,
    text: `${text}, ascending and joined by "."`,
    read: (value) => readList(value, (name) => (item.test(name) ? name : undefined), String),
  };
}

/** Rule 3.2. */
function readInteger(value: string): number | undefined {
  const number = Number(value);
  // "0", or without a zero in front.
  return String(number) === value && Number.isSafeInteger(number) ? number : undefined;
}

function readLength(value: string): ParameterTypes["dp-length"] | undefined {
  const [min, max = min] = value.split("-").map(readInteger);
  if (min === undefined || max === undefined) return undefined;
  return min < max || !value.includes("-") ? { min, max } : undefined;
}

/**
 * Every parameter with its form, in their order in a URL. A name that starts with `dp-` and is not here
 * is refused, so a constraint that is added later is critical for old verifiers. Signer and verifier read this one table.
 */
export const PARAMETERS: { readonly [N in keyof ParameterTypes]: Form<ParameterTypes[N]> } = {
  "dp-audience": TEXT,
  "dp-create": ONE,
  "dp-date": TIME,
  "dp-expires": TIME,
  // Not those that carry credentials, are covered otherwise, or are taken off by proxies (RFC 9110 section 7.6.1).
  "dp-headers": list(
    /^(?!(?:host|cookie|keep-alive|(?:proxy-)?(?:authorization|connection)|proxy-authenticate|te|trailer|transfer-encoding|upgrade)$)[a-z\d_-]+$/,
    "end-to-end header names in lower case",
  ),
  "dp-ip": {
    pattern: ANY,
    text: "networks with host bits zero, such as 192-0-2-0_24",
    read: parseNetworks,
  },
  "dp-key": { pattern: /^[\w-]{1,64}$/, text: "1 to 64 of A-Z a-z 0-9 _ -" },
  "dp-length": { pattern: /^\d+(?:-\d+)?$/, text: "bytes, or min-max with min below max", read: readLength },
  "dp-methods": list(
    /^(?!(?:CONNECT|OPTIONS|TRACE)$)[A-Z]{3,16}$/,
    "names in upper case other than CONNECT, OPTIONS, TRACE",
  ),
  "dp-nonce": { pattern: /^[\w-]{16,64}$/, text: "16 to 64 of A-Z a-z 0-9 _ -" },
  "dp-prefix": { pattern: /^[1-9]\d?$/, text: "1 to 99 segments", read: readInteger },
  "dp-response-cache-control": HEADER_TEXT,
  "dp-response-content-disposition": HEADER_TEXT,
  "dp-response-content-language": HEADER_TEXT,
  "dp-response-content-type": HEADER_TEXT,
  "dp-sha256": { pattern: /^[\da-f]{64}$/, text: "64 lower-case hex digits" },
  // The spare bits of the last character are compared with the signature: one spelling verifies.
  "dp-signature": {
    pattern: /^(?:[\w-]{43}|[\w-]{86})$/,
    text: "32 or 64 bytes as base64url",
  },
  "dp-starts": TIME,
  "dp-subject": TEXT,
  "dp-type": HEADER_TEXT,
  "dp-uses": { pattern: /^[1-9]/, text: "an integer from 1", read: readInteger },
  "dp-v": ONE,
  "dp-vary": list(/^(?!dp-)[\w-]+$/i, "names of parameters other than dp-*"),
};

/** The names in ascending byte order. */
export const PARAMETER_NAMES: readonly string[] = /* @__PURE__ */ Object.keys(PARAMETERS);

/** Refuses a false condition, by the name of the parameter or another part of the request. */
export function demand(holds: boolean, parameter: string, problem: string, expected: string): asserts holds {
  if (!holds) throw malformed(parameter, problem, expected);
}

/** The meaning of a raw value, or `undefined` if the value does not have the form of its parameter. */
export function readValue(name: keyof ParameterTypes, value: string): unknown {
  const { pattern, read }: Form<unknown> = PARAMETERS[name];
  return !pattern.test(value) ? undefined : read === undefined ? value : read(value);
}

/** Whether a name is one of the table. */
export function isParameter(name: string): name is keyof ParameterTypes {
  return Object.hasOwn(PARAMETERS, name);
}

/** The rules that parameters have together. */
export function checkTogether(parameters: UrlParameters): void {
  const {
    "dp-date": date,
    "dp-starts": starts,
    "dp-expires": expires,
    "dp-methods": methods,
    "dp-uses": uses,
    "dp-nonce": nonce,
  } = parameters;
  demand(starts === undefined || starts > date, "dp-starts", "too-early", "a time after dp-date");
  demand(expires > (starts ?? date), "dp-expires", "too-early", "a time after dp-date and dp-starts");
  const reading = ["GET", "HEAD"].filter((method) => methods.includes(method));
  demand(reading.length < 2, "dp-methods", "form", "GET without HEAD, which it implies");
  for (const name of ["dp-create", "dp-length", "dp-sha256", "dp-type"] as const) {
    const writing = parameters[name] === undefined || reading.length === 0;
    demand(writing, name, "method", "a rule for PUT or POST without GET and HEAD");
  }
  demand(uses === undefined || nonce !== undefined, "dp-nonce", "missing", "a parameter beside dp-uses");
}

/** Methods that are granted: `GET` grants `HEAD`. */
export function grantedMethods(methods: readonly string[]): readonly string[] {
  return methods.includes("GET") ? [...methods, "HEAD"] : methods;
}
