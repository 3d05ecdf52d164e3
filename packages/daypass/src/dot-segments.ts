import { refusal } from "./errors.ts";

const DOT = "(?:\\.|%(?:25)*2e)";
const SLASH = "(?:[/\\\\]|%(?:25)*(?:2f|5c))";
const DOT_SEGMENT = /* @__PURE__ */ new RegExp(`${SLASH}${DOT}{1,2}(?:${SLASH}|;|%(?:25)*3b|$)`, "i");

/**
 * Refuses a raw path with `.` or `..` segments in any spelling, encoded any number of times. A grant for everything below a
 * prefix would else open `/photos/../secret` to whoever decodes or collapses after this check.
 *
 * @throws {DaypassError} `MALFORMED`
 */
export function refuseDotSegments(rawPath: string): void {
  if (DOT_SEGMENT.test(rawPath)) {
    throw refusal("MALFORMED", "a path without dot segments below a prefix: it could be read as another path", {
      part: "path",
    });
  }
}
