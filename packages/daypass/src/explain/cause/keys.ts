import type { Cause, Hypothesis } from "../explanation.ts";

interface Other {
  /** The signing key's name in the URL. */
  readonly signedBy: string;
  /** The names of the given keys. */
  readonly given: readonly string[];
  readonly signed?: string;
}

/** The URL names a key that was not given. */
export function unknownKey({ signedBy, given, signed = "URL" }: Other): Cause {
  return {
    code: "UNKNOWN_KEY",
    sentence: `The ${signed} was signed by ${signedBy || "nobody"}, and the given keys are ${given.join(", ")}.`,
    evidence: [],
    fix: "Give the key that signed.",
  };
}

/** A right key fits nothing if the signed host cannot be guessed. */
export const OTHER_HOST =
  "If a CDN or a proxy has its own name, or the host was replaced, name the signed host (--host, hosts).";

/** The URL has the name of one key and the signature of another. */
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

/** The failed tries, as evidence. */
export function noneFits(tried: readonly Hypothesis[]): string {
  const count = tried.reduce((sum, one) => sum + one.tried, 0);
  return count === 0 ? "No change was tried." : `None of ${count} usual changes of the request and the key fits.`;
}
