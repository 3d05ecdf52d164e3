import { sha256 } from "#crypto";
import { refusal } from "../../core/errors.ts";
import { base64url } from "../../wire/encoding.ts";
import type { UriSigningRegex } from "./ere.ts";

const UNRESERVED = /^[A-Za-z0-9\-._~]$/;

/** A URI in its normal form, split behind the path. */
export interface NormalUri {
  readonly origin: string;
  readonly path: string;
  /** With its `?`; empty if absent. */
  readonly query: string;
}

/**
 * "Normalize the URI according to Section 4.2.3 of RFC 9110 and Sections 6.2.2 and 6.2.3 of RFC 3986": scheme and host in
 * lower case, no default port (as every origin here is), escapes in upper case and of unreserved characters undone, no dot
 * segments, `/` for an empty path. Then equivalent URIs are the same text.
 */
export function normalizeUri(origin: string, target: string): NormalUri {
  const mark = target.indexOf("?");
  const path = normalizeEscapes(mark < 0 ? target : target.slice(0, mark));
  return {
    origin,
    path: removeDotSegments(path === "" ? "/" : path),
    query: mark < 0 ? "" : normalizeEscapes(target.slice(mark)),
  };
}

export function joinUri({ origin, path, query }: NormalUri): string {
  return origin + path + query;
}

function normalizeEscapes(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}/g, (triplet) => {
    const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
    return UNRESERVED.test(character) ? character : triplet.toUpperCase();
  });
}

/** RFC 3986 section 5.2.4, for a path that begins with `/`. */
function removeDotSegments(path: string): string {
  const output: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1;
    if (segment === "..") output.pop();
    if (segment !== "." && segment !== "..") output.push(segment);
    else if (isLast) output.push("");
  }
  return `/${output.join("/")}`;
}

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
  throw refusal(
    "UNENFORCED_CONSTRAINT",
    `the token names its URIs by ${constraint}, which this verifier does not read. Use hash:sha-256 or regex`,
    {
      constraint,
    },
  );
}

function compiled(source: string, regex: (source: string) => UriSigningRegex): UriSigningRegex {
  try {
    return regex(source);
  } catch (cause) {
    throw refusal("MALFORMED", `cdniuc is malformed: ${cause instanceof Error ? cause.message : "no expression"}`, {
      parameter: "cdniuc",
    });
  }
}
