import { type CosParts, cosPairs } from "../../schemes/cos/canonical.ts";
import { differs } from "../cause/text-compare.ts";
import { decodeOr } from "../decoded.ts";
import type { Cause } from "../explanation.ts";

const LINES = [
  { code: "METHOD", what: "method" },
  { code: "PATH", what: "path" },
  { code: "QUERY", what: "query parameter" },
  { code: "HEADER", what: "header" },
] as const;

/**
 * Which line of what COS hashes for its string to sign, and shows as `FormatString`, is another one, and which pair in it:
 * method, path, parameters and headers. `undefined` where none is.
 */
export function compareFormats({ method, path, parameters, headers }: CosParts, shown: string): Cause | undefined {
  const ours = [method.toLowerCase(), path, cosPairs(parameters).text, cosPairs(headers).text];
  // Only the path may hold line feeds.
  const theirs = /^(.*)\n([\s\S]*)\n(.*)\n(.*)$/.exec(shown.replace(/\n$/, ""))?.slice(1) ?? [];
  const line = LINES.findIndex((_, i) => theirs[i] !== undefined && ours[i] !== theirs[i]);
  const named = LINES[line];
  if (named === undefined) return undefined;
  const [mine = "", other = ""] = [ours[line], theirs[line]];
  if (line < 2) return differs({ ...named, ours: mine, theirs: other });
  const [before, after] = [pairsOf(mine), pairsOf(other)];
  const name = [...before.keys(), ...after.keys()].find((key) => before.get(key) !== after.get(key)) ?? "";
  const pair = { ...named, ours: before.get(name) ?? "", theirs: after.get(name) ?? "" };
  return name === "host"
    ? differs({ ...pair, code: "HOST", what: "host", fix: "Sign for the host under which the server is reached." })
    : differs({ ...pair, what: `${named.what} ${name}` });
}

function pairsOf(line: string): ReadonlyMap<string, string> {
  const pairs = line
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => pair.split("="));
  return new Map(pairs.map(([name = "", ...value]) => [name, decodeOr(value.join("="))]));
}
