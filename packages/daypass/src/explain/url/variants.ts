import { basicTime, parseBasicTime } from "../../core/time.ts";
import type { UrlCanonical } from "../../schemes/url/canonical.ts";
import { decodeOr } from "../decoded.ts";
import type { Subject } from "../explainer.ts";
import type { CauseCode } from "../explanation.ts";
import { nameOf } from "../parameters.ts";
import { removals } from "../search/added-parameters.ts";
import type { Variant } from "../search/search.ts";
import { pathSpellings } from "../search/spellings.ts";
import { originVariants, querySpellings, spelt } from "../search/text-variants.ts";
import { changedLives } from "../search/usual-lives.ts";

/** The likeliest first. The many hosts come last, so that the search for two changes reaches all others. */
export function* urlVariants(subject: Subject, input: UrlCanonical): Generator<Variant<UrlCanonical>> {
  yield* queryVariants(input);
  yield* pathVariants(input);
  yield* headerVariants(input);
  yield* lifeVariants(input);
  yield* originVariants(input, subject);
}

function variant(code: CauseCode, input: UrlCanonical, text: string, fix: string): Variant<UrlCanonical> {
  return { code, input, signed: text, seen: text, fix };
}

function* queryVariants(input: UrlCanonical): Generator<Variant<UrlCanonical>> {
  const tokens = input.query === "" ? [] : input.query.split("&");
  const without = (rest: readonly string[]): UrlCanonical => ({ ...input, query: rest.join("&") });
  for (const { rest, what } of removals(tokens, { nameOf, isOwn: () => false })) {
    const fix = "Leave out what was added, or let it vary when signing (vary).";
    yield variant("QUERY", without(rest), `The query ${what} added after signing.`, fix);
  }
  const sorted = [...tokens].sort().join("&");
  for (const [how, query] of [["in another order", sorted] as const, ...querySpellings(input.query)]) {
    if (query === input.query) continue;
    const fix = "Pass the query on byte for byte.";
    yield spelt({ code: "QUERY", input: { ...input, query }, what: "query", how, fix });
  }
  const text = "The query was changed after signing: none of it was signed.";
  if (tokens.length > 1) yield variant("QUERY", without([]), text, "Pass the query on byte for byte.");
}

function* pathVariants(input: UrlCanonical): Generator<Variant<UrlCanonical>> {
  for (const [, path] of pathSpellings(input.path, input.path)) {
    const text = `The path was changed after signing: it was ${path}.`;
    yield variant("PATH", { ...input, path }, text, "Pass the path on byte for byte.");
  }
}

/** Changes of a header by proxies and clients. The value may be secret, so no text shows it. */
function* headerVariants(input: UrlCanonical): Generator<Variant<UrlCanonical>> {
  const lines = input.headers.split("\n").slice(0, -1);
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(":"));
    const value = line.slice(name.length + 1);
    const others: readonly (readonly [how: string, value: string])[] = [
      ["empty", ""],
      ["in lower case", value.toLowerCase()],
      ["in upper case", value.toUpperCase()],
      ["without quotes around it", value.replace(/^"(.*)"$/, "$1")],
      ["with one space for several", value.replace(/ +/g, " ")],
      ["decoded", decodeOr(value)],
      ["percent-encoded", encodeURIComponent(value)],
      ["without its second part, behind a comma", value.replace(/,.*$/, "")],
      ["without its parameters, behind a semicolon", value.replace(/;.*$/, "")],
    ];
    for (const [how, other] of others) {
      if (other === value) continue;
      const headers = lines.map((text) => `${text === line ? `${name}:${other}` : text}\n`).join("");
      const fix = `Send ${name} with exactly the value that was signed, and let no proxy change it.`;
      yield spelt({ code: "HEADER", input: { ...input, headers }, what: `header ${name}`, how, fix });
    }
  }
}

function lifeVariants(input: UrlCanonical): Iterable<Variant<UrlCanonical>> {
  const [, date = ""] = /(?:^|&)dp-date=([^&]*)/.exec(input.params) ?? [];
  const [, end = ""] = /(?:^|&)dp-expires=([^&]*)/.exec(input.params) ?? [];
  const signedAt = parseBasicTime(date);
  return changedLives({
    ...{ name: "dp-expires", now: signedAt && end },
    ofLife: (seconds) => basicTime((signedAt?.getTime() ?? 0) + seconds * 1000),
    withLife: (other) => ({ ...input, params: input.params.replace(`dp-expires=${end}`, `dp-expires=${other}`) }),
  });
}
