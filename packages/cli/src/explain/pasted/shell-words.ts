/** Undoes the carets of Windows' cmd, with which Chrome's "Copy as cURL (cmd)" is full. Other texts come back as they are. */
export function withoutCarets(text: string): string {
  // A caret at the end of a line, or before what cmd would read itself. No URL has one before these.
  if (!/\^(?:"|&|%|\r?\n)/.test(text) || !/\bcurl(?:\.exe)?\s/i.test(text)) return text;
  return text.replace(/\^(\r?\n|[\s\S])/g, (_, next: string) => (/^\r?\n$/.test(next) ? " " : next));
}

const ANSI: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\\": "\\", "'": "'", '"': '"', "?": "?" };

/** The words of the first command in a text as a shell reads them: quotes, escapes, and lines that go on. */
export function shellWords(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  while (at < text.length) {
    const quoted =
      take(/\$'((?:[^'\\]|\\[\s\S])*)'/y)?.[1]?.replace(/\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\s\S]))/g, ansi) ??
      take(/'([^']*)'/y)?.[1] ??
      take(/"((?:[^"\\]|\\[\s\S])*)"/y)?.[1]?.replace(/\\(?:\r?\n|(["\\$`]))/g, "$1");
    if (quoted !== undefined) {
      word = (word ?? "") + quoted;
      continue;
    }
    // A line that goes on: behind a backslash, of PowerShell behind a backtick.
    if (take(/[\\`][ \t]*\r?\n/y) !== null) continue;
    if (take(/(?:[ \t]*(?:\r?\n|[;|]|$))/y) !== null && at > 0) {
      if (word !== undefined) words.push(word);
      return words;
    }
    if (take(/[ \t]+/y) !== null) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word = (word ?? "") + (take(/\\([\s\S])/y)?.[1] ?? take(/[\s\S]/y)?.[0] ?? "");
  }
  return word === undefined ? words : [...words, word];
}

function ansi(_: string, unicode: string | undefined, hex: string | undefined, character = ""): string {
  const code = unicode ?? hex;
  return code === undefined ? (ANSI[character] ?? character) : String.fromCharCode(Number.parseInt(code, 16));
}
