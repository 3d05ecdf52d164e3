import { headerRecord, type SentParts } from "./sent-parts.ts";

/** The request of a call of `fetch`, as Chrome and Firefox copy it and as people write it. */
export function fetchRequest(text: string): SentParts | undefined {
  const call = /\bfetch\(\s*(?:"[^"]*"|'[^']*'|`[^`]*`)\s*(,\s*(?=\{))?/.exec(text);
  if (call === null) return undefined;
  if (call[1] === undefined) return { method: "GET", headers: {} };
  const init = text.slice(call.index + call[0].length);
  const [, method = "GET"] = /["']?\bmethod["']?\s*:\s*["'`]([A-Za-z]{1,10})["'`]/.exec(init) ?? [];
  const [, inside] =
    /["']?\bheaders["']?\s*:\s*\{((?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^{}"'])*)\}/.exec(init) ?? [];
  const hasBody = /["']?\bbody["']?\s*:\s*(?!null|undefined)\S/.test(init);
  const headers = headerRecord(pairsIn(inside ?? ""));
  // A browser calls a body by its own type where nobody does, and a value may be a variable.
  const isOpen = (hasBody && headers?.["content-type"] === undefined) || /:\s*[A-Za-z_$]/.test(withoutTexts(inside));
  return { method: method.toUpperCase(), headers: isOpen ? undefined : headers };
}

const PAIR = /(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([\w-]+))\s*:\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')/g;

function* pairsIn(inside: string): Generator<readonly [name: string, value: string]> {
  for (const [, a, b, c, value, other] of inside.matchAll(PAIR)) {
    yield [a ?? b ?? c ?? "", (value ?? other ?? "").replace(/\\(.)/g, "$1")];
  }
}

function withoutTexts(inside = ""): string {
  return inside.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, "''");
}
