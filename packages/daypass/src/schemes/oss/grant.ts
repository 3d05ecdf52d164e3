import type { ObjectLocation } from "../../core/bucket-endpoint.ts";
import type { Grant, Obligation } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { type GrantFields, VerifiedGrant } from "../../core/grant.ts";
import { objectObligations } from "../../core/object-grant.ts";
import type { Parameter } from "../../wire/parameters.ts";
import { type SignedHeader, UNSIGNED_PAYLOAD } from "./canonical.ts";

/** What a verified OSS request allows: one method on one object or bucket. */
export interface OssGrant extends Grant, ObjectLocation {
  /** The region of the signature; empty in V1, which has none. */
  readonly region: string;
  /** Signed parameters other than the signature's own, decoded, in wire order. */
  readonly parameters: readonly Parameter[];
  /** Unsigned parameters that `allowUnsigned` permitted: the holder of the URL chose their values. */
  readonly unsignedParameters: readonly Parameter[];
  /** Names of the headers that were signed. */
  readonly signedHeaders: readonly string[];
}

/** The facts of an OSS grant beside the common ones. */
type OssFacts = Omit<OssGrant, keyof Grant>;

export function ossGrant(fields: GrantFields, facts: OssFacts, stringToSign: string): OssGrant {
  return Object.assign(new VerifiedGrant(fields, stringToSign), facts);
}

/** What the signature promises about body and answer, and cannot enforce itself. */
export function ossObligations(
  headers: readonly SignedHeader[],
  parameters: readonly Parameter[],
  payload: string = UNSIGNED_PAYLOAD,
): readonly Obligation[] {
  const sha256 = /^[0-9a-f]{64}$/.exec(payload)?.[0];
  if (sha256 === undefined && payload !== UNSIGNED_PAYLOAD) {
    throw refusal("UNSUPPORTED_PAYLOAD", `x-oss-content-sha256 as ${UNSIGNED_PAYLOAD} or a SHA-256`);
  }
  const network = parameters.find(([name]) => name.startsWith("x-oss-ac-"));
  if (network !== undefined) {
    throw refusal("UNENFORCED_CONSTRAINT", `no ${network[0]}, which only OSS can check`, { constraint: network[0] });
  }
  const signed = headers.map(({ name, values }): Parameter => [name, values.join(",").trim()]);
  const obligations = objectObligations(signed, parameters, "x-oss-forbid-overwrite");
  return sha256 === undefined ? obligations : [{ kind: "body-sha256", sha256 }, ...obligations];
}
