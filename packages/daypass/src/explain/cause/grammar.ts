import { isDaypassError } from "../../core/errors.ts";
import type { Cause } from "../explanation.ts";
import { hexDamage } from "./whole-signature.ts";

/** Facts about the URL beyond its grammar. */
export interface GrammarReading {
  /** Whether the store refuses unsigned headers, too, and not only Daypass. */
  readonly refusesHeaders?: true | undefined;
  /** The seconds of the parameter `…-expires`, if it is a number. */
  readonly life?: number | undefined;
  /** A hexadecimal signature: its parameter, its text in the URL, and the digits of a complete one. */
  readonly signature?: { readonly parameter: string; readonly text: string; readonly digits: number } | undefined;
}

/** The error of a strict reader, as a cause. Errors that only Daypass raises are traps instead. */
export function grammarCause(read: () => unknown, reading: GrammarReading = {}): Cause | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return refusedCause(error, reading);
  }
}

/** The same for a caught error. Rethrows other errors. */
export function refusedCause(
  error: unknown,
  { refusesHeaders, signature, life = 0 }: GrammarReading = {},
): Cause | undefined {
  if (!isDaypassError(error)) throw error;
  const refused = (code: Cause["code"], fix: string): Cause => ({
    code,
    sentence: `The request is refused before its signature is checked: ${error.message}.`,
    evidence: [],
    fix,
  });
  if (refusesHeaders && error.code === "UNSIGNED_HEADER") return refused(error.code, "Send only what was signed.");
  if (/^UNSIGNED_|^KEY_SCOPE$/.test(error.code)) return undefined;
  if (error.code === "AMBIGUOUS_AUTHENTICATION")
    return refused(error.code, "Send the URL alone, without other credentials.");
  const damage =
    signature !== undefined && error.details["parameter"] === signature.parameter
      ? hexDamage(signature.text, signature.digits)
      : undefined;
  if (signature !== undefined && damage !== undefined) {
    const sentence = `The signature (${signature.parameter}) was damaged in transit: ${damage.what}.`;
    return { code: "MALFORMED", sentence, evidence: [], fix: damage.fix };
  }
  const { parameter, problem } = error.details;
  if (error.code === "MALFORMED" && problem === "missing") {
    const sentence = `The URL lacks ${parameter}: most likely it was cut off. A shell cuts it at & unless it is quoted.`;
    return { code: "MALFORMED", sentence, evidence: [], fix: "Use the whole URL, and quote it in a shell." };
  }
  if (error.code === "MALFORMED" && problem === "duplicate") {
    const sentence = `${parameter} comes twice in the URL: two URLs were joined, or one was signed again.`;
    return { code: "MALFORMED", sentence, evidence: [], fix: "Use one URL, byte for byte as it was made." };
  }
  // These values come from the signer, not from damage in transit.
  const isTooLong = problem === "too-large" || (life > 604_800 && /-expires$/i.test(String(parameter)));
  if (error.code === "MALFORMED" && (isTooLong || problem === "negative")) {
    return {
      ...refused(
        "MALFORMED",
        "Sign with a lifetime of at most one week (604800 seconds), and sign again when it expires.",
      ),
      evidence: [],
    };
  }
  // Hexadecimal contains no plus.
  const plus = signature === undefined ? " (a + in the signature travels as %2B)" : "";
  const fix = `Pass the URL on byte for byte as it was made${plus}; quote it in a shell.`;
  return refused(error.code === "WRONG_SCOPE" ? "SERVICE" : "MALFORMED", fix);
}
