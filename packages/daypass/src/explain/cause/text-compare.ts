import type { Cause, CauseCode } from "../explanation.ts";

const PASS_ON =
  "Pass the URL on byte for byte as it was made, and look for a proxy that decodes, adds or drops something.";
const SEND_HEADERS =
  "Send what was signed: Content-Type, Content-MD5 and every header of the store's own, and none that was not signed.";

/** A part in which two texts differ, and its value in each. */
interface Difference {
  readonly code: CauseCode;
  readonly what: string;
  readonly ours: string;
  readonly theirs: string;
  readonly fix?: string | undefined;
}

/** The cause if the server's text differs from the text that the URL implies. */
export function differs({ code, what, ours, theirs, fix = PASS_ON }: Difference): Cause {
  return {
    code,
    sentence: `The ${what} differs: the URL implies ${JSON.stringify(ours)}, and the server saw ${JSON.stringify(theirs)}.`,
    evidence: [`the URL implies: ${ours}`, `the server saw: ${theirs}`],
    fix,
  };
}

const LINES: readonly Pick<Difference, "code" | "what" | "fix">[] = [
  { code: "METHOD", what: "method", fix: "Send the method that was signed: a signature is for one method only." },
  { code: "HEADER", what: "header content-md5", fix: SEND_HEADERS },
  { code: "HEADER", what: "header content-type", fix: SEND_HEADERS },
  { code: "TIME", what: "end" },
];

/**
 * Compares two strings to sign of the legacy versions: method, Content-MD5, Content-Type and end, then the store's own headers,
 * and the resource in the last line.
 */
export function compareTexts(ours: string, theirs: string): Cause {
  // Some answers end in a line feed.
  const [a = [], b = []] = [ours, theirs].map((text) => text.trimEnd().split("\n"));
  const line = LINES.findIndex((_, i) => (a[i] ?? "") !== (b[i] ?? ""));
  const named = LINES[line];
  if (named !== undefined) return differs({ ...named, ours: a[line] ?? "", theirs: b[line] ?? "" });
  const [mine = new Map(), other = new Map()] = [a, b].map((lines) => headersOf(lines.slice(LINES.length, -1)));
  const name = [...mine.keys(), ...other.keys()].find((key) => mine.get(key) !== other.get(key));
  if (name !== undefined) {
    const values = { ours: mine.get(name) ?? "", theirs: other.get(name) ?? "" };
    return differs({ code: "HEADER", what: `header ${name}`, ...values, fix: SEND_HEADERS });
  }
  const [resource = "", seen = ""] = [a.at(-1), b.at(-1)];
  const [path, seenPath] = [resource, seen].map((text) => text.split("?", 1)[0]);
  const isPath = path !== seenPath;
  return differs({
    code: isPath ? "PATH" : "QUERY",
    what: isPath ? "resource" : "sub-resource",
    ours: resource,
    theirs: seen,
  });
}

/** `name:value` in each line. */
function headersOf(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.map((line) => {
      const [name = ""] = line.split(":", 1);
      return [name, line.slice(name.length + 1)];
    }),
  );
}
