import { uriEncode } from "../encode.ts";
import { DaypassError } from "../errors.ts";
import type { Bindings, Lifetime, ResponseOverrides } from "../scheme.ts";
import type { EncodedPair } from "../v4.ts";

/** One S3 request to sign. */
export interface S3SignRequest extends Lifetime {
  readonly bucket: string;
  /** The object's key, exactly: it is data and never parsed as a URL. Left out for a call on the bucket itself. */
  readonly key?: string | undefined;
  /** `GET` by default. */
  readonly method?: string | undefined;
  /** Further parameters, e.g. `versionId`, `partNumber`, `uploadId`. They become part of the signature. */
  readonly query?: Bindings["query"];
  /** Headers that the holder has to send with exactly these values. */
  readonly headers?: Bindings["headers"];
  /** Headers that the answer to a download carries. */
  readonly response?: ResponseOverrides | undefined;
  readonly bind?: Bindings | undefined;
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
  if (typeof key !== "string" || key === "") {
    throw new DaypassError(
      "INVALID_INPUT",
      `expected key as a non-empty string, found ${key === "" ? "an empty one" : typeof key}: leave it out for a bucket call`,
    );
  }
  if (dotSegments !== "sign" && hasDotSegment(key)) {
    throw new DaypassError(
      "DOT_SEGMENTS",
      `expected a key without "." and ".." segments, found ${JSON.stringify(key)}: a browser would ask for another object. Rename it, or set dotSegments: "sign" for clients that send paths as they are`,
    );
  }
}

const METHOD = /^[A-Z]{1,16}$/;

export function checkMethod(method: string): void {
  if (method === "GET" || method === "PUT" || (typeof method === "string" && METHOD.test(method))) return;
  throw new DaypassError(
    "INVALID_INPUT",
    `expected method in upper case such as "GET" or "PUT", found ${JSON.stringify(method)}`,
  );
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The headers that the holder must send, lower-case names, from `headers` and `bind`. */
export function collectHeaders({ headers, bind }: S3SignRequest): Readonly<Record<string, string>> {
  if (headers === undefined && bind === undefined) return NO_HEADERS;
  const collected: Record<string, string> = {};
  const add = (name: string, value: string): void => {
    const lower = name.toLowerCase();
    if (!TOKEN.test(name) || typeof value !== "string" || /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw new DaypassError(
        "INVALID_INPUT",
        `expected header ${JSON.stringify(name)} with a value of visible characters`,
      );
    }
    if (lower === "host" || lower === "authorization") {
      throw new DaypassError(
        "INVALID_INPUT",
        `expected no ${lower} header: the host comes from the endpoint, and the URL is the authorization`,
      );
    }
    if (Object.hasOwn(collected, lower) && collected[lower] !== value) {
      throw new DaypassError("INVALID_INPUT", `expected one value for header ${lower}, found two`);
    }
    collected[lower] = value;
  };
  for (const source of [headers, bind?.headers]) {
    for (const [name, value] of Object.entries(source ?? {})) add(name, value);
  }
  if (bind?.contentType !== undefined) add("content-type", bind.contentType);
  if (bind?.contentLength !== undefined) add("content-length", exactLength(bind.contentLength));
  if (bind?.sha256 !== undefined) add("x-amz-content-sha256", sha256Text(bind.sha256));
  return collected;
}

function exactLength(length: number | { readonly min?: number; readonly max: number }): string {
  if (typeof length === "object") {
    throw unsupported(
      "a range of lengths",
      "an S3 PUT binds an exact contentLength only. For a range use a form upload (daypass/s3/form), or a Daypass URL",
    );
  }
  if (Number.isSafeInteger(length) && length >= 0) return String(length);
  throw new DaypassError("INVALID_INPUT", `expected bind.contentLength in whole bytes, found ${String(length)}`);
}

function sha256Text(sha256: string): string {
  if (/^[0-9a-f]{64}$/.test(sha256)) return sha256;
  throw new DaypassError("INVALID_INPUT", "expected bind.sha256 as 64 lower-case hexadecimal digits");
}

const NO_PAIRS: readonly EncodedPair[] = [];
const RESPONSE_PARAMETERS = {
  cacheControl: "response-cache-control",
  contentDisposition: "response-content-disposition",
  contentEncoding: "response-content-encoding",
  contentLanguage: "response-content-language",
  contentType: "response-content-type",
  expires: "response-expires",
} as const;
// The signer's own parameters. X-Amz-Content-Sha256 is not among them: some signers put it into the query.
const RESERVED = /^x-amz-(?:algorithm|credential|date|expires|security-token|signature|signedheaders)$/i;

/** The further parameters of the URL, encoded, from `query`, `bind.query` and `response`. */
export function collectQuery({ query, bind, response }: S3SignRequest): readonly EncodedPair[] {
  if (query === undefined && bind?.query === undefined && response === undefined) return NO_PAIRS;
  const pairs: EncodedPair[] = [];
  for (const source of [query, bind?.query]) {
    for (const [name, values] of Object.entries(source ?? {})) {
      if (RESERVED.test(name))
        throw new DaypassError("INVALID_INPUT", `expected no ${name} in query: the signer sets it`);
      for (const value of Array.isArray(values) ? values : [values as string]) {
        if (typeof value !== "string")
          throw new DaypassError("INVALID_INPUT", `expected query.${name} as a string, found ${typeof value}`);
        pairs.push([uriEncode(name), uriEncode(value)]);
      }
    }
  }
  for (const [option, value] of Object.entries(response ?? {})) {
    const name = RESPONSE_PARAMETERS[option as keyof typeof RESPONSE_PARAMETERS];
    if (name === undefined) {
      throw new DaypassError(
        "INVALID_INPUT",
        `expected response.${Object.keys(RESPONSE_PARAMETERS).join(", response.")}; found response.${option}`,
      );
    }
    if (value !== undefined) pairs.push([name, uriEncode(value)]);
  }
  return pairs;
}

/** Refuses the constraints of the common vocabulary that SigV4 cannot bind, and says what can. */
export function checkConstraints({ notBefore, prefix, bind }: S3SignRequest): void {
  if (notBefore !== undefined)
    throw unsupported("notBefore", "S3 accepts a URL as soon as it is signed. A Daypass URL has a start");
  if (prefix !== undefined) throw unsupported("prefix", "S3 signs one key. A Daypass URL can grant a path prefix");
  if (bind?.ip !== undefined)
    throw unsupported("bind.ip", "S3 does not look at addresses in a signature. Use a bucket policy, or a Daypass URL");
}

function unsupported(constraint: string, alternative: string): DaypassError {
  return new DaypassError(
    "UNSUPPORTED_CONSTRAINT",
    `expected a constraint that SigV4 can bind, found ${constraint}: ${alternative}`,
    { details: { constraint } },
  );
}
