import { sha256 } from "#crypto";
import { refusal } from "../../core/errors.ts";
import { base64url } from "../../wire/encoding.ts";
import type { UriSigningRegex } from "./ere.ts";

/** "Prefixed with 'hash:', this string is a URL Segment form (RFC 6920, Section 5) of the URI." */
export function hashContainer(uri: string): string {
  return `hash:sha-256;${base64url(sha256(uri))}`;
}

/** An expression for all URIs that begin with this text: its punctuation is escaped. */
export function prefixContainer(prefix: string): string {
  return `regex:${prefix.replace(/[.*+?^$()[\]{}|\\]/g, "\\$&")}.*`;
}

/**
 * Whether a container holds a URI, over its whole length. Refused are other forms than `hash:` and `regex:`, other hashes than
 * SHA-256 in full, and expressions that are not understood. To be asked after the signature has been verified: an
 * expression is the work that its author makes.
 */
export function containerHolds(
  container: string,
  uri: string,
  regex: ((source: string) => UriSigningRegex) | undefined,
): boolean {
  if (container.startsWith("hash:sha-256;")) return hashContainer(uri) === container;
  if (regex !== undefined && container.startsWith("regex:")) return compiled(container.slice(6), regex).matches(uri);
  const constraint = `cdniuc ${container.split(":", 1)[0]}`;
  throw refusal("UNENFORCED_CONSTRAINT", `hash:sha-256 or regex, found ${constraint}`, {
    constraint,
  });
}

function compiled(source: string, regex: (source: string) => UriSigningRegex): UriSigningRegex {
  try {
    return regex(source);
  } catch (cause) {
    throw refusal("MALFORMED", `cdniuc: ${cause instanceof Error ? cause.message : "an expression"}`, {
      parameter: "cdniuc",
    });
  }
}
