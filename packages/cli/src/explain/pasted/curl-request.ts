import { headerRecord, type SentParts } from "./sent-parts.ts";
import { shellWords } from "./shell-words.ts";

/** What a command has said so far. */
interface Command {
  method?: string;
  /** The method that an option implies. */
  implied?: string;
  /** What curl would call the body of its own accord. */
  type?: string;
  dataInQuery?: boolean;
  readonly headers: (readonly [name: string, value: string])[];
  /** Headers that curl is told to leave out. */
  readonly left: Set<string>;
}

/** What the options mean that tell something of the request. All of them but the flags take a value. */
const OPTIONS: Readonly<Record<string, (command: Command, value: string) => void>> = {
  request: (command, value) => {
    command.method = value.toUpperCase();
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
  header: (command, line) => addLine(command, line),
  "user-agent": ({ headers }, value) => void headers.push(["user-agent", value]),
  referer: ({ headers }, value) => void headers.push(["referer", value]),
  // Without = it is the name of a file.
  cookie: ({ headers }, value) => void (value.includes("=") && headers.push(["cookie", value])),
  range: ({ headers }, value) => void headers.push(["range", `bytes=${value}`]),
  user: ({ headers }) => void headers.push(["authorization", "Basic"]),
  "oauth2-bearer": ({ headers }) => void headers.push(["authorization", "Bearer"]),
  form: (command) => withBody(command, "multipart/form-data"),
  json: (command) => withBody(command, "application/json"),
  data: (command) => withBody(command, "application/x-www-form-urlencoded"),
};

const FLAGS: ReadonlySet<string> = new Set(["head", "get"]);

const LETTERS: Readonly<Record<string, string>> = {
  ...{ X: "request", I: "head", G: "get", T: "upload-file", H: "header", A: "user-agent", e: "referer", b: "cookie" },
  ...{ r: "range", u: "user", F: "form", d: "data" },
};
/** Letters and names of further options that take a value. */
const VALUED_LETTERS = "oxmwcDKEzCUQPtyYh";
const VALUED =
  /^(?:output|proxy|max-time|connect-timeout|resolve|cacert|capath|cert|key|write-out|cookie-jar|dump-header|config|retry|retry-delay|interface|limit-rate|continue-at|connect-to|ciphers|proxy-user|noproxy|max-redirs|aws-sigv4|url|stderr|trace|trace-ascii|unix-socket|pass|proto|tls-max)$/;

/** The request that a curl command sends: its method, and its headers with those that curl adds of its own accord. */
export function curlRequest(text: string): SentParts | undefined {
  const found = /(?<![\w.-])curl(?:\.exe)?[ \t]+(?=\S)/i.exec(text);
  if (found === null) return undefined;
  const words = shellWords(text.slice(found.index + found[0].length));
  const command: Command = { headers: [], left: new Set() };
  for (let i = 0; i < words.length; i++) {
    for (const [name, inline] of optionsIn(words[i] as string)) {
      const takes = !FLAGS.has(name) && (Object.hasOwn(OPTIONS, name) || VALUED.test(name));
      const value = takes ? (inline ?? words[++i] ?? "") : "";
      if (Object.hasOwn(OPTIONS, name)) OPTIONS[name]?.(command, value);
    }
  }
  const { method, implied, type, dataInQuery, headers, left } = command;
  const hasType = left.has("content-type") || headers.some(([name]) => name.toLowerCase() === "content-type");
  const own = type === undefined || dataInQuery === true || hasType ? [] : [["content-type", type] as const];
  return {
    method: method ?? (dataInQuery === true ? "GET" : implied) ?? "GET",
    headers: headerRecord([...headers, ...own]),
  };
}

/** `--name`, `--name=value`, and letters together, the last of which may have its value behind it: `-sSXPUT`. */
function* optionsIn(word: string): Generator<readonly [name: string, inline: string | undefined]> {
  const [, long, value] = /^--([a-z0-9-]+?)(?:=(.*))?$/s.exec(word) ?? [];
  if (long !== undefined) {
    yield [/^data-/.test(long) ? "data" : /^form-/.test(long) ? "form" : long, value];
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
function addLine({ headers, left }: Command, line: string): void {
  const [, name = "", mark, value = ""] = /^([^:;]+)([:;])\s*(.*)$/s.exec(line) ?? [];
  if (mark === ":" && value.trim() === "") left.add(name.trim().toLowerCase());
  else if (mark !== undefined) headers.push([name.trim(), mark === ":" ? value : ""]);
}

function withBody(command: Command, type: string): void {
  command.implied ??= "POST";
  command.type ??= type;
}
