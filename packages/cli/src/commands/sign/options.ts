import { isIP } from "node:net";
import type { JsonObject } from "daypass/schemes";
import {
  byteCount,
  checked,
  duration,
  httpMethod,
  moment,
  type ParsedArguments,
  pairs,
  serverAddress,
  sha256Hex,
  wholeNumber,
  word,
} from "../../arguments.ts";
import { UsageError } from "../../command.ts";
import { unchecked } from "../../unchecked.ts";

/** The options of `sign` for one target, for the argument parser. */
export const SIGN_OPTIONS = {
  "expires-in": { type: "string" },
  "expires-at": { type: "string" },
  "stable-window": { type: "string" },
  at: { type: "string" },
  method: { type: "string", multiple: true },
  header: { type: "string", multiple: true },
  query: { type: "string", multiple: true },
  "response-cache-control": { type: "string" },
  "response-content-disposition": { type: "string" },
  "response-content-encoding": { type: "string" },
  "response-content-language": { type: "string" },
  "response-content-type": { type: "string" },
  "response-expires": { type: "string" },
  "content-type": { type: "string" },
  "content-length": { type: "string" },
  sha256: { type: "string" },
  state: { type: "string" },
  key: { type: "string" },
  region: { type: "string" },
  endpoint: { type: "string" },
  addressing: { type: "string" },
  profile: { type: "string" },
  "signature-version": { type: "string" },
  "dot-segments": { type: "boolean" },
  resource: { type: "string" },
  "max-expires-in": { type: "string" },
  clamp: { type: "boolean" },
  permissions: { type: "string" },
  protocol: { type: "string" },
  identifier: { type: "string" },
  field: { type: "string", multiple: true },
  audience: { type: "string" },
  subject: { type: "string" },
  ip: { type: "string", multiple: true },
  starts: { type: "string" },
  prefix: { type: "string" },
  vary: { type: "string", multiple: true },
  nonce: { type: "string" },
  uses: { type: "string" },
  "create-only": { type: "boolean" },
} as const;

/** The options of `sign` as they were given. */
export type SignOptions = ParsedArguments<typeof SIGN_OPTIONS>["values"];

type OptionName = keyof SignOptions;

/** The line field that an option sets, and how its value is read. The field `a.b` is the member `b` of the field `a`. */
type LineField = readonly [field: string, read?: (value: never, option: string) => unknown];

/** The options of a scheme. `undefined` for an option that sets no field. */
export type OptionFields = Readonly<Partial<Record<OptionName, LineField | undefined>>>;

const text = (read: (option: string, text: string) => unknown) => (value: string, option: string) =>
  checked(value, (given) => read(option, given));
const seconds = (value: string, option: string): number => duration(option, value);

/** The options of every scheme. */
const COMMON: OptionFields = {
  "expires-in": ["expiresIn", seconds],
  "expires-at": ["expiresAt", text(moment)],
  "stable-window": ["stableWindow", seconds],
  at: ["signedAt", text(moment)],
  "content-type": ["bind.contentType"],
  "content-length": ["bind.contentLength", contentLength],
  sha256: ["bind.sha256", text(sha256Hex)],
  "response-cache-control": ["response.cacheControl"],
  "response-content-disposition": ["response.contentDisposition"],
  "response-content-encoding": ["response.contentEncoding"],
  "response-content-language": ["response.contentLanguage"],
  "response-content-type": ["response.contentType"],
  "response-expires": ["response.expires"],
};

/** Fields that several schemes share. */
export const METHOD: LineField = ["method", oneMethod];
export const ENDPOINT: LineField = ["endpoint"];
export const CLAMP: LineField = ["credentialExpiry", () => "clamp"];
export const MAX_EXPIRES_IN: LineField = ["maxExpiresIn", seconds];
export const DOT_SEGMENTS: LineField = ["dotSegments", () => "sign"];
export const STARTS: LineField = ["notBefore", text(moment)];
export const HEADERS: LineField = ["headers", readHeaders];
export const QUERY: LineField = ["query", readQuery];

/** A field whose value is one of these words. */
export function oneOf(field: string, ...words: readonly string[]): LineField {
  return [field, (value: string, option) => word(option, value, words)];
}

