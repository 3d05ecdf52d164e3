import type { QueryToken, ReceivedRequest, WireRequest } from "../../core/contracts.ts";
import { unchecked } from "../../core/unchecked.ts";
import { groupHeaders, joinTokens, trimBlank } from "../../wire/raw-target.ts";
import { fixedPath, hasReserved, isPath, isQuery, MAX_TARGET, type UrlCanonical } from "./canonical.ts";
import {
  checkTogether,
  demand,
  isParameter,
  PARAMETERS,
  REQUIRED_PARAMETERS,
  readValue,
  type UrlParameters,
} from "./parameters.ts";

/** A request with a Daypass URL, read strictly. Nothing in it has been verified. */
export interface ParsedUrl {
  readonly canonical: UrlCanonical;
  readonly parameters: UrlParameters;
  /** The signed tokens that are no `dp-*` parameter, in wire order. */
  readonly tokens: readonly QueryToken[];
}

/** Returns, by parameter names, whether a request has a Daypass URL, even a misspelt one, which is refused later. */
export function detectUrl({ target }: Pick<WireRequest, "target">): boolean {
  const mark = target.indexOf("?");
  return mark >= 0 && hasReserved(target.slice(mark + 1));
}

/** What the parser reads of a request. */
export interface UrlRequest extends Pick<ReceivedRequest, "wire" | "origin"> {
  readonly request: Pick<WireRequest, "target" | "headers">;
  readonly wildcard?: string;
}

/**
 * Reads the grammar of the specification, sections 2 and 3. Signing and verifying both read with this: what it does not
 * let pass is neither made nor accepted. Throws `MALFORMED`.
 */
export function parseUrl({ request: { target, headers }, wire, origin }: UrlRequest): ParsedUrl {
  const { path } = wire;
  demand(target.length <= MAX_TARGET, "target", "length", `at most ${MAX_TARGET} bytes`);
  demand(isPath(path), "path", "form", "its one spelling: no empty or dot segments, %XX only where needed");
  demand(isQuery(wire.query), "query", "form", "UTF-8 in RFC 3986 characters, ' as %27, without empty parameters");
  const { parameters, params, others } = sortTokens(wire.tokens);
  checkTogether(parameters);
  const { "dp-prefix": prefix, "dp-vary": vary, "dp-headers": names = [] } = parameters;
  const fixed = prefix === undefined ? path : fixedPath(path, prefix);
  demand(fixed !== undefined, "dp-prefix", "path", 'fewer segments than the path has, and below them no ";" or %25XX');
  const received = groupHeaders(names.length > 0 ? headers : []);
  const tokens = vary ? others.filter(({ name }) => !vary.includes(name)) : others;
  return {
    canonical: {
      origin,
      kind: prefix === undefined ? "exact" : "prefix",
      path: fixed,
      query: joinTokens(tokens),
      params: joinTokens(params),
      headers: names.map((name) => headerLine(name, received.get(name))).join(""),
    },
    parameters,
    tokens,
  };
}

/** Rules 2.5 and 2.6: separates parameters from other tokens. */
function sortTokens(tokens: readonly QueryToken[]): {
  readonly parameters: UrlParameters;
  readonly params: readonly QueryToken[];
  readonly others: readonly QueryToken[];
} {
  const parameters: Record<string, unknown> = {};
  const others: QueryToken[] = [];
  const params: QueryToken[] = [];
  let last = "";
  for (const token of tokens) {
    const { name, value } = token;
    if (hasReserved(name)) {
      demand(value !== undefined && isParameter(name), name, "unknown", "a documented parameter");
      demand(name > last, name, "order", "one parameter, in ascending order");
      last = name;
      parameters[name] = readValue(name, value);
      demand(parameters[name] !== undefined, name, "form", PARAMETERS[name].text);
      if (name !== "dp-signature") params.push(token);
    } else others.push(token);
  }
  for (const name of REQUIRED_PARAMETERS) {
    demand(parameters[name] !== undefined, name, "missing", "a parameter of every URL");
  }
  return { parameters: unchecked(parameters), params, others };
}

/** Rule 3.7: "The request carries each named header exactly once". */
function headerLine(name: string, values: readonly string[] = []): string {
  const [value = "\n", second] = values.map(trimBlank);
  demand(second === undefined && /^[ -~]*$/.test(value), `header ${name}`, "form", "one header in printable ASCII");
  return `${name}:${value}\n`;
}
