import { isIP } from "node:net";
import type { JsonObject } from "daypass/schemes";
import {
  checked,
  duration,
  httpMethod,
  mapped,
  moment,
  type ParsedArguments,
  pairs,
  serverAddress,
  sha256Hex,
  wholeNumber,
} from "../../arguments.ts";
import { UsageError } from "../../command.ts";

/** The options of `sign` for one target, as the argument parser takes them. */
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
  // s3://
  region: { type: "string" },
  endpoint: { type: "string" },
  addressing: { type: "string" },
  profile: { type: "string" },
  "signature-version": { type: "string" },
  "dot-segments": { type: "boolean" },
  clamp: { type: "boolean" },
  // az://
  permissions: { type: "string" },
  protocol: { type: "string" },
  identifier: { type: "string" },
  // --as html-form
  field: { type: "string", multiple: true },
  // https://
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

export type SignOptions = ParsedArguments<typeof SIGN_OPTIONS>["values"];

// Options that not every scheme has, and whose they are.
const SCHEMES_OF: Partial<Record<keyof SignOptions, readonly string[]>> = {
  region: ["s3"],
  endpoint: ["s3", "gcs", "azure"],
  addressing: ["s3", "gcs"],
  profile: ["s3"],
  "signature-version": ["s3", "gcs", "azure"],
  "dot-segments": ["s3", "gcs", "azure"],
  clamp: ["s3", "azure"],
  header: ["s3", "gcs", "url"],
  query: ["s3", "gcs", "url"],
  permissions: ["azure"],
  protocol: ["azure"],
  identifier: ["azure"],
  field: ["s3", "gcs"],
  state: ["s3", "url"],
  key: ["s3", "url"],
  audience: ["url"],
  subject: ["url"],
  ip: ["azure", "url"],
  starts: ["gcs", "azure", "url"],
  prefix: ["azure", "url"],
  vary: ["url"],
  nonce: ["url"],
  uses: ["url"],
  "create-only": ["url"],
};

/** Refuses options that mean nothing for a scheme: a constraint that is not applied must not look applied. */
export function refuseForeignOptions(options: SignOptions, scheme: string): void {
  for (const [name, schemes] of Object.entries(SCHEMES_OF)) {
    if (options[name as keyof SignOptions] === undefined || schemes.includes(scheme)) continue;
    throw new UsageError(
      `expected options of the scheme ${scheme}, found --${name}: only ${schemes.join(", ")} can have it (a Daypass URL is the scheme url)`,
    );
  }
}

/** The fields of a line that the options of every scheme stand for. */
export function commonFields(options: SignOptions): JsonObject & { readonly bind?: JsonObject } {
  for (const method of options.method ?? []) httpMethod("--method", method);
  for (const ip of options.ip ?? []) addressRange(ip);
  checked(options.endpoint, (text) => serverAddress("--endpoint", text));
  const expiresAt = checked(options["expires-at"], (text) => moment("--expires-at", text));
  if (expiresAt !== undefined && options["expires-in"] !== undefined)
    throw new UsageError("expected one of --expires-in and --expires-at, found both");
  const bind = given({
    contentType: options["content-type"],
    contentLength: mapped(options["content-length"], contentLength),
    sha256: checked(options.sha256, (text) => sha256Hex("--sha256", text)),
  });
  return given({
    expiresIn: mapped(options["expires-in"], (text) => duration("--expires-in", text)),
    expiresAt,
    stableWindow: mapped(options["stable-window"], (text) => duration("--stable-window", text)),
    signedAt: checked(options.at, (text) => moment("--at", text)),
    bind: Object.keys(bind).length === 0 ? undefined : bind,
    response: responseOverrides(options),
  });
}

/** Without what was not given: a line has no fields that hold nothing. */
export function given(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** `--field name=value` of a form. */
export function formFields({ field }: SignOptions): Readonly<Record<string, string>> | undefined {
  return singleValues("--field", pairs("--field", field, "="));
}

/** The one method of a scheme that signs one. */
export function oneMethod({ method }: SignOptions): string | undefined {
  const [first, second] = method ?? [];
  if (second !== undefined) throw new UsageError("expected one --method, found several: sign one URL for each");
  return first;
}

/** The response headers that were asked for, or nothing. */
function responseOverrides(options: SignOptions): Readonly<Record<string, string>> | undefined {
  const overrides = Object.entries({
    cacheControl: options["response-cache-control"],
    contentDisposition: options["response-content-disposition"],
    contentEncoding: options["response-content-encoding"],
    contentLanguage: options["response-content-language"],
    contentType: options["response-content-type"],
    expires: options["response-expires"],
  }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return overrides.length === 0 ? undefined : Object.fromEntries(overrides);
}

/** Request headers with one value each, from `--header 'name: value'`. */
export function requestHeaders(options: SignOptions): Readonly<Record<string, string>> | undefined {
  return singleValues("--header", pairs("--header", options.header, ":"));
}

function singleValues(
  option: string,
  values: Readonly<Record<string, string | readonly string[]>> | undefined,
): Readonly<Record<string, string>> | undefined {
  if (values === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      if (typeof value !== "string") throw new UsageError(`expected ${option} ${name} once, found it twice`);
      return [name, value];
    }),
  );
}

/** An address, `address/bits`, or for Azure `first-last`: which of them it has to be is the scheme's to say. */
function addressRange(text: string): void {
  if (
    text.split(/[/-]/).every((part, i) => isIP(part) !== 0 || (i > 0 && text.includes("/") && /^\d{1,3}$/.test(part)))
  )
    return;
  throw new UsageError(`expected --ip as an address or a network such as 192.0.2.0/24, found ${JSON.stringify(text)}`);
}

function contentLength(text: string): number | { readonly min: number; readonly max: number } {
  const limits = { min: 0, max: Number.MAX_SAFE_INTEGER };
  const [min = "", max] = text.split("-");
  if (max === undefined) return wholeNumber("--content-length", min, limits);
  return { min: wholeNumber("--content-length", min, limits), max: wholeNumber("--content-length", max, limits) };
}
