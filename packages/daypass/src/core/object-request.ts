import type { Parameter } from "../wire/parameters.ts";
import type { Bindings, Constraints, Obligation } from "./contracts.ts";
import { invalidInput } from "./errors.ts";
import { checkOptions, optionPairs, type RequestRules, unsupportedConstraint } from "./validate-options.ts";

const DOT_SEGMENT = /(?:^|\/)\.\.?(?:\/|$)/;

/**
 * A key is data. The one thing that is refused unless asked for is a `.` or `..` segment: every URL parser removes it,
 * so the URL would open another object, or `uploads/${user}/${name}` would sign another user's object.
 */
export function checkKey(key: string, dotSegments: "refuse" | "sign" | undefined, option = "key"): void {
  if (typeof key !== "string" || !key) throw invalidInput(option, "some text", key);
  // The expression costs as much as encoding the key, and few keys have a segment that begins with a dot.
  const mayHaveDots = key.startsWith(".") || key.includes("/.");
  if (mayHaveDots && dotSegments !== "sign" && DOT_SEGMENT.test(key)) {
    throw invalidInput(option, "text without . and .. segments (see dotSegments)", key, "DOT_SEGMENTS");
  }
}

/**
 * Checks that a request names its object, or says that it is for the whole bucket. A missing parameter of an app would else sign a
 * listing of the bucket.
 */
export function checkTarget(
  key: string | undefined,
  {
    resource,
    dotSegments,
  }: { readonly resource?: string | undefined; readonly dotSegments?: "refuse" | "sign" | undefined },
  option = "key",
  whole = "bucket",
): void {
  if (resource === whole && key === undefined) return;
  if (resource !== undefined || key === undefined)
    throw invalidInput(option, `a name, or resource: "${whole}" for the ${whole}`, resource && "another");
  checkKey(key, dotSegments, option);
}

/** What every request to an object store has. */
export interface StoreRequest extends Constraints {
  /** The bucket's name. It is not checked whether the bucket exists. */
  readonly bucket: string;
  /** `GET` by default, in any case. */
  readonly method?: string | undefined;
  /** Further parameters, each once, e.g. `versionId`, `partNumber`, `uploadId`. */
  readonly query?: Readonly<Record<string, string>> | undefined;
  /** Headers that the holder must send with exactly these values. */
  readonly headers?: Bindings["headers"];
  /** `sign` signs keys with `.` or `..` segments, which no browser can fetch. Refused by default. */
  readonly dotSegments?: "refuse" | "sign" | undefined;
}

/** A request for one object of a store. */
export interface ObjectRequest extends StoreRequest {
  /** The object's key, exactly: it is data, and is never parsed as a URL. */
  readonly key: string;
  readonly resource?: undefined;
}

/** A request for a bucket itself, such as a listing. */
export interface BucketRequest extends StoreRequest {
  /** Says that the request is for the whole bucket. */
  readonly resource: "bucket";
  readonly key?: undefined;
}

/** What such a request asks for, checked. */
export interface ObjectCall {
  readonly method: string;
  /** The headers that the holder must send, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded, each name once. */
  readonly parameters: readonly Parameter[];
}

/** What differs between the schemes. */
export interface ObjectRules extends RequestRules {
  /** Parameters that the signer sets itself. */
  readonly reserved: RegExp;
}

/** What to call unbound: the body, unless the server compares it with a header. */
export function unboundBody(headers: Readonly<Record<string, string>>): readonly string[] {
  return "content-md5" in headers ? [] : ["body"];
}

/** A method in upper case. Throws `INVALID_INPUT` if it is not a word. */
export function methodOf(method: unknown): string {
  if (method === undefined || method === "GET") return "GET";
  const upper = String(method).toUpperCase();
  if (typeof method === "string" && /^[A-Z]{1,16}$/.test(upper)) return upper;
  throw invalidInput("method", "a method such as GET", method);
}

// Beyond ASCII a header has no one spelling in bytes, so two ends would sign different ones.
const VISIBLE = /^[\t\x20-\x7e]*$/;
// The host comes from the endpoint, and the URL is the authorization.
const HEADER_NAME = /^(?!(?:host|authorization)$)[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/**
 * Checks a request and collects its headers and parameters.
 *
 * @param own headers that the scheme makes of `bind`; without it a range of lengths is refused
 */
export function readObjectRequest(
  request: StoreRequest &
    Pick<ObjectRequest | BucketRequest, "resource"> & { readonly key?: unknown; readonly object?: unknown },
  rules: ObjectRules,
  own?: Readonly<Record<string, string | undefined>>,
): ObjectCall {
  const { scheme, reserved } = rules;
  const { query, headers, response, bind } = request;
  const method = methodOf(request.method);
  checkOptions(request, rules);
  const option = rules.known.test("key") ? "key" : "object";
  checkTarget(request[option] as string | undefined, request, option);
  const { contentType, contentLength, headers: bound, query: boundQuery } = bind ?? {};
  if (typeof contentLength === "object") {
    if (!own) throw unsupportedConstraint(scheme, "a range of lengths", "bind the length");
  } else if (!/^\d+$/.test(String(contentLength ?? 0))) {
    throw invalidInput("bind.contentLength", "a whole number of bytes", contentLength);
  }

  const collected: Record<string, string> = {};
  const fixed = { "content-type": contentType, "content-length": contentLength?.toString(), ...own };
  for (const [name, value] of [headers, bound, fixed].flatMap((source) => optionPairs<string>("headers", source))) {
    if (value === undefined) continue;
    const lower = name.toLowerCase();
    const isText = typeof value === "string" && VISIBLE.test(value) && HEADER_NAME.test(lower);
    if (!isText || (collected[lower] ?? value) !== value) {
      throw invalidInput(`header ${name}`, "ASCII text that the signer does not set", "another");
    }
    collected[lower] = value;
  }

  const parameters = new Map<string, string>();
  const add = (name: string, value: unknown): void => {
    if (typeof value !== "string" || reserved.test(name) || parameters.has(name)) {
      throw invalidInput(`query.${name}`, "one string that the signer does not set", "another");
    }
    parameters.set(name, value);
  };
  for (const [name, value] of [query, boundQuery].flatMap((source) => optionPairs("query", source))) add(name, value);
  for (const [option, value] of Object.entries(response ?? {})) {
    if (value !== undefined) add(`response-${option.replace(/[A-Z]/, "-$&").toLowerCase()}`, value);
  }
  return { method, headers: collected, parameters: [...parameters] };
}

const OVERRIDE = "response-";

/**
 * What the signature of an object store promises about body and answer, and cannot enforce itself: a signed Content-MD5, a
 * signed header that forbids overwriting, and `response-*` parameters.
 */
export function objectObligations(
  headers: readonly Parameter[],
  parameters: readonly Parameter[],
  createOnlyHeader: string,
): readonly Obligation[] {
  const obligations: Obligation[] = [];
  for (const [name, value] of headers) {
    if (name === "content-md5" && value !== "") obligations.push({ kind: "body-checksum", header: name, value });
    if (name === createOnlyHeader && value === "true") obligations.push({ kind: "create-only" });
  }
  const overrides = parameters.filter(([name]) => name.startsWith(OVERRIDE));
  if (overrides.length > 0) {
    const answer = overrides.map(([name, value]): Parameter => [name.slice(OVERRIDE.length), value]);
    obligations.push({ kind: "response", headers: Object.fromEntries(answer) });
  }
  return obligations;
}
