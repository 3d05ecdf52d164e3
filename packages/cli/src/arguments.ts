import { isIP } from "node:net";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { isDaypassError } from "daypass";
import { instant } from "daypass/schemes";
import { UsageError } from "./command.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** The result of `node:util`'s parser, typed by the options that were asked for. */
export type ParsedArguments<O extends Options> = ReturnType<
  typeof parseArgs<{ options: O; allowPositionals: true; strict: true }>
>;

/** Parses arguments strictly: an unknown option, one without its value, or one given twice of which one would count is wrong usage. */
export function parseArguments<const O extends Options>(args: readonly string[], options: O): ParsedArguments<O> {
  const { tokens } = parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true });
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const option = options[token.name];
    if (option === undefined) throw new UsageError(`expected a known option, found ${token.rawName}`);
    if (option.type !== "string") {
      refuseValue(token);
      continue;
    }
    expectValue(token);
    if (option.multiple === true) continue;
    if (seen.has(token.name))
      throw new UsageError(`expected ${token.rawName} once, found it twice: only one of them would be used`);
    seen.add(token.name);
  }
  return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
}

interface OptionToken {
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function refuseValue({ rawName, value }: OptionToken): void {
  if (value !== undefined) throw new UsageError(`expected ${rawName} without a value, found one`);
}

function expectValue({ rawName, value, inlineValue }: OptionToken): void {
  if (value === undefined) throw new UsageError(`expected a value after ${rawName}, found none`);
  // A dash alone is standard input.
  if (inlineValue !== true && /^-./.test(value)) {
    throw new UsageError(
      `expected a value after ${rawName}, found ${value}: if that is the value, write ${rawName}=${value}`,
    );
  }
}

const UNIT_SECONDS = { "": 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** No scheme has a longer life, and beyond it dates have years of five digits, or none. */
const A_CENTURY = 36_500 * UNIT_SECONDS.d;

/** Reads a duration such as `90`, `90s`, `15m`, `12h`, `7d` or `1w` as seconds. */
export function duration(option: string, text: string): number {
  const match = /^(\d{1,9})([smhdw]?)$/.exec(text);
  if (match === null)
    throw new UsageError(`expected ${option} as a duration such as 90s, 15m, 12h or 7d, found ${JSON.stringify(text)}`);
  const seconds = Number(match[1]) * UNIT_SECONDS[match[2] as keyof typeof UNIT_SECONDS];
  if (seconds <= A_CENTURY) return seconds;
  throw new UsageError(`expected ${option} of at most 36500d, found ${JSON.stringify(text)}`);
}

/** Reads an instant such as `2026-01-02T03:04:05Z`. */
export function moment(option: string, text: string): Date {
  try {
    return instant(option, text);
  } catch (error) {
    // In a line it is the line that is refused; here it is the command line.
    throw isDaypassError(error) ? new UsageError(error.message) : error;
  }
}

/** Reads the one method of an option that can be given again. */
export function httpMethod(option: string, text: string): string {
  if (/^[A-Z]+$/.test(text)) return text;
  throw new UsageError(
    `expected ${option} as one method in upper case such as GET, found ${JSON.stringify(text)}: repeat the option for another method`,
  );
}

/** Reads the method of a request. */
export function requestMethod(option: string, text: string): string {
  if (/^[A-Z]+$/.test(text)) return text;
  throw new UsageError(`expected ${option} as a method in upper case such as GET, found ${JSON.stringify(text)}`);
}

/** Reads the SHA-256 of a body. */
export function sha256Hex(option: string, text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new UsageError(`expected ${option} as 64 lower-case hex digits, found ${JSON.stringify(text.slice(0, 80))}`);
}

/** Reads the address of a client. */
export function ipAddress(option: string, text: string): string {
  if (isIP(text) !== 0) return text;
  throw new UsageError(`expected ${option} as an IP address such as 192.0.2.1, found ${JSON.stringify(text)}`);
}

/** Reads an origin; `*.` in front of the host stands for a bucket, where that is allowed. */
export function httpOrigin(option: string, text: string, options: { readonly wildcard?: boolean } = {}): string {
  const plain = options.wildcard === true ? text.replace("://*.", "://") : text;
  if (/^https?:\/\/[^/?#@*\s]+$/.test(plain) && URL.canParse(plain)) return text;
  throw new UsageError(`expected ${option} as an origin such as https://host, found ${JSON.stringify(text)}`);
}

/** Reads the origin of a page, as a browser sends it: a rule with anything else in it matches no page. */
export function pageOrigin(option: string, text: string): string {
  // Of a file, or of a frame in a sandbox.
  return text === "null" ? text : exactOrigin(option, text);
}

/** Reads an origin in the one spelling that is compared: lower case, no default port, nothing behind it. */
export function exactOrigin(option: string, text: string): string {
  const { origin } = new URL(httpOrigin(option, text));
  if (origin === text) return text;
  throw new UsageError(`expected ${option} as browsers write it, ${origin}, found ${JSON.stringify(text)}`);
}

/** Reads where a server is, `scheme://host[:port][/path]`. What else a scheme asks of it, its signer says. */
export function serverAddress(option: string, text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw new UsageError(`expected ${option} as a URL such as http://127.0.0.1:8080, found text that is not one`);
}

/** Reads a whole number within limits. */
export function wholeNumber(
  option: string,
  text: string,
  limits: { readonly min: number; readonly max: number },
): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= limits.min && number <= limits.max) return number;
  throw new UsageError(
    `expected ${option} as a whole number from ${limits.min} to ${limits.max}, found ${JSON.stringify(text)}`,
  );
}

/** Reads a word from a closed list. */
export function word<const W extends string>(option: string, text: string, words: readonly W[]): W {
  const found = words.find((candidate) => candidate === text);
  if (found !== undefined) return found;
  throw new UsageError(`expected ${option} as one of ${words.join(", ")}; found ${JSON.stringify(text)}`);
}

/** Reads repeated `name=value` or `name: value` options into a map; a name given twice keeps both values. */
export function pairs(
  option: string,
  texts: readonly string[] | undefined,
  separator: "=" | ":",
): Readonly<Record<string, string | readonly string[]>> | undefined {
  if (texts === undefined) return undefined;
  const map = new Map<string, string | readonly string[]>();
  for (const text of texts) {
    const end = text.indexOf(separator);
    if (end <= 0) throw new UsageError(`expected ${option} as name${separator}value, found ${JSON.stringify(text)}`);
    const name = text.slice(0, end);
    const value = separator === ":" ? text.slice(end + 1).trim() : text.slice(end + 1);
    const before = map.get(name);
    map.set(name, before === undefined ? value : [...(typeof before === "string" ? [before] : before), value]);
  }
  return Object.fromEntries(map);
}

/** The text of an option that `read` has not refused, as it was given. */
export function checked(text: string | undefined, read: (text: string) => unknown): string | undefined {
  if (text !== undefined) read(text);
  return text;
}

/** What `read` makes of an option, where it is given. */
export function mapped<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text);
}
