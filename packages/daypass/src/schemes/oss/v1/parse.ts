import type { ReceivedRequest, WireRequest } from "../../../core/contracts.ts";
import { refusal } from "../../../core/errors.ts";
import { parseEpoch } from "../../../core/validity.ts";
import { fromBase64 } from "../../../wire/encoding.ts";
import { checkOnce, malformed, type Parameter, sortParameters } from "../../../wire/parameters.ts";
import { groupHeaders, headerValues, trimBlank } from "../../../wire/raw-target.ts";
import type { SignedHeader } from "../canonical.ts";
import { checkNoHeaderAuth } from "../parse.ts";
import { isAmbiguousValue, isSubResource } from "./canonical.ts";

/** A V1 query-signed request, read strictly. Nothing in it has been verified. */
export interface ParsedOssV1 {
  readonly accessKeyId: string;
  /** `Expires` as sent. */
  readonly expires: string;
  readonly expiresAt: Date;
  readonly securityToken: string | undefined;
  /** base64 of 20 bytes. */
  readonly signature: string;
  readonly contentMd5: string;
  readonly contentType: string;
  readonly headers: readonly SignedHeader[];
  /** All that are signed, the security token among them. */
  readonly subResources: readonly Parameter[];
  readonly unsigned: readonly Parameter[];
}

const MARKER = /[?&]OSSAccessKeyId=/;

/** Tells by the parameter's name whether a request is signed with OSS V1 in its query. */
export function detectOssV1(request: WireRequest): boolean {
  return MARKER.test(request.target);
}

/** Reads a query-signed request. Throws `MALFORMED`, `AMBIGUOUS_AUTHENTICATION` or `UNSIGNED_PARAMETER`. */
export function parseOssV1({ request, wire }: ReceivedRequest, allowUnsigned: ReadonlySet<string>): ParsedOssV1 {
  const { own, others } = sortParameters(wire, ["OSSAccessKeyId", "Expires", "Signature"]);
  checkNoHeaderAuth(request);
  const subResources = others.filter(([name]) => isSubResource(name));
  checkOnce(subResources);
  const unsigned = others.filter(([name]) => !isSubResource(name));
  const unknown = unsigned.find(([name]) => !allowUnsigned.has(name))?.[0];
  if (unknown !== undefined) {
    throw refusal(
      "UNSIGNED_PARAMETER",
      `only signed parameters, found ${JSON.stringify(unknown)}: use V4, or see allowUnsigned`,
      { parameter: unknown },
    );
  }
  const ambiguous = subResources.find(([, value]) => isAmbiguousValue(value))?.[0];
  if (ambiguous !== undefined) throw malformed(ambiguous, "ambiguous", "a value that is not signed like parameters");
  const { OSSAccessKeyId: accessKeyId, Expires: expires, Signature: signature } = own;
  const expiresAt = parseEpoch(expires);
  if (expiresAt === undefined) throw malformed("Expires", "form", "whole seconds since 1970");
  // The length first: what is far too long would overflow the stack of the decoder, which is no refusal.
  if (signature.length !== 28 || fromBase64(signature)?.length !== 20) {
    throw malformed("Signature", "form", "base64 of 20 bytes, `+` sent as %2B");
  }
  return {
    accessKeyId,
    expires,
    expiresAt,
    securityToken: subResources.find(([name]) => name === "security-token")?.[1],
    signature,
    contentMd5: oneHeader(request, "content-md5"),
    contentType: oneHeader(request, "content-type"),
    headers: [...groupHeaders(request.headers)]
      .filter(([name]) => name.startsWith("x-oss-"))
      .map(([name, values]) => ({ name, values })),
    subResources,
    unsigned,
  };
}

function oneHeader(request: WireRequest, name: string): string {
  const [value = "", second] = headerValues(request.headers, name);
  if (second !== undefined) throw malformed(name, "duplicate", "one header");
  return trimBlank(value);
}
