import { isIP } from "node:net";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { isDaypassError } from "daypass";
import { instant } from "daypass/schemes";
import { UsageError } from "./command.ts";
import { didYouMean } from "./nearest-name.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** The parsed arguments, typed by the options. */
export type ParsedArguments<O extends Options> = ReturnType<
  typeof parseArgs<{ options: O; allowPositionals: true; strict: true }>
>;

/** Parses arguments. Refuses unknown options, missing values, and an option that is given twice but counts once. */
export function parseArguments<const O extends Options>(args: readonly string[], options: O): ParsedArguments<O> {
  const { tokens } = parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true });
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    const option = options[name];
    if (option === undefined)
      throw new UsageError(`${rawName} is not an option${didYouMean(name, Object.keys(options), "--")}`);
    if (option.type === "boolean") {
      if (value !== undefined) throw new UsageError(`${rawName} takes no value. Write ${rawName} alone`);
      continue;
    }
    if (value === undefined) throw new UsageError(`${rawName} needs a value`);
    // A dash alone is standard input.
    if (token.inlineValue !== true && /^-./.test(value)) {
      throw new UsageError(
        `${rawName} needs a value, and ${value} looks like an option. If it is the value, write ${rawName}=${value}`,
      );
    }
    if (seen.has(name) && option.multiple !== true)
      throw new UsageError(`${rawName} is given twice, and only one would be used. Leave one out`);
    seen.add(name);
  }
  return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
}

/** The one argument of a command. `missing` is the whole error if it is missing. */
export function oneArgument([first, ...more]: readonly string[], missing: string): string {
  if (first === undefined) throw new UsageError(missing);
  if (more.length === 0) return first;
  throw new UsageError(`there are ${more.length + 1} arguments instead of one. Quote a URL, which the shell cuts at &`);
}

/** Returns the text of an option if it is valid. An unset variable makes an empty text. */
function expectText(option: string, text: string, [isValid, expected]: readonly [boolean, string]): string {
  if (isValid) return text;
  throw new UsageError(`${option} is ${text === "" ? "empty" : JSON.stringify(text)}. Pass ${expected}`);
}

const UNIT_SECONDS = { "": 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** No scheme has a longer lifetime, and later dates have years of five digits. */
const A_CENTURY = 36_500 * UNIT_SECONDS.d;

/** Reads a duration such as `90`, `90s`, `15m`, `12h`, `7d` or `1w` as seconds. */
export function duration(option: string, text: string): number {
  const [, digits, unit] = /^(\d{1,9})([smhdw]?)$/.exec(text) ?? [];
  expectText(option, text, [digits !== undefined, "a number and a unit, for example 90s, 15m, 12h or 7d"]);
  const seconds = Number(digits) * UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS];
  expectText(option, text, [seconds <= A_CENTURY, "at most 36500d"]);
  return seconds;
}

/** Reads a positive duration. A lifetime of zero is a mistake. */
export function positiveDuration(option: string, text: string): number {
  const seconds = duration(option, text);
  expectText(option, text, [seconds > 0, "at least one second"]);
  return seconds;
}

/** Reads an instant such as `2026-01-02T03:04:05Z`. */
export function moment(option: string, text: string): Date {
  try {
    return instant(option, text);
  } catch (error) {
    throw isDaypassError(error) ? new UsageError(error.message) : error;
  }
}

/** Reads one method of an option that can be repeated. */
export function httpMethod(option: string, text: string): string {
  const advice = "one method such as GET, and repeat the option for another method";
  return expectText(option, text, [/^[A-Za-z]+$/.test(text), advice]).toUpperCase();
}

/** Reads the method of a request. */
export function requestMethod(option: string, text: string): string {
  return expectText(option, text, [/^[A-Z]+$/.test(text), "a method in upper case such as GET"]);
}

