import { DaypassError } from "../errors.ts";
import type { ReceivedRequest, WireRequest } from "../scheme.ts";
import { parseBasicTime } from "../time.ts";
import { headerValues, type QueryToken } from "../wire.ts";
import { prefixPath, type UrlCanonical } from "./canonical.ts";
import {
  decodeText,
  hasReserved,
  isHeaderText,
  isReserved,
  MAX_TARGET,
  pathFault,
  queryFault,
  restFault,
  splitList,
} from "./grammar.ts";
import { compareNetworks, type Network, parseNetworkItem } from "./ip.ts";
import {
  CONTENT_PARAMETERS,
  HEADER_ITEM,
  METHOD_ITEM,
  PARAMETERS,
  type ParameterName,
  type ParameterValues,
  REQUIRED_PARAMETERS,
  RESPONSE_PARAMETERS,
  VARY_ITEM,
} from "./parameters.ts";

/** A request with a Daypass URL, read strictly. Nothing in it has been verified. */
export interface ParsedUrl {
  readonly canonical: UrlCanonical;
  readonly keyId: string;
  readonly signature: string;
  readonly signedAt: Date;
  readonly startsAt: Date | undefined;
  readonly expiresAt: Date;
  readonly methods: readonly string[];
  readonly audience: string | undefined;
  readonly subject: string | undefined;
  readonly networks: readonly Network[] | undefined;
  readonly signedHeaders: readonly string[];
  readonly contentType: string | undefined;
  readonly contentLength: { readonly min: number; readonly max: number } | undefined;
  readonly sha256: string | undefined;
  readonly createOnly: boolean;
  readonly nonce: string | undefined;
  readonly uses: number | undefined;
  readonly response: Readonly<Record<string, string>> | undefined;
  readonly vary: readonly string[];
  /** The signed tokens that are no `dp-*` parameter, in wire order. */
  readonly tokens: readonly QueryToken[];
}

/** Tells by parameter names whether a request carries a Daypass URL, even one that is misspelt and will be refused. */
export function detectUrl({ target }: WireRequest): boolean {
  const mark = target.indexOf("?");
  return mark >= 0 && hasReserved(target.slice(mark + 1));
}

/** Reads the grammar of the specification, sections 2 to 4. Throws `MALFORMED`. */
export function parseUrl({ request, wire, origin }: ReceivedRequest): ParsedUrl {
  if (request.target.length > MAX_TARGET) throw malformed("target", "too-long", `at most ${MAX_TARGET} bytes`);
  const fault = pathFault(wire.path) ?? queryFault(wire.query);
  if (fault !== undefined) throw new DaypassError("MALFORMED", `the URL is not in its one spelling: ${fault}`);

  const { values, params, others } = sortTokens(wire.tokens);
  const vary = list(values, "dp-vary", VARY_ITEM) ?? NONE;
  const tokens = vary.length === 0 ? others : others.filter(({ name }) => !vary.includes(name));
  const { path, kind } = signedPath(wire.path, values["dp-prefix"]);
  const { signedHeaders, headers } = readHeaders(request, list(values, "dp-headers", HEADER_ITEM) ?? NONE);
  const uses = values["dp-uses"] === undefined ? undefined : integer("dp-uses", values["dp-uses"]);
  if (uses !== undefined && values["dp-nonce"] === undefined) {
    throw malformed("dp-nonce", "missing", "dp-nonce beside dp-uses");
  }
  return {
    canonical: { origin, kind, path, query: tokens.map(rawToken).join("&"), params, headers },
    keyId: values["dp-key"] as string,
    signature: values["dp-signature"] as string,
    ...readTimes(values),
    methods: readMethods(values),
    audience: text(values, "dp-audience"),
    subject: text(values, "dp-subject"),
    networks: readNetworks(values["dp-ip"]),
    signedHeaders,
    contentType: headerText(values, "dp-type"),
    contentLength: readLength(values["dp-length"]),
    sha256: values["dp-sha256"],
    createOnly: values["dp-create"] !== undefined,
    nonce: values["dp-nonce"],
    uses,
    response: readResponse(values),
    vary,
    tokens,
  };
}

const NONE: readonly string[] = [];

/** A token as it stood on the wire. */
export function rawToken({ name, value }: QueryToken): string {
  return value === undefined ? name : `${name}=${value}`;
}

function sortTokens(tokens: readonly QueryToken[]): {
  readonly values: ParameterValues;
  readonly params: string;
  readonly others: readonly QueryToken[];
} {
  const values: ParameterValues = {};
  const others: QueryToken[] = [];
  let params = "";
  let last = "";
  for (const token of tokens) {
    const { name, value } = token;
    if (!isReserved(name)) {
      others.push(token);
      continue;
    }
    if (!Object.hasOwn(PARAMETERS, name)) {
      throw malformed(name, "unknown", "only the parameters of version 1, spelt as documented");
    }
    if (name <= last) throw malformed(name, "order", "each dp- parameter once, in ascending order of their names");
    if (value === undefined || !PARAMETERS[name as ParameterName].test(value)) throw badForm(name);
    values[name as ParameterName] = value;
    last = name;
    if (name !== "dp-signature") params += params === "" ? rawToken(token) : `&${rawToken(token)}`;
  }
  for (const name of REQUIRED_PARAMETERS) {
    if (values[name] === undefined) throw malformed(name, "missing", `${REQUIRED_PARAMETERS.join(", ")}`);
  }
  return { values, params, others };
}

