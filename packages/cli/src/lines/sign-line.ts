import type { SignedRequest } from "daypass";
import { type Answer, errorFields, type LineAnswerer, parseLine, unknownScheme } from "./answer.ts";
import type { JsonObject } from "./fields.ts";
import { s3LineSigner } from "./s3.ts";
import { urlLineSigner } from "./url.ts";

type SignLine = (line: JsonObject) => SignedRequest | Promise<SignedRequest>;

/**
 * Answers lines of `sign --batch`: `{"url","method","headers","expiresAt","warnings"}`, or `{"error":{"code","message"}}`
 * for a line that is refused.
 */
export function signLines(): LineAnswerer {
  const schemes: ReadonlyMap<unknown, SignLine> = new Map<unknown, SignLine>([
    ["s3", s3LineSigner()],
    ["url", urlLineSigner()],
  ]);
  return (line) => {
    try {
      const object = parseLine(line);
      const sign = schemes.get(object["scheme"]);
      if (sign === undefined) throw unknownScheme(object["scheme"], [...schemes.keys()]);
      const signed = sign(object);
      return signed instanceof Promise ? signed.then(signedAnswer, refusal) : signedAnswer(signed);
    } catch (error) {
      return refusal(error);
    }
  };
}

// Bulk signing gives the same end, and no headers or warnings, line after line.
let lastEnd = Number.NaN;
let lastEndText = "";

function signedAnswer({ url, method, headers, expiresAt, warnings }: SignedRequest): Answer {
  const end = expiresAt.getTime();
  if (end !== lastEnd) {
    lastEndText = JSON.stringify(expiresAt);
    lastEnd = end;
  }
  return {
    text: `{"url":${JSON.stringify(url)},"method":${JSON.stringify(method)},"headers":${JSON.stringify(headers)},"expiresAt":${lastEndText},"warnings":${warnings.length === 0 ? "[]" : JSON.stringify(warnings)}}`,
    refused: false,
  };
}

function refusal(error: unknown): Answer {
  const { code, message } = errorFields(error);
  return { text: JSON.stringify({ error: { code, message } }), refused: true };
}
