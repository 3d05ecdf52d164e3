import { DaypassError, refusal } from "../core/errors.ts";
import { percentDecode } from "./raw-target.ts";

// RFC 3986: `pchar` without percent-encoding. A URL parser re-spells every other character.
const PLAIN_PATH = /^(?:\/[A-Za-z0-9\-._~!$&'()*+,;=:@%]*)+$/;
// What follows the first `;` is a path parameter for some servers. A dot as `%2e` is among those in disguise.
const DOT_SEGMENT = /\/\.{1,2}(?:[/;]|%3b|$)/i;
const EMPTY_SEGMENT = /\/(?=[/;])/;
// A slash, a backslash or a control that only appears after decoding, and letters that need no encoding at all.
const DISGUISED = /%(?:[01]|2[def]|3\d|[46][1-9a-f]|5[\dacf]|7[\daef])/i;

/**
 * Refuses a path that two routers may read in two ways: dot segments in any spelling, empty segments, encoded slashes,
 * letters that need no encoding, and bytes that are not UTF-8. What was verified must be what the router sees, and each
 * router decodes, collapses and matches in its own order. A storage server, whose keys may have all of these, reads the
 * raw target itself and does not need this check.
 *
 * @param semicolons `refuse` refuses a `;`, at which some routers end the path
 * @throws {DaypassError} `MALFORMED`
 */
export function checkRoutable(target: string, semicolons: "refuse" | "allow" = "allow"): void {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  if (semicolons !== "allow" && path.includes(";")) {
    throw refusal(
      "MALFORMED",
      'the path has a ";", at which some routers end it. With another router, set `semicolons: "allow"` of the guard',
      { part: "path" },
    );
  }
  if (PLAIN_PATH.test(path) && !DOT_SEGMENT.test(path) && !EMPTY_SEGMENT.test(path)) {
    if (!path.includes("%")) return;
    if (!DISGUISED.test(path)) {
      percentDecode(path);
      return;
    }
  }
  throw new DaypassError(
    "MALFORMED",
    "the path has dot segments, empty segments or needless percent-encoding, and a router could read it as another path",
    { details: { part: "path" } },
  );
}

const DOTS = /[/\\]\.{1,2}(?:[/\\;]|$)/;

/**
 * Refuses a raw path with `.` or `..` segments in any spelling, encoded any number of times and in any mix. A grant for everything below a
 * prefix would else open `/photos/../secret` on a server that decodes or collapses after this check.
 *
 * @throws {DaypassError} `MALFORMED`
 */
export function refuseDotSegments(rawPath: string): void {
  if (DOTS.test(rawPath.includes("%") ? decodedThroughout(rawPath) : rawPath)) {
    throw refusal("MALFORMED", "the path has dot segments", { part: "path" });
  }
}

/** Decodes until nothing is left to decode, in linear time: `%252%65` becomes `%2e`, and then a dot. */
function decodedThroughout(path: string): string {
  const decoded: string[] = [];
  for (const character of path) {
    decoded.push(character);
    for (let last = decoded.slice(-3).join(""); /^%[0-9a-f]{2}$/i.test(last); last = decoded.slice(-3).join(""))
      decoded.splice(-3, 3, String.fromCharCode(Number.parseInt(last.slice(1), 16)));
  }
  return decoded.join("");
}