function signedPath(
  path: string,
  prefix: string | undefined,
): { readonly path: string; readonly kind: "exact" | "prefix" } {
  if (prefix === undefined) return { path, kind: "exact" };
  const fixed = prefixPath(path, Number(prefix));
  if (fixed === undefined) throw malformed("dp-prefix", "too-deep", `a path with more than ${prefix} segments`);
  const fault = restFault(path.slice(fixed.length));
  if (fault !== undefined) throw malformed("dp-prefix", "rest", fault);
  return { path: fixed, kind: "prefix" };
}

function readTimes(values: ParameterValues): Pick<ParsedUrl, "signedAt" | "startsAt" | "expiresAt"> {
  const signedAt = time(values, "dp-date") as Date;
  const startsAt = time(values, "dp-starts");
  const expiresAt = time(values, "dp-expires") as Date;
  if (startsAt !== undefined && !(startsAt.getTime() > signedAt.getTime())) {
    throw malformed("dp-starts", "too-early", "dp-starts after dp-date, or none");
  }
  if (!(expiresAt.getTime() > (startsAt ?? signedAt).getTime())) {
    throw malformed("dp-expires", "too-early", "dp-expires after dp-date and dp-starts");
  }
  return { signedAt, startsAt, expiresAt };
}

function time(values: ParameterValues, name: "dp-date" | "dp-starts" | "dp-expires"): Date | undefined {
  const value = values[name];
  if (value === undefined) return undefined;
  const instant = parseBasicTime(value);
  if (instant === undefined) throw malformed(name, "form", "a real instant as YYYYMMDDTHHMMSSZ");
  return instant;
}

function readMethods(values: ParameterValues): readonly string[] {
  const methods = list(values, "dp-methods", METHOD_ITEM) ?? NONE;
  if (!methods.includes("GET")) {
    if (!methods.includes("HEAD")) return methods;
  } else if (methods.includes("HEAD")) {
    throw malformed("dp-methods", "form", "no HEAD beside GET, which implies it");
  }
  for (const name of CONTENT_PARAMETERS) {
    if (values[name] !== undefined) throw malformed(name, "method", "no parameter about content beside GET or HEAD");
  }
  return methods.includes("GET") ? [...methods, "HEAD"] : methods;
}

// "value trimmed, 0x20-0x7e, exactly one field, else refused"
function readHeaders(
  request: WireRequest,
  names: readonly string[],
): { readonly signedHeaders: readonly string[]; readonly headers: string } {
  let headers = "";
  for (const name of names) {
    const [value, second] = headerValues(request.headers, name);
    if (value === undefined || second !== undefined) {
      throw malformed(`header ${name}`, value === undefined ? "missing" : "duplicate", "the bound header exactly once");
    }
    const trimmed = trimSpace(value);
    if (!/^[\x20-\x7e]*$/.test(trimmed)) throw malformed(`header ${name}`, "form", "a value of printable ASCII");
    headers += `${name}:${trimmed}\n`;
  }
  return { signedHeaders: names, headers };
}

/** RFC 9110 section 5.5: a field value has no leading or trailing space or tab. */
export function trimSpace(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function readNetworks(value: string | undefined): readonly Network[] | undefined {
  if (value === undefined) return undefined;
  const networks: Network[] = [];
  for (const item of value.split(".")) {
    const network = parseNetworkItem(item);
    const last = networks.at(-1);
    if (network === undefined || (last !== undefined && compareNetworks(last, network) >= 0)) {
      throw malformed(
        "dp-ip",
        "form",
        "networks with host bits zero in ascending order, such as 203-0-113-0_24.2001-db8--_32",
      );
    }
    networks.push(network);
  }
  return networks;
}

function readLength(value: string | undefined): ParsedUrl["contentLength"] {
  if (value === undefined) return undefined;
  const [min, max = min] = value.split("-").map((number) => integer("dp-length", number)) as [number, number?];
  if (value.includes("-") && max <= min) throw malformed("dp-length", "form", "n, or min-max with min below max");
  return { min, max };
}

function integer(name: ParameterName, value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw malformed(name, "form", "an integer below 2^53");
  return number;
}

function readResponse(values: ParameterValues): Readonly<Record<string, string>> | undefined {
  let response: Record<string, string> | undefined;
  for (const [header, name] of Object.entries(RESPONSE_PARAMETERS)) {
    const value = headerText(values, name);
    if (value !== undefined) response = { ...response, [header]: value };
  }
  return response;
}

function list(values: ParameterValues, name: ParameterName, item: RegExp): readonly string[] | undefined {
  const value = values[name];
  if (value === undefined) return undefined;
  const items = splitList(value, item);
  if (items === undefined) throw malformed(name, "form", "a list in ascending order, joined by `.`, of allowed items");
  return items;
}

function text(values: ParameterValues, name: ParameterName): string | undefined {
  const value = values[name];
  if (value === undefined) return undefined;
  const decoded = decodeText(value);
  if (decoded === undefined) throw badForm(name);
  return decoded;
}

function headerText(values: ParameterValues, name: ParameterName): string | undefined {
  const decoded = text(values, name);
  if (decoded !== undefined && !isHeaderText(decoded)) throw malformed(name, "form", "visible ASCII without spaces");
  return decoded;
}

function badForm(name: string): DaypassError {
  return malformed(name, "form", "the form that the specification gives this parameter");
}

function malformed(parameter: string, problem: string, expected: string): DaypassError {
  return new DaypassError("MALFORMED", `${parameter}: expected ${expected}; ask for a new URL and send it unchanged`, {
    details: { parameter, problem },
  });
}
