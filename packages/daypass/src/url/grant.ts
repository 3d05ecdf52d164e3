import { type GrantFields, VerifiedGrant } from "../grant.ts";
import type { Grant, Obligation } from "../scheme.ts";
import type { ParsedUrl } from "./parse.ts";

/** What a verified Daypass URL allows. */
export interface UrlGrant extends Grant {
  /** The configured origin that the request selected. */
  readonly origin: string;
  /** The path of this request as it stood on the wire. */
  readonly path: string;
  /** The fixed part of the path, with a `/` at its end, where the rest is the holder's choice. */
  readonly prefix: string | undefined;
  readonly audience: string | undefined;
  /** The identity that the grant is for; the caller has proved it. */
  readonly subject: string | undefined;
  readonly nonce: string | undefined;
  /** The signed query parameters other than `dp-*`, decoded as a form, in wire order. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** Names of the request headers whose values are signed. */
  readonly signedHeaders: readonly string[];
}

/** The facts of a Daypass URL's grant beside the common ones. */
export type UrlGrantFields = GrantFields & Omit<UrlGrant, keyof Grant>;

export function urlGrant(fields: UrlGrantFields, stringToSign: string): UrlGrant {
  return new VerifiedUrlGrant(fields, stringToSign);
}

class VerifiedUrlGrant extends VerifiedGrant implements UrlGrant {
  readonly origin: string;
  readonly path: string;
  readonly prefix: string | undefined;
  readonly audience: string | undefined;
  readonly subject: string | undefined;
  readonly nonce: string | undefined;
  readonly parameters: readonly (readonly [string, string])[];
  readonly signedHeaders: readonly string[];

  constructor(fields: UrlGrantFields, stringToSign: string) {
    super(fields, stringToSign);
    this.origin = fields.origin;
    this.path = fields.path;
    this.prefix = fields.prefix;
    this.audience = fields.audience;
    this.subject = fields.subject;
    this.nonce = fields.nonce;
    this.parameters = fields.parameters;
    this.signedHeaders = fields.signedHeaders;
  }
}

/** What the verifier cannot do itself; the order is that of the parameters. */
export function urlObligations(parsed: ParsedUrl): readonly Obligation[] {
  const { createOnly, contentLength, response, sha256, uses, vary } = parsed;
  const obligations: Obligation[] = [];
  if (createOnly) obligations.push({ kind: "create-only" });
  if (contentLength !== undefined) obligations.push({ kind: "body-length", ...contentLength });
  if (response !== undefined) obligations.push({ kind: "response", headers: response });
  if (sha256 !== undefined) obligations.push({ kind: "body-sha256", sha256 });
  if (uses !== undefined) obligations.push({ kind: "uses", limit: uses });
  if (vary.length > 0) obligations.push({ kind: "strip", names: vary });
  return obligations;
}
