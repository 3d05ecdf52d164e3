import type { Explanation } from "daypass/explain";

/** Whether a link leads to a signed URL that begins in it, and so is a place of its own: what is told is told of that one. */
export function isToldInside(url: string, { traps }: Explanation): boolean {
  return traps.some(({ name }) => name === "wrapped-link") && /.https?(?::|%3a)/i.test(url);
}
