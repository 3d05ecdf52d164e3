import type { QueryToken } from "../core/contracts.ts";
import { refusal } from "../core/errors.ts";
import { parseEpoch } from "../core/time.ts";
import { malformed, type Parameter } from "../wire/parameters.ts";
import { checkRoutable } from "../wire/path-safety.ts";
import { formDecode, MAX_TOKENS, percentDecode } from "../wire/raw-target.ts";

/** A query without the parameters of a token, and the token's parameters as on the wire. */
export interface TokenQuery<N extends string> {
  readonly own: Readonly<Partial<Record<N, string>>>;
  readonly others: readonly QueryToken[];
}

/** How the names of parameters are compared. */
export interface NameMatch {
  /** `true` for servers that read `MD5` as `md5`. */
  readonly ignoreCase?: boolean;
}

/**
 * Takes a token's own parameters out of a query. Each may occur once, with a value, and spelt as documented: servers
 * differ in which of two they read, and in whether they read `%65xpires`.
 */
export function takeTokens<N extends string>(
  tokens: readonly QueryToken[],
  names: readonly N[],
  match: NameMatch = {},
): TokenQuery<N> {
  const own: Partial<Record<N, string>> = {};
  const others: QueryToken[] = [];
  for (const token of tokens) {
    const name = tokenName(token.name, names, match);
    if (name === undefined) {
      others.push(token);
      continue;
    }
    if (token.name !== name || !token.value) throw malformed(name, "form", "spelt so, and with a value");
    if (own[name] !== undefined) throw malformed(name, "duplicate", "one parameter");
    own[name] = token.value;
  }
  return { own, others };
}

/** Whether a query has one of these names. Misspelt names count, because parsing refuses them. */
export function hasToken(target: string, names: readonly string[], match: NameMatch = {}): boolean {
  const mark = target.indexOf("?");
  if (mark < 0) return false;
  return target
    .slice(mark + 1)
    .split("&", MAX_TOKENS)
    .some((text) => tokenName(text.split("=", 1)[0] as string, names, match) !== undefined);
}

function tokenName<N extends string>(
  name: string,
  names: readonly N[],
  { ignoreCase = false }: NameMatch,
): N | undefined {
  const plain = ignoreCase ? decodeOr(name).toLowerCase() : decodeOr(name);
  return names.find((own) => (ignoreCase ? own.toLowerCase() : own) === plain);
}

function decodeOr(name: string): string {
  if (!name.includes("%")) return name;
  try {
    return percentDecode(name);
  } catch {
    return name;
  }
}

/** Path and query as one target. */
export function joinTarget(path: string, query: string): string {
  return query === "" ? path : `${path}?${query}`;
}

/** The expiry in a parameter, or `undefined` for an absent one. */
export function readExpiry(name: string, text: string | undefined): Date | undefined {
  const expiresAt = text === undefined ? undefined : parseEpoch(text);
  if (text !== undefined && expiresAt === undefined)
    throw malformed(name, "form", "the end in whole seconds since 1970");
  return expiresAt;
}

/** Refuses spaces, control characters and bytes above ASCII. */
export function checkVisible(name: string, text: string): void {
  if (!/^[\x21-\x7e]*$/.test(text)) throw malformed(name, "form", "visible ASCII");
}

/** Decodes the parameters that no signature covers. Each must be in `allowed`, because the holder chooses its value. */
export function unsignedParameters(
  tokens: readonly QueryToken[],
  allowed: readonly string[] = [],
): readonly Parameter[] {
  return tokens.map(({ name, value = "" }) => {
    const decoded = formDecode(name);
    // `allowed` may be a text in JavaScript: `includes` of a text would accept parts of the name.
    if ([allowed].flat().includes(decoded)) return [decoded, formDecode(value)];
    throw refusal(
      "UNSIGNED_PARAMETER",
      `the parameter ${decoded} is not signed. If it may vary, list it in allowUnsigned`,
      {
        parameter: decoded,
      },
    );
  });
}

/**
 * For tokens that are valid for several paths: refuses a path that servers may read in two ways, or that a second decoding
 * would change. Otherwise, a grant for everything below `/hls/` would open `/hls/%252e%252e/secret`.
 */
export function checkBelow(path: string): void {
  checkRoutable(path);
  if (/%25[0-9A-F]{2}/i.test(path)) throw malformed("path", "form", "a path encoded once");
}

/** Whether a path or URL is the prefix or below it. Some providers compare texts, so that `/a` would open `/ab`. */
export function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
}
