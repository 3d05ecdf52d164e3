import { type Answer, errorFields, type LineAnswerer, parseLine } from "./answer.ts";
import type { LineResult, SignLine } from "./line-scheme.ts";
import { loadScheme } from "./schemes.ts";

/**
 * Answers lines of `sign --batch`: `{"url","method","headers","expiresAt","warnings"}`, a form with `fields` or cookies
 * with `cookies` in their stead, or `{"error":{"code","message"}}` for a line that is refused.
 */
export function signLines(): LineAnswerer {
  const signers = new Map<unknown, SignLine>();
  // The first line of a scheme waits until it is loaded; those after it are signed at once.
  const load = async (name: unknown): Promise<SignLine> => {
    const sign = (await loadScheme(name)).signer();
    signers.set(name, sign);
    return sign;
  };
  return (line) => {
    try {
      const object = parseLine(line);
      const sign = signers.get(object["scheme"]);
      const signed = sign === undefined ? load(object["scheme"]).then((loaded) => loaded(object)) : sign(object);
      return signed instanceof Promise ? signed.then(signedAnswer, refusal) : signedAnswer(signed);
    } catch (error) {
      return refusal(error);
    }
  };
}

// Bulk signing gives the same end, and no headers or warnings, line after line.
let lastEnd = Number.NaN;
let lastEndText = "";

function signedAnswer(signed: LineResult): Answer {
  const { expiresAt, warnings } = signed;
  const end = expiresAt.getTime();
  if (end !== lastEnd) {
    lastEndText = JSON.stringify(expiresAt);
    lastEnd = end;
  }
  return {
    text: `{${grantedText(signed)},"expiresAt":${lastEndText},"warnings":${warnings.length === 0 ? "[]" : JSON.stringify(warnings)}}`,
    refused: false,
  };
}

function grantedText(signed: LineResult): string {
  if ("cookies" in signed) return `"cookies":${JSON.stringify(signed.cookies)}`;
  const url = `"url":${JSON.stringify(signed.url)}`;
  if ("fields" in signed) return `${url},"fields":${JSON.stringify(signed.fields)}`;
  return `${url},"method":${JSON.stringify(signed.method)},"headers":${JSON.stringify(signed.headers)}`;
}

function refusal(error: unknown): Answer {
  const { code, message } = errorFields(error);
  return { text: JSON.stringify({ error: { code, message } }), refused: true };
}
