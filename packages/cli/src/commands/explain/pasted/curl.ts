import { headerRecord, type RequestParts } from "./request-parts.ts";
import { type ShellCommand, type ShellWord, shellCommand } from "./shell-words.ts";

/** A curl command, as far as its options were read. */
interface Command {
  method?: string | undefined;
  /** The method that an option implies. */
  implied?: string;
  /** The Content-Type that curl adds for the body. */
  type?: string;
  dataInQuery?: boolean;
  /** Whether headers, or the method, come from a variable or a file. */
  hasOpenHeaders?: boolean;
  hasOpenMethod?: boolean;
  /** Whether a part of the query comes from a variable or a file. */
  hasOpenQuery?: boolean;
  readonly headers: (readonly [name: string, value: string])[];
  /** Names of headers that curl must not send. */
  readonly suppressed: Set<string>;
  readonly urls: ShellWord[];
  /** Parts of the query: from `--url-query`, and from the data options, which -G moves into the query. */
  readonly query: string[];
  readonly data: string[];
}

interface Value {
  readonly text: string;
  readonly isOpen: boolean;
}

/** The options that change the request. All of them but the flags take a value. */
const OPTIONS: Readonly<Record<string, (command: Command, value: Value) => void>> = {
  request: (command, { text, isOpen }) => {
    command.hasOpenMethod = isOpen || !/^[A-Za-z]+$/.test(text);
    command.method = text.toUpperCase();
  },
  head: (command) => {
    command.implied = "HEAD";
  },
  get: (command) => {
    command.dataInQuery = true;
  },
  "upload-file": (command) => {
    command.implied = "PUT";
  },
  header: (command, value) => addHeader(command, value),
  "user-agent": ({ headers }, { text }) => void headers.push(["user-agent", text]),
  referer: ({ headers }, { text }) => void headers.push(["referer", text]),
  // A value without = is the name of a file.
  cookie: ({ headers }, { text }) => void (text.includes("=") && headers.push(["cookie", text])),
  range: ({ headers }, { text }) => void headers.push(["range", `bytes=${text}`]),
  user: ({ headers }) => void headers.push(["authorization", "Basic"]),
  "oauth2-bearer": ({ headers }) => void headers.push(["authorization", "Bearer"]),
  form: (command) => addBody(command, "multipart/form-data"),
  json: (command) => addBody(command, "application/json"),
  data: (command, value) => {
    addBody(command, "application/x-www-form-urlencoded");
    addData(command, value, command.data);
  },
  "data-urlencode": (command, value) => {
    addBody(command, "application/x-www-form-urlencoded");
    addData(command, { ...value, text: urlencoded(value.text) }, command.data);
  },
  // A configuration file, or a variable of curl, may add any header.
  config: (command) => {
    command.hasOpenHeaders = true;
  },
  "url-query": (command, value) => addData(command, { ...value, text: urlencoded(value.text) }, command.query),
};

const FLAGS: ReadonlySet<string> = new Set(["head", "get"]);

const LETTERS: Readonly<Record<string, string>> = {
  X: "request",
  I: "head",
  G: "get",
  T: "upload-file",
  H: "header",
  A: "user-agent",
  e: "referer",
  b: "cookie",
  r: "range",
  u: "user",
  F: "form",
  d: "data",
  K: "config",
};
/** Letters and names of further options that take a value. */
const VALUED_LETTERS = "oxmwcDEzCUQPtyYh";
const VALUED =
  /^(?:output|proxy|max-time|connect-timeout|resolve|cacert|capath|cert|key|write-out|cookie-jar|dump-header|retry|retry-delay|interface|limit-rate|continue-at|connect-to|ciphers|proxy-user|proxy-header|noproxy|max-redirs|aws-sigv4|stderr|trace|trace-ascii|unix-socket|pass|proto|tls-max|request-target|variable)$/;
