import type { QueryToken, ReceivedRequest, WireRequest } from "../../core/contracts.ts";
import { type DaypassError, refusal } from "../../core/errors.ts";
import { NEVER } from "../../core/time.ts";
import { malformed } from "../../wire/parameters.ts";
import { refuseDotSegments } from "../../wire/path-safety.ts";
import { formDecode, headerValues } from "../../wire/raw-target.ts";
import { type BoundParts, outOfScope, type ParsedSas, TIMES } from "./grant.ts";
import { type AzureLocation, azureLocation } from "./location.ts";
import type { operationFinder } from "./operations.ts";
import {
  type AzureSasKind,
  canonicalResource,
  checkSas,
  hasControl,
  parseAzureTime,
  type SasKind,
  type SasValues,
} from "./sas.ts";

/** How one kind of SAS is read. */
export interface SasReader {
  readonly kind: SasKind;
  /** The account where neither host nor path names it. */
  readonly account?: string | undefined;
  readonly findOperation: ReturnType<typeof operationFinder>;
  /** Adds the signed parts of the request to `values`. */
  readonly readBound?:
    | ((values: SasValues, request: WireRequest, parameters: ReadonlyMap<string, string>) => BoundParts)
    | undefined;
}

/** Returns, by names alone, the kind of SAS in a request, if any. */
export function sasKindOf({ target }: WireRequest): AzureSasKind | undefined {
  const has = (name: string): boolean => target.includes(`?${name}=`) || target.includes(`&${name}=`);
  if (!has("sig") || !has("sv")) return undefined;
  return has("srt") ? "account" : has("skoid") ? "user-delegation" : "service";
}

/** Names of what belongs to a SAS. No parameter of an operation looks like one, nor does anything that every object has. */
export const SAS_NAME: RegExp = /^(?:s[a-z]{1,6}|rs[a-z]{2})$/;
const NOTHING: BoundParts = { headers: new Map(), query: new Map() };

/** Reads a request. Throws `MALFORMED`, `AMBIGUOUS_AUTHENTICATION`, `UNSIGNED_PARAMETER`, `METHOD_NOT_GRANTED`, `WRONG_SCOPE`. */
export function parseSas(
  received: ReceivedRequest,
  { kind, account: configured, findOperation, readBound }: SasReader,
): ParsedSas {
  const { request, wire } = received;
  const { method, headers } = request;
  const { values, parameters } = splitQuery(wire.tokens);
  // A stored access policy has the fields that the URL omits.
  for (const name of ["sig", ...Object.keys(kind.required), ...("si" in values ? [] : ["sp", "se"])]) {
    if (!(name in values)) throw malformed(name, "missing", "a parameter with a value");
  }
  checkSas(kind, values, unreadable);
  // A SAS for one user travels with that user's token.
  const isToken = (text: string): boolean => "sduoid" in values && /^bearer /i.test(text);
  if (!headerValues(headers, "authorization").every(isToken)) {
    throw refusal(
      "AMBIGUOUS_AUTHENTICATION",
      "the request has an Authorization header beside its SAS. Send one of them",
    );
  }
  const location = azureLocation(received, configured);
  const { account, container, blob } = location;
  const { sr = "" } = values;
  const prefix = parameters.get("prefix") ?? "";
  // Only a SAS for one blob signs the whole path. A listing's prefix is the path of what it lists.
  if (!sr.startsWith("b")) refuseDotSegments(`${wire.path}/${prefix}`);
  // A reader that trims reads " tags" as "tags", which needs another permission.
  if (/[^a-z,]/i.test(parameters.get("include") ?? "")) throw malformed("include", "form", "words with commas between");
  const msHeaders = readHeaders(headers);
  const comp = parameters.get("comp") ?? "";
  const operation = findOperation(
    `${method.replace(/^HEAD$/, "GET")} ${levelOf(location, parameters)}${comp && ` ${comp}`}`,
    (name) => parameters.get(name) ?? msHeaders.get(name),
  );
  if (operation === undefined) {
    throw refusal("METHOD_NOT_GRANTED", "this operation (method, comp and restype) is not permitted");
  }
  const bound = readBound?.(values, request, parameters) ?? NOTHING;
  const time = (name: string, absent: number): number => parseAzureTime(values[name])?.getTime() ?? absent;
  const directory = sr === "d" ? directoryOf(Number(values.sdd), blob, prefix) : undefined;
  if (sr !== "") {
    const name = sr === "c" ? "" : sr === "d" ? directory : blob;
    if (container === undefined || name === undefined) throw outOfScope("sr", sr);
    values.RESOURCE = canonicalResource(account, container, name);
  }
  values.ACCOUNT = account;
  values.TIME = signedTime(sr, parameters);
  return {
    facts: {
      kind: kind.name,
      account,
      container,
      blob,
      operation: operation.name,
      permissions: values.sp ?? "",
      directory,
      identifier: values.si,
      correlationId: values.scid,
      parameters: [...parameters],
      signedHeaders: [...bound.headers.keys()],
    },
    values,
    startsAt: new Date(Math.max(time("st", 0), time("skt", 0))),
    endsAt: new Date(Math.min(time("se", NEVER), time("ske", NEVER))),
    operation,
    msHeaders,
    parameters,
    bound,
  };
}

