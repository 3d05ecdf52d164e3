import { refusal } from "../core/errors.ts";
import { malformed, type Parameter } from "../wire/parameters.ts";
import { checkRoutable } from "../wire/path-safety.ts";
import { formDecode, MAX_TOKENS, percentDecode, type QueryToken } from "../wire/raw-target.ts";

/** A query without the parameters of a token, and the token's parameters as they stand on the wire. */
export interface TokenQuery<N extends string> {
  readonly own: Readonly<Partial<Record<N, string>>>;
  readonly others: readonly QueryToken[];
}

/** How the names of parameters are compared. */
export interface NameMatch {
  /** As a server does for which `MD5` is `md5`. */
  readonly ignoreCase?: boolean;
}

/**
 * Takes a token's own parameters out of a query. Each is there at most once, with a value, and spelt as documented: a
 * second one, or `%65xpires`, would be read by some servers and not by others.
 */
export function takeTokens<N extends string>(
  tokens: readonly QueryToken[],
  names: readonly N[],
  match: NameMatch = {},
): TokenQuery<N> {
  const own: Partial<Record<N, string>> = {};
  const others: QueryToken[] = [];
  for (const token of tokens) {
    const name = tokenName(token, names, match);
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

/** Whether a query has one of these names, even one that is misspelt and will be refused, as too many parameters are. */
export function hasToken(target: string, names: readonly string[], match: NameMatch = {}): boolean {
  const mark = target.indexOf("?");
  if (mark < 0) return false;
  return target
    .slice(mark + 1)
    .split("&", MAX_TOKENS)
    .some((text) => tokenName({ name: text.split("=", 1)[0] as string, value: undefined }, names, match) !== undefined);
}

function tokenName<N extends string>(
  { name }: QueryToken,
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

/**
 * Decodes the parameters that no signature covers, each of which has to be in `allowed`: whoever holds the URL chooses
 * their values.
 */
export function unsignedParameters(
  tokens: readonly QueryToken[],
  allowed: readonly string[] = [],
): readonly Parameter[] {
  return tokens.map(({ name, value = "" }) => {
    const decoded = formDecode(name);
    // A text is one name: a part of it would do for `includes`.
    if ([allowed].flat().includes(decoded)) return [decoded, formDecode(value)];
    throw refusal("UNSIGNED_PARAMETER", `signed parameters, found ${decoded}: list it in allowUnsigned`, {
      parameter: decoded,
    });
  });
}

/**
 * For tokens that are for more than one path: refuses one that servers may read in two ways, or that another decoding turns
 * into another path. A grant for all below `/hls/` would else open `/hls/%252e%252e/secret`.
 */
export function checkBelow(path: string): void {
  checkRoutable(path);
  if (/%25[0-9A-F]{2}/i.test(path)) throw malformed("path", "form", "a path encoded once");
}