/** Names that stand for another option. The `--expand-…` options read variables of curl. */
const ALIASES: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^data-(?!urlencode$)/, "data"],
  [/^form-/, "form"],
  [/^expand-(?!url$)/, "config"],
];

// In a sentence about curl, other words follow.
const CURL =
  /(?<![\w.-])curl(?:\.exe)?[ \t]+(?=-|["'$<]|[\\`^][ \t]*\r?\n|[a-z]+:\/\/|[\w.-]{1,255}[.:][\w.:-]{0,255}\/)/gi;

/** The position of the signed URL in the text. */
interface UrlPosition {
  readonly text: string;
  readonly index: number;
}

/**
 * The request of the curl command for the URL: its method and headers, including the headers that curl adds.
 * `undefined` if no command is for this URL: a command that asks an API for the signed URL does not describe the request to it.
 */
export function curlRequest({ text, index }: UrlPosition): RequestParts | undefined {
  const program = withoutComments(text, index);
  const [, variable] = /([A-Za-z_]\w*)\s*:?=\s*["'`]?$/.exec(program.slice(Math.max(0, index - 120), index)) ?? [];
  for (const command of requestsIn(program)) {
    const isForUrl = command.urls.some(
      ({ text, start, end }) =>
        (index >= start && index < end) || (variable !== undefined && /^\$\{?(\w+)\}?$/.exec(text)?.[1] === variable),
    );
    if (isForUrl) return requestOf(command);
  }
  return undefined;
}

/** The URL that `curl -G` or `--url-query` composes, with its request. `undefined` if a part of the URL is unknown. */
export function composedRequest(text: string): (RequestParts & { readonly url: string }) | undefined {
  for (const command of requestsIn(text)) {
    const { urls, query, data, dataInQuery, hasOpenQuery } = command;
    const parts = [...(dataInQuery === true ? data : []), ...query];
    const [url] = urls;
    if (url === undefined || url.isOpen || parts.length === 0 || hasOpenQuery === true) continue;
    const base = /^https?:\/\//i.test(url.text) ? url.text : `https://${url.text}`;
    return { url: `${base}${base.includes("?") ? "&" : "?"}${parts.join("&")}`, ...requestOf(command) };
  }
  return undefined;
}

/** Removes curl commands from a text, because they contain logins. */
export function withoutCurl(text: string): string {
  let rest = "";
  let at = 0;
  for (const { start, end } of curlCommands(text)) {
    rest += `${text.slice(at, start)} `;
    at = end;
  }
  return rest + text.slice(at);
}

const COMMENT = /^[ \t]*(?:#|\/\/)/;

/** Blanks comment lines, unless the URL itself is in one: a `#` may be root's prompt. */
function withoutComments(text: string, index: number): string {
  const line = text.slice(text.lastIndexOf("\n", index - 1) + 1, index);
  if (COMMENT.test(line)) return text;
  return text.replace(new RegExp(`${COMMENT.source}.*$`, "gm"), (comment) => " ".repeat(comment.length));
}

function* curlCommands(text: string): Generator<ShellCommand & { readonly start: number }> {
  let at = 0;
  for (;;) {
    CURL.lastIndex = at;
    const found = CURL.exec(text);
    if (found === null) return;
    const command = shellCommand(text, found.index + found[0].length);
    yield { ...command, start: found.index };
    at = command.end;
  }
}

/** The requests of all curl commands in a text. `--next` separates several requests of one command. */
function* requestsIn(text: string): Generator<Command> {
  for (const { words } of curlCommands(text)) {
    let request: ShellWord[] = [];
    for (const word of words) {
      if (/^(?:--next|-:)$/.test(word.text)) {
        yield readOptions(request);
        request = [];
      } else request.push(word);
    }
    yield readOptions(request);
  }
}

function readOptions(words: readonly ShellWord[]): Command {
  const command: Command = { headers: [], suppressed: new Set(), urls: [], query: [], data: [] };
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as ShellWord;
    const options = [...optionsIn(word.text)];
    if (options.length === 0 && !word.text.startsWith("-")) command.urls.push(word);
    for (const [name, inline] of options) {
      const takes = !FLAGS.has(name) && (name === "url" || Object.hasOwn(OPTIONS, name) || VALUED.test(name));
      const next = takes && inline === undefined ? words[++i] : undefined;
      const { isOpen } = next ?? word;
      if (name === "url") command.urls.push(next ?? word);
      if (Object.hasOwn(OPTIONS, name)) OPTIONS[name]?.(command, { text: inline ?? next?.text ?? "", isOpen });
    }
  }
  return command;
}

function requestOf(command: Command): RequestParts {
  const { method, implied, type, dataInQuery, headers, suppressed, hasOpenHeaders, hasOpenMethod } = command;
  const hasType = suppressed.has("content-type") || headers.some(([name]) => name.toLowerCase() === "content-type");
  const added = type === undefined || dataInQuery === true || hasType ? [] : [["content-type", type] as const];
  return {
    method: hasOpenMethod === true ? undefined : (method ?? (dataInQuery === true ? "GET" : implied) ?? "GET"),
    headers: hasOpenHeaders === true ? undefined : headerRecord([...headers, ...added]),
  };
}

/** The options of a word: `--name`, `--name=value`, or letters, the last of which may have a value: `-sSXPUT`. */
function* optionsIn(word: string): Generator<readonly [name: string, inline: string | undefined]> {
  const [, long, value] = /^--([a-z0-9-]+?)(?:=(.*))?$/s.exec(word) ?? [];
  if (long !== undefined) {
    yield [ALIASES.find(([pattern]) => pattern.test(long))?.[1] ?? long, value];
    return;
  }
  if (!/^-[A-Za-z#0-9]/.test(word)) return;
  for (let i = 1; i < word.length; i++) {
    const letter = word.charAt(i);
    const name = LETTERS[letter] ?? (VALUED_LETTERS.includes(letter) ? "output" : undefined);
    if (name === undefined) continue;
    if (FLAGS.has(name)) {
      yield [name, undefined];
      continue;
    }
    yield [name, word.slice(i + 1) || undefined];
    return;
  }
}

/** Reads `Name: value`, `Name;` (an empty value) and `Name:` (a header that curl must not send). */
function addHeader(command: Command, { text, isOpen }: Value): void {
  const { headers, suppressed } = command;
  const [, name = "", mark, value = ""] = /^([^:;]+)([:;])\s*(.*)$/s.exec(text) ?? [];
  // Only the scheme of an Authorization value is used, so a variable in it does not matter.
  if (isOpen && !/^\s*authorization\s*$/i.test(name)) command.hasOpenHeaders = true;
  if (text.startsWith("@")) command.hasOpenHeaders = true;
  else if (mark === ":" && value.trim() === "") suppressed.add(name.trim().toLowerCase());
  else if (mark !== undefined) headers.push([name.trim(), mark === ":" ? value : ""]);
}

function addBody(command: Command, type: string): void {
  command.implied ??= "POST";
  command.type ??= type;
}

/** A leading `@` names a file, whose content is unknown. */
function addData(command: Command, { text, isOpen }: Value, to: string[]): void {
  if (isOpen || text.startsWith("@")) command.hasOpenQuery = true;
  else to.push(text);
}

/** curl encodes `name=content` and `content`, but not `+content`. `name@file` reads a file. */
function urlencoded(text: string): string {
  if (text.startsWith("+")) return text.slice(1);
  const [, name, mark, content = ""] = /^([^=@]*)([=@])(.*)$/s.exec(text) ?? [];
  if (mark === "@") return "@";
  const encoded = encodeURIComponent(mark === undefined ? text : content).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return name === undefined || name === "" ? encoded : `${name}=${encoded}`;
}
