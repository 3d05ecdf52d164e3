import type { JsonObject, LineResult } from "daypass/schemes";
import { type LineAnswerer, parseLine, type Unreadable } from "./answer.ts";
import { type AnswerWriter, answerWriter } from "./answer-writer.ts";
import { loadScheme, type SignLine } from "./line-scheme.ts";

/** How lines are read, completed and answered. */
export interface SignLinesOptions {
  readonly read?: ((line: string | Unreadable) => JsonObject) | undefined;
  readonly write?: AnswerWriter | undefined;
  readonly complete?: LineCompleter | undefined;
}

/** Completes lines with fields that all of them share. */
export interface LineCompleter {
  /** The scheme of lines that do not name one. */
  readonly scheme?: string | undefined;
  /** How lines of a scheme are completed. */
  of(scheme: unknown): Promise<CompleteLine>;
}

export type CompleteLine = (line: JsonObject) => JsonObject | Promise<JsonObject>;

/**
 * Answers lines of `sign --batch`: `{"url","method","headers","expiresAt","warnings"}`, a form with `fields` or cookies
 * with `cookies` in their place, or `{"error":{"code","message"}}` for a refused line.
 */
export function signLines({
  read = parseLine,
  write = answerWriter({ format: "jsonl", echo: [] }),
  complete,
}: SignLinesOptions = {}): LineAnswerer {
  const signers = new Map<unknown, SignLine>();
  // The first line of a scheme waits until the scheme is loaded. Later lines are signed at once.
  const load = async (scheme: unknown): Promise<SignLine> => {
    const [{ signer }, completeLine] = await Promise.all([loadScheme(scheme), complete?.of(scheme)]);
    const sign = await signer();
    const completed: SignLine = (line) => {
      const whole = completeLine?.(line) ?? line;
      return whole instanceof Promise ? whole.then(sign) : sign(whole);
    };
    signers.set(scheme, completed);
    return completed;
  };
  return (text) => {
    let line: JsonObject | undefined;
    try {
      const object = read(text);
      line = object;
      const scheme = object["scheme"] ?? complete?.scheme;
      const sign = signers.get(scheme);
      const signed = sign === undefined ? load(scheme).then((loaded) => loaded(object)) : sign(object);
      if (!(signed instanceof Promise)) return write.signed(signed, object);
      return signed.then(
        (result: LineResult) => write.signed(result, object),
        (error: unknown) => write.refused(error, object),
      );
    } catch (error) {
      return write.refused(error, line);
    }
  };
}
