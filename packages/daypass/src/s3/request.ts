import { type Constraints, unsupportedConstraint } from "../constraints.ts";
import { uriEncode } from "../encode.ts";
import { DaypassError, invalidInput } from "../errors.ts";
import type { Bindings } from "../scheme.ts";
import type { EncodedPair } from "../v4.ts";

/** One S3 request to sign. */
export interface S3SignRequest extends Constraints {
  readonly bucket: string;
  /** The object's key, exactly: it is data and never parsed as a URL. Left out for a call on the bucket itself. */
  readonly key?: string | undefined;
  /** `GET` by default. */
  readonly method?: string | undefined;
  /** Further parameters, e.g. `versionId`, `partNumber`, `uploadId`. They become part of the signature. */
  readonly query?: Bindings["query"];
  /** Headers that the holder has to send with exactly these values. */
  readonly headers?: Bindings["headers"];
  /** `sign` signs keys with `.` or `..` segments, which no browser can fetch. Refused by default. */
  readonly dotSegments?: "refuse" | "sign" | undefined;
  /** S3 cannot hold a URL back: `UNSUPPORTED_CONSTRAINT`. */
  readonly notBefore?: Date | undefined;
  /** S3 signs one key: `UNSUPPORTED_CONSTRAINT`. */
  readonly prefix?: string | undefined;
}

const DOT_SEGMENT = /(?:^|\/)\.\.?(?:\/|$)/;

function hasDotSegment(key: string): boolean {
  // Two searches spare nearly every key the expression.
  return (key.includes("./") || key.endsWith(".")) && DOT_SEGMENT.test(key);
}

/**
 * A key is data. The one thing that is refused unless asked for is a `.` or `..` segment: every URL parser removes it,
 * so the URL would open another object, or `uploads/${user}/${name}` would sign one that belongs to somebody else.
 */
export function checkKey(key: string, dotSegments: S3SignRequest["dotSegments"]): void {
  if (typeof key !== "string" || key === "") throw invalidInput("key", "text, or left out for a bucket call", key);
  if (dotSegments !== "sign" && hasDotSegment(key)) {
    throw new DaypassError(
      "DOT_SEGMENTS",
      `expected a key without "." and ".." segments, found ${JSON.stringify(key)}: a browser would ask for another object. Rename it, or set dotSegments: "sign"`,
    );
  }
}

const METHOD = /^[A-Z]{1,16}$/;

export function checkMethod(method: string): void {
  if (method === "GET" || method === "PUT" || (typeof method === "string" && METHOD.test(method))) return;
  throw invalidInput("method", "upper-case letters", method);
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});
// The host comes from the endpoint, and the URL is the authorization.
const FIXED = /^(?:host|authorization)$/;
const VISIBLE = /^[\t\x20-\x7e]*$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The headers that the holder must send, lower-case names, from `headers` and `bind`. */
export function collectHeaders({ headers, bind }: S3SignRequest): Readonly<Record<string, string>> {
  if (headers === undefined && bind === undefined) return NO_HEADERS;
  const collected: Record<string, string> = {};
  const bound = {
    "content-type": bind?.contentType,
    "content-length": bind?.contentLength === undefined ? undefined : exactLength(bind.contentLength),
    "x-amz-content-sha256": bind?.sha256 === undefined ? undefined : sha256Text(bind.sha256),
  };
  for (const [name, value] of [headers, bind?.headers, bound].flatMap((source) => Object.entries(source ?? {}))) {
    if (value === undefined) continue;
    const lower = name.toLowerCase();
    const before = collected[lower] ?? value;
    // Beyond ASCII a header has no one spelling in bytes, so two ends would sign different ones.
    if (!TOKEN.test(name) || FIXED.test(lower) || before !== value || !VISIBLE.test(value)) {
      throw invalidInput(`header ${name}`, "one ASCII text, and neither host nor authorization", value);
    }
    collected[lower] = value;
  }
  return collected;
}

function exactLength(length: number | { readonly min?: number; readonly max: number }): string {
  if (typeof length === "object") throw unsupportedConstraint("S3", "a range of lengths", "use a form upload");
  if (Number.isSafeInteger(length) && length >= 0) return String(length);
  throw invalidInput("bind.contentLength", "whole bytes", length);
}

function sha256Text(sha256: string): string {
  if (/^[0-9a-f]{64}$/.test(sha256)) return sha256;
  throw invalidInput("bind.sha256", "64 lower-case hexadecimal digits", sha256);
}

const NO_PAIRS: readonly EncodedPair[] = [];
const RESPONSE_OPTION = /^(?:cacheControl|content(?:Disposition|Encoding|Language|Type)|expires)$/;
// The signer's own parameters. X-Amz-Content-Sha256 is not among them: some signers put it into the query.
const RESERVED = /^x-amz-(?:algorithm|credential|date|expires|security-token|signature|signedheaders)$/i;

/** The further parameters of the URL, encoded, from `query`, `bind.query` and `response`. */
export function collectQuery({ query, bind, response }: S3SignRequest): readonly EncodedPair[] {
  if (query === undefined && bind?.query === undefined && response === undefined) return NO_PAIRS;
  const pairs: EncodedPair[] = [];
  for (const source of [query, bind?.query]) {
    for (const [name, values] of Object.entries(source ?? {})) {
      if (RESERVED.test(name)) throw invalidInput(`query.${name}`, "absent: the signer sets it", values);
      for (const value of Array.isArray(values) ? values : [values as string]) {
        if (typeof value !== "string") throw invalidInput(`query.${name}`, "text", value);
        pairs.push([uriEncode(name), uriEncode(value)]);
      }
    }
  }
  for (const [option, value] of Object.entries(response ?? {})) {
    if (!RESPONSE_OPTION.test(option)) throw invalidInput(`response.${option}`, "one of S3's six overrides", value);
    if (value !== undefined) pairs.push([`response-${option.replace(/[A-Z]/, "-$&").toLowerCase()}`, uriEncode(value)]);
  }
  return pairs;
}

/** Refuses the constraints of the common vocabulary that SigV4 cannot bind, and says what can. */
export function checkConstraints({ notBefore, prefix, bind }: S3SignRequest): void {
  if (notBefore !== undefined) throw unsupportedConstraint("S3", "notBefore");
  if (prefix !== undefined) throw unsupportedConstraint("S3", "prefix");
  if (bind?.ip !== undefined) throw unsupportedConstraint("S3", "bind.ip", "use a bucket policy");
}
