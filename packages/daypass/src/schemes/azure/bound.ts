import type { Parameter } from "../../wire/parameters.ts";

// What a user delegation SAS of 2026-04-06 and later signs of a request.
// Source: @azure/storage-blob 12.34.0, src/sas/BlobSASSignatureValues.ts; the SDKs for .NET and Java make the same texts.

/** `name:value` and a line feed for each header that `srh` names, in its order and spelling. */
export function canonicalHeaders(pairs: readonly Parameter[]): string {
  return pairs.map(([name, value]) => `${name}:${value}\n`).join("");
}

/** A line feed and `name:value` for each parameter that `srq` names, in its order; the value decoded. */
export function canonicalQuery(pairs: readonly Parameter[]): string {
  return pairs.map(([name, value]) => `\n${name}:${value}`).join("");
}

/** Names that `srh` and `srq` may list: the list is not signed, and a colon or comma in a name would move its ends. */
export function isBindableName(name: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name);
}
