import type { ServerError } from "../error-body.ts";
import type { Cause, CauseCode } from "../explanation.ts";

/** One answer of servers: a pattern of its code, one of its message, and what they mean. Texts speak of a URL. */
export type AnswerRow = readonly [
  code: RegExp,
  message: RegExp,
  cause: CauseCode,
  sentence: string | ((found: RegExpExecArray, fields: ServerError["fields"]) => string),
  fix: string | ((found: RegExpExecArray) => string),
];

/** What the first row that fits says. `signed` is what was signed, for its texts. */
export function rowCause(
  rows: readonly AnswerRow[],
  { code, message, fields }: ServerError,
  signed: string,
): Cause | undefined {
  for (const [codes, words, name, sentence, fix] of rows) {
    const found = codes.test(code) ? words.exec(message) : null;
    if (found === null) continue;
    return {
      code: name,
      sentence: (typeof sentence === "string" ? sentence : sentence(found, fields)).replace(/\bURL\b/g, signed),
      evidence: [`The server says ${code}${message === "" ? "" : `: ${message}`}`],
      fix: (typeof fix === "string" ? fix : fix(found)).replace(/\bURL\b/g, signed),
    };
  }
  return undefined;
}
