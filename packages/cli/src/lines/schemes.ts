import { DaypassError } from "daypass";
import type { LineScheme } from "./line-scheme.ts";
import { s3LineScheme } from "./s3.ts";
import { urlLineScheme } from "./url.ts";

/** The one list of schemes that a line can name. */
export const LINE_SCHEMES: readonly LineScheme[] = [s3LineScheme, urlLineScheme];

/** Refuses a line whose scheme is not in the list. */
export function unknownScheme(found: unknown): DaypassError {
  const known = LINE_SCHEMES.map(({ name }) => JSON.stringify(name)).join(" or ");
  const text = found === undefined ? "none" : JSON.stringify(found).slice(0, 40);
  return new DaypassError("INVALID_INPUT", `expected scheme ${known}, found ${text}: this release knows no other`);
}
