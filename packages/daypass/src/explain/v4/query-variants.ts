import type { QueryToken } from "../../core/contracts.ts";
import { canonicalQuery, type EncodedPair } from "../../core/v4.ts";
import { uriEncode } from "../../wire/encoding.ts";
import { formDecode, percentDecode } from "../../wire/raw-target.ts";
import { decodeOr } from "../decoded.ts";
import { nameOf as nameIn } from "../parameters.ts";
import { addedTogether } from "../search/added-parameters.ts";
import type { Variant } from "../search/search.ts";
import { lostPluses } from "../search/spellings.ts";
import { spelt } from "../search/text-variants.ts";
import { canonicalPairs, queryOf, type V4Input } from "./input.ts";

const TOKENS = ["X-Amz-Security-Token", "X-Amz-S3session-Token"] as const;
const SPELLING_FIX =
  "Encode names and values by RFC 3986 (a space is %20, a plus is %2B), sort them by code unit, and send them so.";
const QUERY_FIX = "Put every parameter into the request before it is signed, and add or change none afterwards.";

/** The parts of an input that its parameters determine. */
export type V4Query = Pick<V4Input, "tokens" | "query">;

/** Another query. A spelling can equal the query of the input. */
export interface V4QueryVariant extends Variant<V4Query> {
  readonly isSpelling?: true;
}

/** Changes of the query: fewer or more parameters, and other spellings. They depend on the parameters alone. */
export function* v4QueryVariants(
  { dialect, tokens }: Pick<V4Input, "dialect" | "tokens">,
  sessionTokens: readonly string[],
): Generator<V4QueryVariant> {
  const isOwn = (name: string): boolean => name.startsWith(dialect.prefix);
  const nameOf = ({ name }: QueryToken): string => decodeOr(name, formDecode);
  const change = (next: readonly QueryToken[], [signed, seen]: readonly [string, string], fix = QUERY_FIX) => ({
    code: "QUERY" as const,
    input: { tokens: next, query: queryOf(next) },
    signed,
    seen,
    fix,
  });
  const without = (rest: readonly QueryToken[], what: string): V4QueryVariant =>
    change(rest, [
      `The query ${what} added after signing.`,
      `The query ${what.replace(/ was$| were$/, "")} did not reach the server.`,
    ]);
  for (const token of tokens) {
    const name = nameOf(token);
    if (isOwn(name) && !dialect.optional.test(name)) continue;
    const variant = without(
      tokens.filter((other) => other !== token),
      `parameter ${name} was`,
    );
    const fix = "S3 signs the session token: give it to the signer with the key.";
    yield TOKENS.some((token) => token === name) ? { ...variant, code: "TOKEN_AFTER_SIGNING", fix } : variant;
  }
  for (const { token, other } of otherParts(tokens)) {
    yield change(
      tokens.map((one) => (one === token ? { ...token, value: other } : one)),
      [
        `The query parameter partNumber was changed after signing, from ${other} to ${token.value}.`,
        `The server saw partNumber=${other}, and the URL says ${token.value}.`,
      ],
      "Each part of an upload needs its own URL: sign one for every partNumber.",
    );
  }
  for (const { rest, names } of addedTogether(tokens, { nameOf, isOwn }))
    yield without(rest, `parameters ${names} were`);
  const own = tokens.filter(({ name }) => isOwn(name));
  if (own.length < tokens.length - 1) yield without(own, `parameters other than ${dialect.prefix}* were`);
  for (const [what, query] of querySpellings(tokens)) {
    yield {
      ...spelt({
        code: "QUERY",
        input: { tokens, query },
        what: "query",
        how: `in another spelling: ${what}`,
        fix: SPELLING_FIX,
      }),
      isSpelling: true,
    };
  }
  for (const missing of [...dialect.lost, ...sessionTokens.map((token) => `${TOKENS[0]}=${uriEncode(token)}`)]) {
    const isToken = missing.startsWith(TOKENS[0]);
    const what = isToken ? TOKENS[0] : missing;
    const lost = missing.split("&").map((pair) => ({ name: nameIn(pair), value: pair.slice(pair.indexOf("=") + 1) }));
    yield {
      code: isToken ? "INVALID_TOKEN" : "QUERY",
      input: { tokens, query: queryOf([...tokens, ...lost]) },
      signed: `The query parameter ${what} was signed and is missing.`,
      seen: `The server saw the query parameter ${what}.`,
      fix: "Use the whole URL, and pass it on as it was made: no parameter may be dropped.",
    };
  }
}

/** Numbers of other parts: the neighbours and the first two. */
function otherParts(tokens: readonly QueryToken[]): readonly { readonly token: QueryToken; readonly other: string }[] {
  const token = tokens.find(({ name }) => name === "partNumber");
  const part = Number(token?.value);
  if (token === undefined || !Number.isInteger(part)) return [];
  const others = new Set([1, 2, part - 1, part + 1]);
  return [...others].filter((other) => other > 0 && other !== part).map((other) => ({ token, other: String(other) }));
}

function querySpellings(tokens: readonly QueryToken[]): readonly (readonly [what: string, query: string])[] {
  const pairs = canonicalPairs(tokens);
  const raw = tokens.map(({ name, value = "" }): EncodedPair => [name, value]);
  const canonical = canonicalQuery(pairs);
  const mapped = (change: (text: string) => string, from = pairs): string =>
    canonicalQuery(from.map(([name, value]): EncodedPair => [change(name), change(value)]));
  return [
    ["with %2B where the URL has a plain `+`", mapped((text) => text.replaceAll("+", "%2B"), raw)],
    ["with a plain `+` for a space", mapped((text) => text.replaceAll("%20", "+"))],
    ...lostPluses(canonical, "%20", "%2B").map((query) => ["with %2B where a space is sent", query] as const),
    ...lostPluses(canonical, "%2B", "%20").map((query) => ["with a space where %2B is sent", query] as const),
    ["with !'()* left unencoded", mapped((text) => text.replace(/%(?:21|27|28|29|2A)/g, percentDecode))],
    ["encoded twice", mapped(uriEncode)],
    ["decoded once more than it should be", mapped((text) => decodeOr(text, decodeTwice))],
    ["without any encoding", mapped((text) => decodeOr(text, formDecode))],
    ["with `/` left unencoded", mapped((text) => text.replaceAll("%2F", "/"))],
    ["with lower-case escapes (%2f)", mapped((text) => text.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()))],
    ["in the order of the URL instead of sorted", pairs.map((pair) => pair.join("=")).join("&")],
    [
      "sorted without regard to case",
      [...pairs]
        .sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
        .map((pair) => pair.join("="))
        .join("&"),
    ],
    ["without `=` after names that have no value", canonical.replace(/=(?=&|$)/g, "")],
    [
      "with each name once only",
      canonicalQuery(pairs.filter(([name], i) => pairs.findIndex((p) => p[0] === name) === i)),
    ],
  ];
}

function decodeTwice(text: string): string {
  return uriEncode(percentDecode(percentDecode(text)));
}
