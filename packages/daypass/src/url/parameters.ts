import { type DaypassError, refusal } from "../errors.ts";
import type { Network } from "../ip.ts";
import { parseBasicTime } from "../time.ts";
import { prefixPath } from "./canonical.ts";
import { decodeHeaderText, decodeText, isRest, splitList } from "./grammar.ts";
import { parseNetworks } from "./ip.ts";

/** What each parameter of a Daypass URL means once it is read. */
export interface ParameterTypes {
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

export type ParameterName = keyof ParameterTypes;
type Required = (typeof REQUIRED_PARAMETERS)[number];

/** Values as they stand in the URL, by name. */
export type RawParameters = { [N in ParameterName]?: string | undefined };

/** Values that have been read. */
export type UrlParameters = { readonly [N in Required]: ParameterTypes[N] } & {
  readonly [N in ParameterName]?: ParameterTypes[N];
};

export const REQUIRED_PARAMETERS = ["dp-date", "dp-expires", "dp-key", "dp-methods", "dp-signature", "dp-v"] as const;

/** Reads a raw value, or gives `undefined` where it has not the form that `text` describes. */
interface Form<T> {
  readonly read: (value: string) => T | undefined;
  readonly text: string;
}

const matching = (pattern: RegExp, text: string): Form<string> => ({
  read: (value) => (pattern.test(value) ? value : undefined),
  text,
});
const list = (item: RegExp, text: string): Form<readonly string[]> => ({
  read: (value) => splitList(value, item),
  text: `${text}, ascending and joined by "."`,
});

const TEXT: Form<string> = { read: decodeText, text: "text without spaces and controls, percent-encoded" };
const HEADER_TEXT: Form<string> = {
  read: decodeHeaderText,
  text: "ASCII without spaces and controls (file names with spaces as filename*), percent-encoded",
};
const TIME: Form<Date> = {
  read: (value) => (/^(?:19[7-9]|[2-9])/.test(value) ? parseBasicTime(value) : undefined),
  text: "a real instant as YYYYMMDDTHHMMSSZ",
};
const ONE: Form<string> = matching(/^1$/, "1");

/** Rule 3.2. */
function readInteger(value: string): number | undefined {
  const number = Number(value);
  return /^(?:0|[1-9][0-9]*)$/.test(value) && Number.isSafeInteger(number) ? number : undefined;
}

function readLength(value: string): ParameterTypes["dp-length"] | undefined {
  const [min, max = min, ...more] = value.split("-").map(readInteger);
  if (min === undefined || max === undefined || more.length > 0) return undefined;
  return min < max || !value.includes("-") ? { min, max } : undefined;
}

/**
 * Every parameter with its form, in the order in which they stand in a URL. A name that starts with `dp-` and is not here
 * is refused, so a constraint that is added later is critical for old verifiers. Signer and verifier read this one table.
 */
export const PARAMETERS: { readonly [N in ParameterName]: Form<ParameterTypes[N]> } = {
  "dp-audience": TEXT,
  "dp-create": ONE,
  "dp-date": TIME,
  "dp-expires": TIME,
  // Not those that carry credentials, are covered otherwise, or are taken off by proxies (RFC 9110 section 7.6.1).
  "dp-headers": list(
    /^(?!(?:host|cookie|authorization|connection|keep-alive|proxy-(?:authenticate|authorization|connection)|te|trailer|transfer-encoding|upgrade)$)[a-z0-9_-]+$/,
    "end-to-end header names in lower case",
  ),
  "dp-ip": { read: parseNetworks, text: "networks with host bits zero, such as 203-0-113-0_24.2001-db8--_32" },
  "dp-key": matching(/^[A-Za-z0-9_-]{1,64}$/, "1 to 64 of A-Z a-z 0-9 _ -"),
  "dp-length": { read: readLength, text: "bytes as n, or as min-max with min below max" },
  "dp-methods": list(/^(?!(?:CONNECT|TRACE|OPTIONS)$)[A-Z]{3,16}$/, "methods other than CONNECT, OPTIONS, TRACE"),
  "dp-nonce": matching(/^[A-Za-z0-9_-]{16,64}$/, "16 to 64 of A-Z a-z 0-9 _ -"),
  "dp-prefix": { read: (value) => (/^[1-9][0-9]?$/.test(value) ? Number(value) : undefined), text: "1 to 99 segments" },
  "dp-response-cache-control": HEADER_TEXT,
  "dp-response-content-disposition": HEADER_TEXT,
  "dp-response-content-language": HEADER_TEXT,
  "dp-response-content-type": HEADER_TEXT,
  "dp-sha256": matching(/^[0-9a-f]{64}$/, "64 lower-case hex digits"),
  // The spare bits of the last character are zero: one spelling for each signature.
  "dp-signature": matching(
    /^(?:[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]|[A-Za-z0-9_-]{85}[AQgw])$/,
    "32 or 64 bytes as base64url",
  ),
  "dp-starts": TIME,
  "dp-subject": TEXT,
  "dp-type": HEADER_TEXT,
  "dp-uses": { read: (value) => readInteger(value) || undefined, text: "an integer from 1" },
  "dp-v": ONE,
  "dp-vary": list(/^(?!dp-)[A-Za-z0-9_-]+$/i, "names of parameters other than dp-*"),
};

/** The names in ascending byte order. */
export const PARAMETER_NAMES: readonly ParameterName[] = Object.keys(PARAMETERS) as ParameterName[];

/** Who made the mistake: the one who sent a URL, or the one who asks for one. */
export type FaultCode = "MALFORMED" | "INVALID_INPUT";

export function fault(code: FaultCode, parameter: string, problem: string, expected: string): DaypassError {
  return refusal(code, `${parameter} as ${expected}`, { parameter, problem });
}

/** Reads every value and holds them to the rules that they have together. Signing and verifying both end here. */
export function readParameters(raw: RawParameters, code: FaultCode): UrlParameters {
  const read: Record<string, unknown> = {};
  for (const name in raw) {
    const value = raw[name as ParameterName];
    if (value === undefined) continue;
    const form = PARAMETERS[name as ParameterName];
    const known = form.read(value);
    if (known === undefined) throw fault(code, name, "form", form.text);
    read[name] = known;
  }
  const parameters = read as unknown as UrlParameters;
  const methods = parameters["dp-methods"];
  const starts = parameters["dp-starts"];
  const date = parameters["dp-date"];
  if (starts !== undefined && !(starts > date)) throw fault(code, "dp-starts", "too-early", "a time after dp-date");
  if (!(parameters["dp-expires"] > (starts ?? date))) {
    throw fault(code, "dp-expires", "too-early", "a time after dp-date and dp-starts");
  }
  const grantsGet = methods.includes("GET");
  if (methods.includes("HEAD") && grantsGet)
    throw fault(code, "dp-methods", "form", "GET without HEAD, which it implies");
  if (grantsGet || methods.includes("HEAD")) {
    for (const name of CONTENT_PARAMETERS) {
      if (raw[name] !== undefined) throw fault(code, name, "method", "a rule for PUT or POST, without GET and HEAD");
    }
  }
  if (raw["dp-uses"] !== undefined && raw["dp-nonce"] === undefined) {
    throw fault(code, "dp-nonce", "missing", "a parameter beside dp-uses");
  }
  return parameters;
}

const CONTENT_PARAMETERS = ["dp-create", "dp-length", "dp-sha256", "dp-type"] as const;

/** The part of a path that is signed: all of it, or with dp-prefix its first segments and a `/`. */
export function signedPath(path: string, prefix: number | undefined, code: FaultCode): string {
  if (prefix === undefined) return path;
  const fixed = prefixPath(path, prefix);
  if (fixed !== undefined && isRest(path.slice(fixed.length))) return fixed;
  throw fault(code, "dp-prefix", "path", `a path with more than ${prefix} segments, and below them no ";" or %25XX`);
}

/** Methods that are granted: `GET` grants `HEAD`. */
export function grantedMethods(methods: readonly string[]): readonly string[] {
  return methods.includes("GET") ? [...methods, "HEAD"] : methods;
}
