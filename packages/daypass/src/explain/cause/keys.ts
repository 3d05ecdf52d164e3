import type { Cause, Hypothesis } from "../explanation.ts";

interface Other {
  /** Who signed, as the URL says. */
  readonly signedBy: string;
  /** By what the given keys are known. */
  readonly given: readonly string[];
  readonly signed?: string;
}

/** None of the given keys is the one that the URL names. */
export function unknownKey({ signedBy, given, signed = "URL" }: Other): Cause {
  return {
    code: "UNKNOWN_KEY",
    sentence: `The ${signed} was signed by ${signedBy || "nobody"}, and the given keys are ${given.join(", ")}.`,
    evidence: [],
    fix: "Give the key that signed.",
  };
}

/** A host that nobody can guess hides a right key. */
export const OTHER_HOST =
  "If a CDN or a proxy has its own name, or the host was replaced, name the signed host (--host, hosts).";

/** The name of one key, and the secret of another one that is given. */
export function mixedKeys(
  signedBy: string | undefined,
  other: string,
  { signed = "URL", what = "key" }: { readonly signed?: string; readonly what?: "key" | "secret" } = {},
): Cause {
  const named = signedBy ?? "";
  const id = named.replace(/^the key /, "");
  if (id !== other && id.trim() === other) {
    return {
      code: "UNKNOWN_KEY",
      sentence: `The ${signed} names the key ${other} with a space or a line break around it: no server knows that key.`,
      evidence: [`it names ${JSON.stringify(id)}`],
      fix: "Trim the key's id where the signer reads it, e.g. the file or the environment variable.",
    };
  }
  return {
    code: "UNKNOWN_KEY",
    sentence: `The ${signed} names ${named || "nobody"} and was signed with the ${what} of ${other}.`,
    evidence: [],
    fix: "Use the id and secret of the same key.",
  };
}

/** What was tried in vain, as evidence. */
export function noneFits(tried: readonly Hypothesis[]): string {
  return tried.length === 0
    ? "No variant was tried."
    : `No variant fits: ${tried.map(({ code, tried: count }) => `${code} ${count}`).join(", ")}.`;
}
