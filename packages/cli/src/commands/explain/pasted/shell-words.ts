import { closingQuote } from "./quoted.ts";

/** Undoes the carets of Windows' cmd, with which Chrome's "Copy as cURL (cmd)" is full. Other texts come back as they are. */
export function withoutCarets(text: string): string {
  // A caret at the end of a line, or before what cmd would read itself. No URL has one before these.
  if (!/\^(?:"|&|%|\r?\n)/.test(text) || !/\bcurl(?:\.exe)?\s/i.test(text)) return text;
  return text.replace(/\^(\r?\n|[\s\S])/g, (_, next: string) => (/^\r?\n$/.test(next) ? " " : next));
}

/** A word of a command. */
export interface ShellWord {
  readonly text: string;
  /** Where it stands, with its quotes. */
  readonly start: number;
  readonly end: number;
  /** Whether the shell puts something into it that the text does not tell: a variable, what another command says. */
  readonly isOpen: boolean;
}

export interface ShellCommand {
  readonly words: readonly ShellWord[];
  /** Where the command ends. */
  readonly end: number;
}

const ANSI: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\\": "\\", "'": "'", '"': '"', "?": "?" };
const VARIABLE = /(?<!\\)(?:\$[A-Za-z_{(]|`)/;

/** The words of the command that begins at a place, as a shell reads them: quotes, escapes, and lines that go on. */
export function shellCommand(text: string, begin: number): ShellCommand {
  const words: ShellWord[] = [];
  let word: { text: string; readonly start: number; isOpen: boolean } | undefined;
  let at = begin;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  const add = (part: string, start: number, isOpen: boolean): void => {
    word ??= { text: "", start, isOpen: false };
    word.text += part;
    word.isOpen ||= isOpen;
  };
  const endWord = (end: number): void => {
    if (word !== undefined) words.push({ ...word, end });
    word = undefined;
  };
  while (at < text.length) {
    const start = at;
    const quoted = takeQuoted(text, at);
    if (quoted !== undefined) {
      at = quoted.end;
      add(quoted.text, start, quoted.isOpen);
      continue;
    }
    // A line that goes on: behind a backslash, of PowerShell behind a backtick.
    if (take(/[\\`][ \t]*\r?\n/y) !== null) continue;
    if (take(/[ \t]*(?:\r?\n|[;|]|&&|&(?=\s|$)|$)/y) !== null || (word === undefined && take(/#/y) !== null)) {
      endWord(start);
      return { words, end: start };
    }
    if (take(/[ \t]+/y) !== null) {
      endWord(start);
      continue;
    }
    const escaped = take(/\\([\s\S])/y)?.[1];
    add(
      escaped ?? take(/[\s\S]/y)?.[0] ?? "",
      start,
      escaped === undefined && VARIABLE.test(text.slice(start, start + 2)),
    );
  }
  endWord(text.length);
  return { words, end: text.length };
}

/** What stands in quotes at a place. Nothing where they are not closed. */
function takeQuoted(
  text: string,
  at: number,
): { readonly text: string; readonly end: number; readonly isOpen: boolean } | undefined {
  const isAnsi = text.startsWith("$'", at);
  const from = isAnsi ? at + 2 : at + 1;
  const quote = text.charAt(from - 1);
  if (quote !== '"' && quote !== "'") return undefined;
  const close = closingQuote(text, from, quote, isAnsi || quote === '"' ? "\\" : "");
  if (close === undefined) return undefined;
  const inside = text.slice(from, close);
  const end = close + 1;
  if (isAnsi) {
    const plain = inside.replace(/\\(?:u([0-9a-fA-F]{1,4})|x([0-9a-fA-F]{1,2})|([\s\S]))/g, ansi);
    return { text: plain, end, isOpen: false };
  }
  if (quote === "'") return { text: inside, end, isOpen: false };
  return { text: inside.replace(/\\(?:\r?\n|(["\\$`]))/g, "$1"), end, isOpen: VARIABLE.test(inside) };
}

function ansi(_: string, unicode: string | undefined, hex: string | undefined, character = ""): string {
  const code = unicode ?? hex;
  return code === undefined ? (ANSI[character] ?? character) : String.fromCharCode(Number.parseInt(code, 16));
}
