import { headerRecord, type SentParts } from "./sent-parts.ts";
import { type ShellCommand, type ShellWord, shellCommand } from "./shell-words.ts";
import { isUrlAt, type UrlPlace, variableOf } from "./url-place.ts";

/** What a command has said so far. */
interface Command {
  /** `undefined` for what a variable tells. */
  method?: string | undefined;
  /** The method that an option implies. */
  implied?: string;
  /** What curl would call the body of its own accord. */
  type?: string;
  dataInQuery?: boolean;
  /** Whether a variable, or a file, tells headers or the method. */
  hasOpenHeaders?: boolean;
  hasOpenMethod?: boolean;
  readonly headers: (readonly [name: string, value: string])[];
  /** Headers that curl is told to leave out. */
  readonly left: Set<string>;
  /** What is no option, and so a URL. */
  readonly urls: ShellWord[];
  /** What goes into the query by options of its own, and with -G the data. */
  readonly query: string[];
  readonly data: string[];
  /** Whether a part of it is told by a variable, or stands in a file. */
  hasOpenQuery?: boolean;
}

interface Value {
  readonly text: string;
  readonly isOpen: boolean;
}

/** What the options mean that tell something of the request. All of them but the flags take a value. */
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
  header: (command, value) => addLine(command, value),
  "user-agent": ({ headers }, { text }) => void headers.push(["user-agent", text]),
  referer: ({ headers }, { text }) => void headers.push(["referer", text]),
  // Without = it is the name of a file.
  cookie: ({ headers }, { text }) => void (text.includes("=") && headers.push(["cookie", text])),
  range: ({ headers }, { text }) => void headers.push(["range", `bytes=${text}`]),
  user: ({ headers }) => void headers.push(["authorization", "Basic"]),
  "oauth2-bearer": ({ headers }) => void headers.push(["authorization", "Bearer"]),
  form: (command) => withBody(command, "multipart/form-data"),
  json: (command) => withBody(command, "application/json"),
  data: (command, value) => {
    withBody(command, "application/x-www-form-urlencoded");
    addData(command, value, command.data);
  },
  "data-urlencode": (command, value) => {
    withBody(command, "application/x-www-form-urlencoded");
    addData(command, { ...value, text: urlencoded(value.text) }, command.data);
  },
  // A file, or a variable of curl's own, of which nobody knows what is in it.
  config: (command) => {
    command.hasOpenHeaders = true;
  },
  "url-query": (command, value) => addData(command, { ...value, text: urlencoded(value.text) }, command.query),
};

const FLAGS: ReadonlySet<string> = new Set(["head", "get"]);

const LETTERS: Readonly<Record<string, string>> = {
  ...{ X: "request", I: "head", G: "get", T: "upload-file", H: "header", A: "user-agent", e: "referer", b: "cookie" },
  ...{ r: "range", u: "user", F: "form", d: "data", K: "config" },
};
/** Letters and names of further options that take a value. */
const VALUED_LETTERS = "oxmwcDEzCUQPtyYh";
const VALUED =
  /^(?:output|proxy|max-time|connect-timeout|resolve|cacert|capath|cert|key|write-out|cookie-jar|dump-header|retry|retry-delay|interface|limit-rate|continue-at|connect-to|ciphers|proxy-user|proxy-header|noproxy|max-redirs|aws-sigv4|stderr|trace|trace-ascii|unix-socket|pass|proto|tls-max|request-target|variable)$/;

