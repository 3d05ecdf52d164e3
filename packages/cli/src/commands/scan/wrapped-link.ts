import type { Explanation } from "daypass/explain";

/** Whether a link leads to a signed URL by way of a service of mail, say. */
export function isWrapped({ traps }: Explanation): boolean {
  return traps.some(({ name }) => name === "wrapped-link");
}

/**
 * Whether what a link leads to begins in it, escaped as in any parameter, and so is a place of its own: what is told is told of that one. Proofpoint
 * and Avanan write it into their paths in spellings of their own, which only the whole link tells.
 */
export function isToldInside(url: string, explanation: Explanation): boolean {
  return isWrapped(explanation) && /.https?%3a/i.test(url);
}
