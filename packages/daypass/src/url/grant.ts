import { type GrantFields, VerifiedGrant } from "../grant.ts";
import type { Grant, Obligation } from "../scheme.ts";
import type { UrlParameters } from "./parameters.ts";

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
  declare readonly origin: string;
  declare readonly path: string;
  declare readonly prefix: string | undefined;
  declare readonly audience: string | undefined;
  declare readonly subject: string | undefined;
  declare readonly nonce: string | undefined;
  declare readonly parameters: readonly (readonly [string, string])[];
  declare readonly signedHeaders: readonly string[];

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

const RESPONSE_NAME = "dp-response-";

/** What the verifier cannot do itself; the order is that of section 6 of the specification. */
export function urlObligations(parameters: UrlParameters): readonly Obligation[] {
  const { "dp-length": length, "dp-sha256": sha256, "dp-uses": limit, "dp-vary": names } = parameters;
  const obligations: Obligation[] = [];
  if (parameters["dp-create"] !== undefined) obligations.push({ kind: "create-only" });
  if (length !== undefined) obligations.push({ kind: "body-length", ...length });
  const headers = Object.entries(parameters)
    .filter(([name]) => name.startsWith(RESPONSE_NAME))
    .map(([name, value]) => [name.slice(RESPONSE_NAME.length), String(value)] as const);
  if (headers.length > 0) obligations.push({ kind: "response", headers: Object.fromEntries(headers) });
  if (sha256 !== undefined) obligations.push({ kind: "body-sha256", sha256 });
  if (limit !== undefined) obligations.push({ kind: "uses", limit });
  if (names !== undefined) obligations.push({ kind: "strip", names });
  return obligations;
}
