import type { Grant, Obligation } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { canonicalHeaderValue } from "../../core/v4.ts";
import type { Parameter } from "../../wire/parameters.ts";
import { type SignedHeader, UNSIGNED_PAYLOAD } from "./canonical.ts";

/** What a verified Cloud Storage URL allows: one method on one object or bucket. */
export interface GcsGrant extends Grant {
  readonly bucket: string;
  /** `undefined` for a call on the bucket itself. */
  readonly object: string | undefined;
  /** Query parameters other than the signature's own, decoded, in wire order: all of them were signed. */
  readonly parameters: readonly Parameter[];
  /** Names of the headers that were signed. */
  readonly signedHeaders: readonly string[];
}

/** What signed headers and parameters promise about body and answer, and cannot enforce themselves. */
export function gcsObligations(
  headers: readonly SignedHeader[],
  parameters: readonly Parameter[],
): readonly Obligation[] {
  const obligations: Obligation[] = [];
  for (const { name, values } of headers) {
    // As it was signed: spaces around it must not lose an obligation.
    const value = canonicalHeaderValue(values);
    if (values.length > 0 && /^(?:content-md5|x-goog-hash)$/.test(name)) {
      obligations.push({ kind: "body-checksum", header: name, value });
    } else if (name === "x-goog-content-sha256" && value !== UNSIGNED_PAYLOAD) {
      if (!/^[0-9a-f]{64}$/.test(value)) throw unreadable(name);
      obligations.push({ kind: "body-sha256", sha256: value });
    } else if (name === "x-goog-content-length-range") {
      const [, min, max] = /^(\d{1,15}),(\d{1,15})$/.exec(value) ?? [];
      if (!(Number(min) <= Number(max))) throw unreadable(name);
      obligations.push({ kind: "body-length", min: Number(min), max: Number(max) });
    } else if (["x-goog-if-generation-match=0", "if-none-match=*"].includes(`${name}=${value}`)) {
      obligations.push({ kind: "create-only" });
    }
  }
  const overrides = parameters.filter(([name]) => /^response-content-(?:disposition|type)$/.test(name));
  if (overrides.length > 0) {
    const answer = overrides.map(([name, value]): Parameter => [name.slice("response-".length), value]);
    obligations.push({ kind: "response", headers: Object.fromEntries(answer) });
  }
  return obligations;
}

function unreadable(header: string): Error {
  return refusal("UNSUPPORTED_PAYLOAD", `${header} has an unknown form. Send the documented one`, {
    parameter: header,
  });
}