/** Reads the SHA-256 of a body. */
export function sha256Hex(option: string, text: string): string {
  return expectText(option, text.slice(0, 80), [/^[0-9a-f]{64}$/.test(text), "64 lower-case hex digits"]);
}

/** Reads the address of a client. */
export function ipAddress(option: string, text: string): string {
  return expectText(option, text, [isIP(text) !== 0, "an IP address such as 192.0.2.1"]);
}

/** Reads an origin. With `wildcard`, `*.` before the host stands for any bucket. */
export function httpOrigin(option: string, text: string, options: { readonly wildcard?: boolean } = {}): string {
  const plain = options.wildcard === true ? text.replace("://*.", "://") : text;
  const isOrigin = /^https?:\/\/[^/?#@*\s]+$/.test(plain) && URL.canParse(plain);
  return expectText(option, text, [isOrigin, "an origin such as https://host"]);
}

/** Reads the origin of a page. Files and sandboxed frames have the origin `null`. */
export function pageOrigin(option: string, text: string): string {
  return text === "null" ? text : exactOrigin(option, text);
}

/** Reads an origin as browsers send it: lower case, without default port and path. */
export function exactOrigin(option: string, text: string): string {
  const { origin } = new URL(httpOrigin(option, text));
  return expectText(option, text, [origin === text, `${origin}, as browsers write it`]);
}

/** Reads the address of a server, `scheme://host[:port][/path]`. The signer checks the rules of its scheme. */
export function serverAddress(option: string, text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw new UsageError(`${option} is not a URL. Pass the scheme and the host, such as http://127.0.0.1:8080`);
}

/** Reads a whole number within limits. */
export function wholeNumber(
  option: string,
  text: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  expectText(option, text, [number >= min && number <= max, `a whole number from ${min} to ${max}`]);
  return number;
}

const UNIT_BYTES = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** Reads a number of bytes such as `1000000`, `64KiB` or `1GB`, within limits. As in SI and IEC, kB is 1000 bytes and KiB 1024; case does not count. */
export function byteCount(
  option: string,
  text: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const [, digits, unit = ""] = /^(\d{1,15})(b|[kmgt]i?b)?$/i.exec(text) ?? [];
  const bytes = Number(digits) * UNIT_BYTES[unit.toLowerCase() as keyof typeof UNIT_BYTES];
  const advice = `a whole number of bytes from ${min} to ${max}, with or without a unit: kB, MB, GB, TB (1GB is 10^9), KiB, MiB, GiB or TiB`;
  expectText(option, text, [bytes >= min && bytes <= max, advice]);
  return bytes;
}

/** Reads one of several words. */
export function word<const W extends string>(option: string, text: string | undefined, words: readonly W[]): W {
  const found = words.find((candidate) => candidate === text);
  if (found !== undefined) return found;
  const shown = text ? JSON.stringify(text) : "missing";
  throw new UsageError(`${option} is ${shown}${didYouMean(text ?? "", words) || `. Pass ${words.join(", ")}`}`);
}

/** Reads repeated `name=value` or `name: value` options. A repeated name keeps all values. */
export function pairs(
  option: string,
  texts: readonly string[] | undefined,
  separator: "=" | ":",
): Readonly<Record<string, string | readonly string[]>> | undefined {
  if (texts === undefined) return undefined;
  const map = new Map<string, string | readonly string[]>();
  for (const text of texts) {
    const end = text.indexOf(separator);
    expectText(option, text, [end > 0, `name${separator}value`]);
    const name = text.slice(0, end);
    const value = separator === ":" ? text.slice(end + 1).trim() : text.slice(end + 1);
    const before = map.get(name);
    map.set(name, before === undefined ? value : [before, value].flat());
  }
  return Object.fromEntries(map);
}

/** Returns the text after `read` has accepted it. */
export function checked(text: string | undefined, read: (text: string) => unknown): string | undefined {
  if (text !== undefined) read(text);
  return text;
}

/** The result of `read`, if the option is given. */
export function mapped<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text);
}