/** The parameters of the SAS and the parameters of the operation. */
function splitQuery(tokens: readonly QueryToken[]): Pick<ParsedSas, "values" | "parameters"> {
  const values: SasValues = {};
  const parameters = new Map<string, string>();
  for (const token of tokens) {
    const name = formDecode(token.name);
    const value = formDecode(token.value ?? "");
    const isSas = SAS_NAME.test(name);
    if (isSas ? name in values : parameters.has(name)) throw malformed(name, "duplicate", "one parameter");
    if (isSas) values[name] = value;
    else parameters.set(name, value);
  }
  return { values, parameters };
}

/** The directories that a request stays in, as many as are signed, from a blob's name or a listing's prefix. */
function directoryOf(depth: number, blob: string | undefined, prefix: string): string | undefined {
  const segments = blob?.split("/") ?? prefix.split("/").slice(0, -1);
  return segments.length >= depth ? segments.slice(0, depth).join("/") : undefined;
}

/** The refusal of a SAS with such a parameter. */
export function unreadable(parameter: string, problem: string, expected: string): DaypassError {
  if (problem !== "unsigned") return malformed(parameter, problem, expected);
  return refusal("UNSIGNED_PARAMETER", `${parameter} is not signed. Leave it out, or send ${expected}`, { parameter });
}

/** The path shows the level of a request. `restype` must agree, or two readers would read two requests. */
function levelOf({ container, blob }: AzureLocation, parameters: ReadonlyMap<string, string>): string {
  const restype = parameters.get("restype");
  const [level = "", expected] = blob ? ["o"] : container ? ["c", "container"] : ["s", "service"];
  // A list of containers has no restype.
  if (restype === expected || (level === "s" && restype === undefined)) return level;
  throw malformed("restype", "level", expected ?? "left out for a blob");
}

function readHeaders(headers: WireRequest["headers"]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [field, value] of headers) {
    const [, name] = /^x-ms-(.*)/.exec(field.toLowerCase()) ?? [];
    if (name === undefined) continue;
    if (found.has(name)) throw malformed(field, "duplicate", "one header");
    found.set(name, value.trim());
  }
  return found;
}

/** The snapshot or version in the query is signed only if the SAS is for one of them. */
function signedTime(sr: string, parameters: ReadonlyMap<string, string>): string | undefined {
  const name = TIMES[sr];
  if (name === undefined) return undefined;
  const time = parameters.get(name);
  if (!time || hasControl(time)) throw malformed(name, "missing", "a value, which sr signs");
  return time;
}