// Of a sentence about curl the next word is none of these.
const CURL =
  /(?<![\w.-])curl(?:\.exe)?[ \t]+(?=-|["'$<]|[\\`^][ \t]*\r?\n|[a-z]+:\/\/|[\w.-]{1,255}[.:][\w.:-]{0,255}\/)/gi;

/**
 * The request that a curl command sends to a URL: its method, and its headers with those that curl adds of its own accord. A
 * command for another URL, which asks for the signed one for example, tells nothing.
 */
export function curlRequest(place: UrlPlace): SentParts | undefined {
  const variable = variableOf(place);
  for (const { words } of curlCommands(place.text)) {
    for (const some of requestsIn(words)) {
      const command = readCommand(some);
      if (command.urls.some((word) => isUrlAt(word, place, variable))) return requestOf(command);
    }
  }
  return undefined;
}

/** The URL that a command puts together, with -G of its data, with `--url-query`, and its request. Nothing where a part of it is not told. */
export function composedRequest(text: string): (SentParts & { readonly url: string }) | undefined {
  for (const { words } of curlCommands(text)) {
    for (const some of requestsIn(words)) {
      const command = readCommand(some);
      const { urls, query, data, dataInQuery, hasOpenQuery } = command;
      const parts = [...(dataInQuery === true ? data : []), ...query];
      const [url] = urls;
      if (url === undefined || url.isOpen || parts.length === 0 || hasOpenQuery === true) continue;
      const base = /^https?:\/\//i.test(url.text) ? url.text : `https://${url.text}`;
      return { url: `${base}${base.includes("?") ? "&" : "?"}${parts.join("&")}`, ...requestOf(command) };
    }
  }
  return undefined;
}

/** A text without the commands in it, in which logins stand. */
export function withoutCurl(text: string): string {
  let rest = "";
  let at = 0;
  for (const { start, end } of curlCommands(text)) {
    rest += `${text.slice(at, start)} `;
    at = end;
  }
  return rest + text.slice(at);
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

/** A command makes several requests with `--next` between their options. */
function requestsIn(words: readonly ShellWord[]): readonly (readonly ShellWord[])[] {
  const ends = [...words.keys()].filter((i) => /^(?:--next|-:)$/.test(words[i]?.text ?? ""));
  return [...ends, words.length].map((end, i) => words.slice(i === 0 ? 0 : (ends[i - 1] as number) + 1, end));
}

function readCommand(words: readonly ShellWord[]): Command {
  const command: Command = { headers: [], left: new Set(), urls: [], query: [], data: [] };
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

function requestOf(command: Command): SentParts {
  const { method, implied, type, dataInQuery, headers, left, hasOpenHeaders, hasOpenMethod } = command;
  const hasType = left.has("content-type") || headers.some(([name]) => name.toLowerCase() === "content-type");
  const own = type === undefined || dataInQuery === true || hasType ? [] : [["content-type", type] as const];
  return {
    method: hasOpenMethod === true ? undefined : (method ?? (dataInQuery === true ? "GET" : implied) ?? "GET"),
    headers: hasOpenHeaders === true ? undefined : headerRecord([...headers, ...own]),
  };
}

/** `--name`, `--name=value`, and letters together, the last of which may have its value behind it: `-sSXPUT`. */
function* optionsIn(word: string): Generator<readonly [name: string, inline: string | undefined]> {
  const [, long, value] = /^--([a-z0-9-]+?)(?:=(.*))?$/s.exec(word) ?? [];
  if (long !== undefined) {
    yield [
      /^data-(?!urlencode$)/.test(long)
        ? "data"
        : /^form-/.test(long)
          ? "form"
          : /^expand-(?!url$)/.test(long)
            ? "config"
            : long,
      value,
    ];
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

/** `Name: value`, `Name;` for one without a value, and `Name:` for one that curl must not send. */
function addLine(command: Command, { text, isOpen }: Value): void {
  const { headers, left } = command;
  const [, name = "", mark, value = ""] = /^([^:;]+)([:;])\s*(.*)$/s.exec(text) ?? [];
  // Of a login no more than its kind is read.
  if (isOpen && !/^\s*authorization\s*$/i.test(name)) command.hasOpenHeaders = true;
  if (text.startsWith("@")) command.hasOpenHeaders = true;
  else if (mark === ":" && value.trim() === "") left.add(name.trim().toLowerCase());
  else if (mark !== undefined) headers.push([name.trim(), mark === ":" ? value : ""]);
}

function withBody(command: Command, type: string): void {
  command.implied ??= "POST";
  command.type ??= type;
}

/** `@` in front stands for a file, whose content nobody has told. */
function addData(command: Command, { text, isOpen }: Value, to: string[]): void {
  if (isOpen || text.startsWith("@")) command.hasOpenQuery = true;
  else to.push(text);
}

/** `name=content` and `content` are encoded, `+content` is not, `name@file` is told by a file. */
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
