import type { Bindings } from "../../core/contracts.ts";
import { invalidInput } from "../../core/errors.ts";
import {
  type BucketRequest,
  checkKey,
  checkTarget,
  methodOf,
  type ObjectRequest,
  type StoreRequest,
} from "../../core/object-request.ts";
import type { EncodedPair } from "../../core/v4.ts";
import { optionPairs, unsupportedConstraint } from "../../core/validate-options.ts";
import { uriEncode } from "../../wire/encoding.ts";

/** What every S3 request to sign has. */
export interface S3StoreRequest extends Omit<StoreRequest, "query"> {
  /** Further parameters, e.g. `versionId`, `partNumber`, `uploadId`. They become part of the signature. */
  readonly query?: Bindings["query"];
  /** S3 does not support a later start: `UNSUPPORTED_CONSTRAINT`. */
  readonly notBefore?: Date | undefined;
  /** S3 signs one key: `UNSUPPORTED_CONSTRAINT`. */
  readonly prefix?: string | undefined;
}

/** A request for one object. */
export type S3ObjectRequest = S3StoreRequest & Pick<ObjectRequest, "key" | "resource">;

/** A request for a bucket itself, such as a listing. */
export type S3BucketRequest = S3StoreRequest & Pick<BucketRequest, "key" | "resource">;

/** One S3 request to sign: for an object, or with `resource: "bucket"` for its bucket. */
export type S3SignRequest = S3ObjectRequest | S3BucketRequest;

const SHA256_HEX = /^[0-9a-f]{64}$/;

// The usual ones first: a list is searched from its start.
const KNOWN: readonly string[] = [
  "bucket",
  "key",
  "expiresIn",
  "method",
  "dotSegments",
  "headers",
  "bind",
  "query",
  "response",
  "expiresAt",
  "stableWindow",
  "resource",
];

function unknownOption(name: string, scheme = "S3"): Error {
  return unsupportedConstraint(scheme, name, undefined, KNOWN);
}

/**
 * Checks method and key, and gives the method. Refuses what the scheme cannot bind, and names that no compiler has seen: `ContentType`
 * beside `bind` would bind nothing.
 */
export function checkCall(request: S3SignRequest, scheme = "S3"): string {
  for (const name in request)
    if (request[name as keyof S3SignRequest] !== undefined && !KNOWN.includes(name)) throw unknownOption(name, scheme);
  // Getters of a class are not among its names.
  if ((request.notBefore ?? request.prefix) !== undefined) throw unknownOption("notBefore or prefix", scheme);
  const { key, resource, dotSegments } = request;
  if (resource === undefined && key !== undefined) checkKey(key, dotSegments);
  else checkTarget(key, request);
  return methodOf(request.method);
}

// Beyond ASCII a header has no one spelling in bytes, so two ends would sign different ones.
const VISIBLE = /^[\t\x20-\x7e]*$/;
// The host comes from the endpoint, and the URL is the authorization.
const NAME = /^(?!(?:host|authorization)$)[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** The headers that the holder must send, lower-case names, from `headers` and `bind`. */
export function collectHeaders({ headers, bind }: S3SignRequest): Readonly<Record<string, string>> {
  if ((headers ?? bind) === undefined) return {};
  const collected: Record<string, string> = {};
  const { contentType, contentLength, sha256, headers: bound, query: _query, ip, ...others } = bind ?? {};
  // An address, and names that no compiler has seen: dropped in silence they would leave open what was to be bound.
  optionPairs("bind", bind);
  for (const [name, value] of Object.entries({ ip, ...others })) {
    if (value !== undefined) throw unknownOption(`bind.${name}`);
  }
  if (typeof contentLength === "object") {
    throw unsupportedConstraint("S3", "a range of lengths", "use a form");
  }
  if (!/^\d{1,15}$/.test(String(contentLength ?? 0))) {
    throw invalidInput("bind.contentLength", "whole bytes", contentLength);
  }
  if (sha256 !== undefined && !SHA256_HEX.test(sha256)) {
    throw invalidInput("bind.sha256", "64 lower-case hex digits", sha256);
  }
  const fixed = { "content-type": contentType, "content-length": contentLength, "x-amz-content-sha256": sha256 };
  for (const source of [headers, bound, fixed]) {
    for (const [name, given] of optionPairs<unknown>("headers", source)) {
      if (given === undefined) continue;
      const lower = name.toLowerCase();
      const value = String(given);
      // `null` is an object, too.
      if (
        typeof given === "object" ||
        !NAME.test(lower) ||
        !VISIBLE.test(value) ||
        (collected[lower] ?? value) !== value
      ) {
        throw invalidInput(`header ${name}`, "ASCII text that the signer does not set", "another");
      }
      collected[lower] = value;
    }
  }
  return collected;
}

const RESPONSE_OPTION = /^(cacheControl|content(Disposition|Encoding|Language|Type)|expires)$/;
// The signer's own parameters. X-Amz-Content-Sha256 is not among them: some signers put it into the query.
const RESERVED = /^X-Amz-(Algorithm|Credential|Date|Expires|Security-Token|Sign.*)$/i;

/** The further parameters of the URL, encoded, from `query`, `bind.query` and `response`. Each name comes from one of them. */
export function collectQuery({ query, bind, response }: S3SignRequest): readonly EncodedPair[] {
  const bound = bind?.query;
  if ((query ?? bound ?? response) === undefined) return [];
  const overrides: Record<string, string> = {};
  for (const [option, value] of optionPairs<string>("response", response)) {
    if (!RESPONSE_OPTION.test(option)) throw unknownOption(`response.${option}`);
    if (value !== undefined) overrides[`response-${option.replace(/[A-Z]/, "-$&").toLowerCase()}`] = value;
  }
  const pairs: EncodedPair[] = [];
  const seen: string[] = [];
  for (const source of [query, bound, overrides]) {
    for (const [name, values] of optionPairs<readonly unknown[] | undefined>("query", source)) {
      // Flattened by its length: an empty list stays a list and is refused, because it would bind nothing.
      for (const value of [values].flat(values?.length)) {
        if (typeof value !== "string" || RESERVED.test(name) || seen.includes(name)) {
          throw invalidInput(`query.${name}`, "one string that the signer does not set", "another");
        }
        pairs.push([uriEncode(name), uriEncode(value)]);
      }
      seen.push(name);
    }
  }
  return pairs;
}