/** A field whose value is a whole number. */
export function numberField(field: string): LineField {
  return [field, (value: string, option) => wholeNumber(option, value, { min: 1, max: Number.MAX_SAFE_INTEGER })];
}

/** Checks the options of every scheme, so that wrong usage is reported before the first line. */
export function checkCommonOptions(options: SignOptions): void {
  for (const method of options.method ?? []) httpMethod("--method", method);
  for (const ip of options.ip ?? []) expectAddressRange(ip);
  checked(options.endpoint, (value) => serverAddress("--endpoint", value));
  if (options["expires-at"] !== undefined && options["expires-in"] !== undefined) {
    moment("--expires-at", options["expires-at"]);
    throw new UsageError("--expires-in and --expires-at are both set. Leave one out");
  }
  fieldsOf(options, COMMON);
}

/** The line fields of the options. Throws a `UsageError` for an invalid value. */
export function lineFields(options: SignOptions, own: OptionFields): JsonObject {
  checkCommonOptions(options);
  return fieldsOf(options, { ...COMMON, ...own });
}

function fieldsOf(options: SignOptions, table: OptionFields): JsonObject {
  const fields: Record<string, unknown> = {};
  for (const [option, entry] of Object.entries(table)) {
    const value = options[option as OptionName];
    if (value === undefined || entry === undefined) continue;
    const [field, read] = entry;
    const [name = "", member] = field.split(".");
    const result = read === undefined ? value : read(unchecked(value), `--${option}`);
    fields[name] = member === undefined ? result : { ...(fields[name] as object | undefined), [member]: result };
  }
  return fields;
}

/** The first option that the scheme does not have. */
export function foreignOption(options: SignOptions, own: OptionFields = {}): OptionName | undefined {
  const names = Object.keys(SIGN_OPTIONS) as OptionName[];
  const isKnown = (name: OptionName) => name === "method" || Object.hasOwn(COMMON, name) || Object.hasOwn(own, name);
  return names.find((name) => options[name] !== undefined && !isKnown(name));
}

/** Removes undefined fields, because a line has no empty fields. */
export function given(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The fields of `--field name=value` for a form. */
export function formFields({ field }: SignOptions): Readonly<Record<string, string>> | undefined {
  return singleValues("--field", pairs("--field", field, "="));
}

function oneMethod(methods: readonly string[]): string | undefined {
  const [first, second] = methods;
  if (second !== undefined)
    throw new UsageError("--method is given twice, and the URL is for one method. Sign one URL for each");
  return first?.toUpperCase();
}

/** Reads `--query name=value`. */
export function readQuery(texts: readonly string[]): JsonObject | undefined {
  return pairs("--query", texts, "=");
}

/** Reads `--header 'name: value'`, each header once. */
export function readHeaders(texts: readonly string[]): Readonly<Record<string, string>> | undefined {
  return singleValues("--header", pairs("--header", texts, ":"));
}

function singleValues(
  option: string,
  values: Readonly<Record<string, string | readonly string[]>> | undefined,
): Readonly<Record<string, string>> | undefined {
  for (const [name, value] of Object.entries(values ?? {})) {
    if (typeof value !== "string") throw new UsageError(`${option} ${name} is given twice. Leave one out`);
  }
  return values as Readonly<Record<string, string>> | undefined;
}

/** Expects an address, `address/bits`, or for Azure `first-last`. The scheme checks which of them it accepts. */
function expectAddressRange(text: string): void {
  const isBits = (part: string): boolean => text.includes("/") && /^\d{1,3}$/.test(part);
  if (text.split(/[/-]/).every((part, i) => isIP(part) !== 0 || (i > 0 && isBits(part)))) return;
  throw new UsageError(`--ip is ${JSON.stringify(text)}. Pass an address, or a network such as 192.0.2.0/24`);
}

function contentLength(value: string, option: string): number | { readonly min: number; readonly max: number } {
  const limits = { min: 0, max: Number.MAX_SAFE_INTEGER };
  const [min = "", max] = value.split("-");
  if (max === undefined) return byteCount(option, min, limits);
  return { min: byteCount(option, min, limits), max: byteCount(option, max, limits) };
}
