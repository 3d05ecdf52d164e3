import { refusal } from "../core/errors.ts";

const DOT_SEGMENT = /(?:[/\\]|%(?:25)*(?:2f|5c))(?:\.|%(?:25)*2e){1,2}(?:[/\\;]|%(?:25)*(?:2f|5c|3b)|$)/i;

/**
 * Refuses a raw path with `.` or `..` segments in any spelling, encoded any number of times. A grant for everything below a
 * prefix would else open `/photos/../secret` to whoever decodes or collapses after this check.
 *
 * @throws {DaypassError} `MALFORMED`
 */
export function refuseDotSegments(rawPath: string): void {
  if (DOT_SEGMENT.test(rawPath)) {
    throw refusal("MALFORMED", "a path without dot segments", { part: "path" });
  }
}
