import type { ReceivedRequest, WireRequest } from "../../../core/contracts.ts";
import { refusal } from "../../../core/errors.ts";
import { parseEpoch } from "../../../core/time.ts";
import { type LegacyParts, legacyStringToSign } from "../../../core/v2.ts";
import { canonicalHeaderValue } from "../../../core/v4.ts";
import { signatureBytes, uriEncode } from "../../../wire/encoding.ts";
import { malformed, type Parameter, sortParameters } from "../../../wire/parameters.ts";
import { groupHeaders, oneHeader, refuseHeaderAuth } from "../../../wire/raw-target.ts";
import type { SignedHeader } from "../canonical.ts";
import { extensionNames, refuseUnsigned } from "../parse.ts";

/**
 * "If the request is scoped to a subresource, such as ?cors, add this subresource, including the question mark": the one
 * part of a query that V2 signs, by its name alone.
 */
export function isSubresource(name: string): boolean {
  return SUBRESOURCE.test(name);
}

const SUBRESOURCE =
  /^(?:acl|billing|compose|cors|defaultObjectAcl|encryption|lifecycle|location|logging|requestPayment|storageClass|tagging|versioning|versions|website)$/;

/** "Customer-supplied encryption keys" are not signed: the holder of the URL may choose them. */
export function isNeverSigned(header: string): boolean {
  return /^x-goog-encryption-key(?:-sha256)?$/.test(header);
}

/** The parts that V2 signs. The path of `resource` is as in the URL, with the bucket also if the host names it. */
export interface GcsV2Parts extends LegacyParts {
  /** Every `x-goog-*` header. */
  readonly extensions: readonly SignedHeader[];
}

/** The text to sign. */
export function gcsV2StringToSign({ extensions, ...parts }: GcsV2Parts): string {
  return legacyStringToSign(parts, extensions, canonicalHeaderValue);
}

/** A V2 query-signed request, read strictly. Nothing in it has been verified. */
export interface ParsedGcsV2 {
  readonly keyId: string;
  readonly expires: string;
  readonly expiresAt: Date;
  readonly signature: Uint8Array;
  readonly contentMd5: string;
  readonly contentType: string;
  readonly extensions: readonly SignedHeader[];
  readonly resource: string;
  /** The subresource, which is signed. */
  readonly parameters: readonly Parameter[];
  /** Parameters that nothing covers and that the verifier's options let through. */
  readonly unsignedParameters: readonly Parameter[];
}

const MARKER = /[?&]GoogleAccessId=[^&]*/;

/** Returns, by a parameter's name, whether a request is signed with V2 in its query, and the kind of key by its `@`. */
export function detectGcsV2({ target }: WireRequest): "account" | "hmac" | undefined {
  // Only the first occurrence counts: searching for an `@` after each one would take quadratic time.
  const found = MARKER.exec(target);
  return found ? (/@|%40/.test(found[0]) ? "account" : "hmac") : undefined;
}

/** What of a request V2 reads beside its own parameters. */
export interface GcsV2Reading {
  /** The bucket, if the host names it. */
  readonly hostBucket: string | undefined;
  readonly allowUnsigned: Pick<ReadonlySet<string>, "has">;
}

/** Reads a query-signed request. Throws `MALFORMED`, `AMBIGUOUS_AUTHENTICATION`, `UNSIGNED_HEADER` or `UNSIGNED_PARAMETER`. */
export function parseGcsV2(
  { request, wire }: ReceivedRequest,
  { hostBucket, allowUnsigned }: GcsV2Reading,
): ParsedGcsV2 {
  const { own, others } = sortParameters(wire, ["GoogleAccessId", "Expires", "Signature"]);
  const received = groupHeaders(request.headers);
  refuseHeaderAuth(request.headers);
  const expiresAt = parseEpoch(own.Expires);
  if (expiresAt === undefined) throw malformed("Expires", "form", "whole seconds since 1970");
  // The length first: a much longer text would overflow the stack of the decoder.
  const signature = own.Signature.length > 1368 ? undefined : signatureBytes(own.Signature);
  if (signature === undefined) throw malformed("Signature", "form", "padded base64");
  const parameters = others.filter(([name]) => isSubresource(name));
  if (parameters.length > 1 || parameters[0]?.[1]) {
    throw malformed((parameters[0] as Parameter)[0], "ambiguous", "one subresource without a value");
  }
  const unsignedParameters = others.filter(([name]) => !isSubresource(name));
  const unknown = unsignedParameters.find(([name]) => !allowUnsigned.has(name));
  if (unknown) {
    throw refusal("UNSIGNED_PARAMETER", `the parameter ${JSON.stringify(unknown[0])} is not signed by V2. Use V4`, {
      parameter: unknown[0],
    });
  }
  const extensions = extensionNames(received);
  refuseUnsigned(extensions.filter((name) => name.startsWith("x-amz-") || isNeverSigned(name)));
  const path = hostBucket ? `/${uriEncode(hostBucket)}${wire.path}` : wire.path;
  return {
    keyId: own.GoogleAccessId,
    expires: own.Expires,
    expiresAt,
    signature,
    contentMd5: oneHeader(request.headers, "content-md5"),
    contentType: oneHeader(request.headers, "content-type"),
    extensions: extensions.map((name) => ({ name, values: received.get(name) as readonly string[] })),
    resource: [path, ...parameters.map(([name]) => name)].join("?"),
    parameters,
    unsignedParameters,
  };
}
