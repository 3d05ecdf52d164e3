import { invalidInput } from "./errors.ts";

const DOT_SEGMENT = /(?:^|\/)\.\.?(?:\/|$)/;

/**
 * A key is data. The one thing that is refused unless asked for is a `.` or `..` segment: every URL parser removes it,
 * so the URL would open another object, or `uploads/${user}/${name}` would sign one that belongs to somebody else.
 */
export function checkKey(key: string, dotSegments: "refuse" | "sign" | undefined, option = "key"): void {
  if (typeof key !== "string" || !key) throw invalidInput(option, "some text", key);
  if (dotSegments !== "sign" && DOT_SEGMENT.test(key)) {
    throw invalidInput(option, "text without . and .. segments (see dotSegments)", key, "DOT_SEGMENTS");
  }
}
