/** Removes the carets with which Chrome's "Copy as cURL (cmd)" escapes. Other texts come back unchanged. */
export function withoutCarets(text: string): string {
  // A caret before a line break or a character that is special to cmd. URLs contain none.
  if (!/\^(?:"|&|%|\r?\n)/.test(text) || !/\bcurl(?:\.exe)?\s/i.test(text)) return text;
  return text.replace(/\^(\r?\n|[\s\S])/g, (_, next: string) => (/^\r?\n$/.test(next) ? " " : next));
}

/** A word of a shell command. */
export interface ShellWord {
  readonly text: string;
  /** The range of the word in the text, including its quotes. */
  readonly start: number;
  readonly end: number;
  /** Whether the shell inserts an unknown value: a variable or the output of a command. */
  readonly isOpen: boolean;
}

export interface ShellCommand {
  readonly words: readonly ShellWord[];
  /** The index behind the command. */
  readonly end: number;
}

const ANSI: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\\": "\\", "'": "'", '"': '"', "?": "?" };
const VARIABLE = /(?<!\\)(?:\$[A-Za-z_{(]|`)/;

/** Splits the command at `begin` into words, as a shell does: quotes, escapes and continued lines. */
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
    const quoted = quotedAt(text, at);
    if (quoted !== undefined) {
      at = quoted.end;
      add(quoted.text, start, quoted.isOpen);
      continue;
    }
    // A continued line: a backslash in POSIX shells, a backtick in PowerShell.
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
    const isOpen = escaped === undefined && VARIABLE.test(text.slice(start, start + 2));
    add(escaped ?? take(/[\s\S]/y)?.[0] ?? "", start, isOpen);
  }
  endWord(text.length);
  return { words, end: text.length };
}

type Quoted = Pick<ShellWord, "text" | "end" | "isOpen">;

/** The quoted text at `at`. `undefined` if no quote opens there or the quote is not closed. */
function quotedAt(text: string, at: number): Quoted | undefined {
  const isAnsi = text.startsWith("$'", at);
  const from = isAnsi ? at + 2 : at + 1;
  const quote = text.charAt(from - 1);
  if (quote !== '"' && quote !== "'") return undefined;
  const close = closingQuote(text, from, { quote, escapes: isAnsi || quote === '"' });
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

function closingQuote(
  text: string,
  from: number,
  { quote, escapes }: { readonly quote: string; readonly escapes: boolean },
): number | undefined {
  for (let at = from; at < text.length; at++) {
    const character = text.charAt(at);
    if (escapes && character === "\\") at++;
    else if (character === quote) return at;
  }
  return undefined;
}

function ansi(_: string, unicode: string | undefined, hex: string | undefined, character = ""): string {
  const code = unicode ?? hex;
  return code === undefined ? (ANSI[character] ?? character) : String.fromCharCode(Number.parseInt(code, 16));
}
