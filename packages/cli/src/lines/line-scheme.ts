import type { Clock, ObligationKind, SignedRequest, Verifier } from "daypass";
import type { ExplainKey } from "daypass/explain";
import type { JsonObject } from "./fields.ts";

/** One scheme as the lines of a batch know it. The one list of them is `schemes.ts`. */
export interface LineScheme {
  /** What signs lines of this scheme: called once for each thread, so that signers can be kept from line to line. */
  signer(): SignLine | Promise<SignLine>;
  /** The verifiers that one entry of a line's `schemes` stands for. Throws `INVALID_INPUT` for a misspelt entry, or rejects with it. */
  verifiers(entry: JsonObject, context: LineContext): readonly DialectVerifier[] | Promise<readonly DialectVerifier[]>;
  /** The keys of such an entry, for `explain`. Throws as `verifiers` does. */
  explainKeys(entry: JsonObject): readonly ExplainKey[] | Promise<readonly ExplainKey[]>;
}

/** Signs one line, whose `scheme` alone has been looked at. Throws or rejects with the refusal. */
export type SignLine = (line: JsonObject) => LineResult | Promise<LineResult>;

/** What a line can be signed as. */
export type LineResult = SignedRequest | LineForm | LineCookies;

/** A form upload: the fields that the form has to send. */
export interface LineForm extends Pick<SignedRequest, "url" | "id" | "expiresAt" | "warnings"> {
  readonly fields: Readonly<Record<string, string>>;
}

/** Cookies by name. */
export interface LineCookies extends Pick<SignedRequest, "expiresAt" | "warnings"> {
  readonly cookies: Readonly<Record<string, string>>;
}

/** What every verifier of a line gets from it. */
export interface LineContext {
  /** `scheme://authority` of the request: where no origins are given, it is the one that is trusted. */
  readonly origin: string;
  readonly clock: Clock;
}

/**
 * A verifier and what it detects. Two entries for the same dialect are two sets of keys, tried in turn; two dialects
 * that detect the same request are an ambiguity, and refused.
 */
export type DialectVerifier = readonly [dialect: string, verifier: Verifier];

/** The command serves nothing: it reports the obligations in the grant, and whoever acts on it discharges them. */
export const ENFORCES: readonly ObligationKind[] = [
  "body-length",
  "body-sha256",
  "body-checksum",
  "create-only",
  "encryption-scope",
  "uses",
  "response",
  "strip",
];
