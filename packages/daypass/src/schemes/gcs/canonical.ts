import { sha256Hex } from "#crypto";
import {
  type CredentialScope,
  canonicalHeaderValue,
  canonicalQuery,
  type SignedHeader,
  scopeText,
  stringToSignText,
  type V4Family,
} from "../../core/v4.ts";
import { uriEncode, uriEncodePath } from "../../wire/encoding.ts";
import type { Parameter } from "../../wire/parameters.ts";
import { percentDecode } from "../../wire/raw-target.ts";

export type { SignedHeader } from "../../core/v4.ts";

/** V4 with HMAC keys: a key for date, location and service is derived as AWS does it. */
export const GOOG4_HMAC: V4Family = {
  algorithm: "GOOG4-HMAC-SHA256",
  secretPrefix: "GOOG4",
  terminator: "goog4_request",
};
/**
 * V4 with the RSA key of a service account, which signs the string to sign itself. Spelled out: a bundler cannot tell
 * that spreading `GOOG4_HMAC` has no effects, and would keep it for those who never use it.
 */
export const GOOG4_RSA: V4Family = {
  algorithm: "GOOG4-RSA-SHA256",
  secretPrefix: "GOOG4",
  terminator: "goog4_request",
};

export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

/** What V4 signs. */
export interface GcsParts {
  readonly family: V4Family;
  readonly scope: CredentialScope;
  /** `YYYYMMDDTHHMMSSZ` */
  readonly time: string;
  readonly method: string;
  /** Canonical. */
  readonly path: string;
  /** All parameters but the signature, decoded. */
  readonly parameters: readonly Parameter[];
  /** In ascending order of their names. */
  readonly headers: readonly SignedHeader[];
}

/** Text after text, how a signature comes about. */
export interface GcsTexts {
  readonly query: string;
  readonly canonicalRequest: string;
  readonly stringToSign: string;
}

/** Signing and verifying both begin here, so they cannot drift apart. */
export function gcsTexts({ family, scope, time, method, path, parameters, headers }: GcsParts): GcsTexts {
  const query = canonicalQuery(parameters.map(([name, value]) => [uriEncode(name), uriEncode(value)]));
  const lines = headers.map(({ name, values }) => `${name}:${canonicalHeaderValue(values)}\n`);
  const names = headers.map(({ name }) => name).join(";");
  // The layout of `canonicalRequestText`, whose memory of the last request would be dead weight in this bundle.
  const canonicalRequest = [method, path, query, lines.join(""), names, payloadLine(headers)].join("\n");
  const hash = sha256Hex(canonicalRequest);
  return { query, canonicalRequest, stringToSign: stringToSignText(family, time, scopeText(family, scope), hash) };
}

/** "If your request includes an X-Goog-Content-SHA256 header, use the value of that header." */
export function payloadLine(headers: readonly SignedHeader[]): string {
  const values = headers.find(({ name }) => name === "x-goog-content-sha256")?.values;
  return values === undefined ? UNSIGNED_PAYLOAD : canonicalHeaderValue(values);
}

/** The path decoded and encoded once; nothing is normalised: `//`, `.` and `..` stay. */
export function canonicalPath(rawPath: string): string {
  return uriEncodePath(percentDecode(rawPath));
}

/** The signed host: without a port, even if the URL has one (vectors "endpoint on client", "non-default hostname"). */
export function hostWithoutPort(authority: string): string {
  return authority.replace(/:\d+$/, "");
}
