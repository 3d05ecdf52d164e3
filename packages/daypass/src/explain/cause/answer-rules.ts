import type { ServerError } from "../error-body.ts";
import type { Cause, CauseCode } from "../explanation.ts";

/**
 * One answer of servers, as data. In `sentence` and `fix`, `$1` is a group of `says`, `$Name` an element of the answer, and
 * `{a|b}` the first alternative whose values are all present. `URL` stands for what was signed.
 */
export interface AnswerRule {
  /** Pattern of the answer's code; any code if absent. */
  readonly code?: RegExp;
  /** Pattern of the answer's message, or of the condition or header that it names; any message if absent. */
  readonly says?: RegExp;
  readonly cause: CauseCode;
  readonly sentence: string;
  readonly fix: string;
  /** Whether servers give this answer for everything that they refuse. */
  readonly isGuess?: true;
}

/** The cause by the first rule that matches. `signed` names what was signed: a URL or a form. */
export function ruleCause(
  rules: readonly AnswerRule[],
  { code, message, fields }: ServerError,
  signed: string,
): Cause | undefined {
  const text = [message, ...["Condition", "Header"].flatMap((name) => fields.get(name) ?? [])].join("\n");
  for (const rule of rules) {
    if (rule.code?.test(code) === false) continue;
    const found = (rule.says ?? /^/).exec(text);
    if (found === null) continue;
    const fill = (template: string): string =>
      filled(template.replace(/\bURL\b/g, signed), (name) =>
        /\d/.test(name) ? found[Number(name)] : fields.get(name),
      );
    return {
      code: rule.cause,
      sentence: fill(rule.sentence),
      evidence: [`The server says ${code}${message === "" ? "" : `: ${message}`}`],
      fix: fill(rule.fix),
      isGuess: rule.isGuess,
    };
  }
  return undefined;
}

/** Fills in the values of a template. */
export function filled(template: string, lookUp: (name: string) => string | undefined): string {
  const put = (text: string): string | undefined => {
    let isWhole = true;
    const result = text.replace(/\$(\d|[A-Z]\w+)/g, (_, name: string) => {
      const value = lookUp(name);
      isWhole &&= value !== undefined;
      return value ?? "";
    });
    return isWhole ? result : undefined;
  };
  return template
    .split(/(\{[^{}]*\})/)
    .map((part) => {
      if (!part.startsWith("{")) return put(part) ?? part;
      return (
        part
          .slice(1, -1)
          .split("|")
          .map(put)
          .find((text) => text !== undefined) ?? ""
      );
    })
    .join("");
}
