import { duration, type ParsedArguments, pairs, wholeNumber } from "../arguments.ts";
import { UsageError } from "../command.ts";
import { instant } from "../lines/instant.ts";

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

const S3_ONLY = ["region", "endpoint", "addressing", "profile", "signature-version", "dot-segments", "clamp"] as const;
const URL_ONLY = ["audience", "subject", "ip", "starts", "prefix", "vary", "nonce", "uses", "create-only"] as const;

/** Refuses options that mean nothing for this kind of target: a constraint that is not applied must not look applied. */
export function refuseForeignOptions(options: SignOptions, scheme: "s3" | "url"): void {
  for (const name of scheme === "s3" ? URL_ONLY : S3_ONLY) {
    if (options[name] === undefined) continue;
    throw new UsageError(
      scheme === "s3"
        ? `expected options that S3 can sign, found --${name}: a Daypass URL (https://… as target) has it`
        : `expected options of a Daypass URL, found --${name}: it is for s3:// targets`,
    );
  }
}

/** The parts of a request that every scheme has. */
export function commonRequest(options: SignOptions): {
  readonly expiresIn: number | undefined;
  readonly expiresAt: Date | undefined;
  readonly stableWindow: number | undefined;
} {
  const expiresAt = options["expires-at"];
  if (expiresAt !== undefined && options["expires-in"] !== undefined)
    throw new UsageError("expected one of --expires-in and --expires-at, found both");
  return {
    expiresIn: expiresAt === undefined ? duration("--expires-in", options["expires-in"] ?? "15m") : undefined,
    expiresAt: expiresAt === undefined ? undefined : instant("--expires-at", expiresAt),
    stableWindow: mapped(options["stable-window"], (text) => duration("--stable-window", text)),
  };
}

/** What the URL is bound to, in the vocabulary of all schemes. */
export function bindings(options: SignOptions): {
  readonly contentType: string | undefined;
  readonly contentLength: number | { readonly min: number; readonly max: number } | undefined;
  readonly sha256: string | undefined;
} {
  return {
    contentType: options["content-type"],
    contentLength: mapped(options["content-length"], contentLength),
    sha256: options.sha256,
  };
}

/** The response headers that were asked for, or nothing. */
export function responseOverrides(options: SignOptions): Readonly<Record<string, string>> | undefined {
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
  const headers = pairs("--header", options.header, ":");
  if (headers === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      if (typeof value !== "string") throw new UsageError(`expected --header ${name} once, found it again`);
      return [name, value];
    }),
  );
}

/** The clock: the system's, or the instant of `--at`. */
export function clockOf(options: SignOptions): () => Date {
  const at = mapped(options.at, (text) => instant("--at", text));
  return at === undefined ? () => new Date() : () => at;
}

function contentLength(text: string): number | { readonly min: number; readonly max: number } {
  const limits = { min: 0, max: Number.MAX_SAFE_INTEGER };
  const [min = "", max] = text.split("-");
  if (max === undefined) return wholeNumber("--content-length", min, limits);
  return { min: wholeNumber("--content-length", min, limits), max: wholeNumber("--content-length", max, limits) };
}

export function mapped<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text);
}
