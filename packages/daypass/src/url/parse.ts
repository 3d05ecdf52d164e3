import type { ReceivedRequest, WireRequest } from "../scheme.ts";
import { headerValues, type QueryToken } from "../wire.ts";
import type { UrlCanonical } from "./canonical.ts";
import { hasReserved, isPath, isQuery, MAX_TARGET } from "./grammar.ts";
import {
  fault,
  PARAMETERS,
  type ParameterName,
  type RawParameters,
  REQUIRED_PARAMETERS,
  readParameters,
  signedPath,
  type UrlParameters,
} from "./parameters.ts";

/** A request with a Daypass URL, read strictly. Nothing in it has been verified. */
export interface ParsedUrl {
  readonly canonical: UrlCanonical;
  readonly parameters: UrlParameters;
  /** The signed tokens that are no `dp-*` parameter, in wire order. */
  readonly tokens: readonly QueryToken[];
}

/** Tells by parameter names whether a request carries a Daypass URL, even one that is misspelt and will be refused. */
export function detectUrl({ target }: WireRequest): boolean {
  const mark = target.indexOf("?");
  return mark >= 0 && hasReserved(target.slice(mark + 1));
}

/** Reads the grammar of the specification, sections 2 and 3. Throws `MALFORMED`. */
export function parseUrl({ request, wire, origin }: ReceivedRequest): ParsedUrl {
  if (request.target.length > MAX_TARGET) throw malformed("target", "length", `at most ${MAX_TARGET} bytes`);
  if (!isPath(wire.path)) throw malformed("path", "form", "its one spelling, without empty, dot or disguised segments");
  if (!isQuery(wire.query)) throw malformed("query", "form", "RFC 3986 characters, UTF-8 and no empty parameter");

  const { raw, params, others } = sortTokens(wire.tokens);
  const parameters = readParameters(raw, "MALFORMED");
  const { "dp-prefix": prefix, "dp-vary": vary, "dp-headers": headers } = parameters;
  const tokens = vary === undefined ? others : others.filter(({ name }) => !vary.includes(name));
  return {
    canonical: {
      origin,
      kind: prefix === undefined ? "exact" : "prefix",
      path: signedPath(wire.path, prefix, "MALFORMED"),
      query: tokens.map(rawToken).join("&"),
      params,
      headers: headers === undefined ? "" : headers.map((name) => headerLine(request, name)).join(""),
    },
    parameters,
    tokens,
  };
}

function rawToken({ name, value }: QueryToken): string {
  return value === undefined ? name : `${name}=${value}`;
}

/** Rules 2.5 and 2.6: tells parameters from other tokens. */
function sortTokens(tokens: readonly QueryToken[]): {
  readonly raw: RawParameters;
  readonly params: string;
  readonly others: readonly QueryToken[];
} {
  const raw: RawParameters = {};
  const others: QueryToken[] = [];
  let params = "";
  let last = "";
  for (const token of tokens) {
    const { name, value } = token;
    if (!hasReserved(name)) {
      others.push(token);
      continue;
    }
    if (value === undefined || !Object.hasOwn(PARAMETERS, name)) {
      throw malformed(name, "unknown", "a documented parameter");
    }
    if (name <= last) throw malformed(name, "order", "one parameter, in ascending order");
    last = name;
    raw[name as ParameterName] = value;
    if (name !== "dp-signature") params += `${params === "" ? "" : "&"}${name}=${value}`;
  }
  for (const name of REQUIRED_PARAMETERS)
    if (raw[name] === undefined) throw malformed(name, "missing", "a parameter of every URL");
  return { raw, params, others };
}

/** Rule 3.7: "The request carries each named header exactly once". */
function headerLine({ headers }: WireRequest, name: string): string {
  const [value = "\n", second] = headerValues(headers, name);
  const trimmed = trimBlank(value);
  if (second === undefined && /^[ -~]*$/.test(trimmed)) return `${name}:${trimmed}\n`;
  throw malformed(`header ${name}`, "form", "one header in printable ASCII");
}

/** A header's value without spaces and tabs at both ends; `trim` would take more than RFC 9110 section 5.5 does. */
export function trimBlank(value: string): string {
  let start = 0;
  let end = value.length;
  while (isBlank(value[start])) start++;
  while (end > start && isBlank(value[end - 1])) end--;
  return value.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}

function malformed(parameter: string, problem: string, expected: string): Error {
  return fault("MALFORMED", parameter, problem, expected);
}
