import { refuseDotSegments } from "../dot-segments.ts";
import { type DaypassError, refusal } from "../errors.ts";
import { malformed, type Parameter } from "../parameters.ts";
import type { ReceivedRequest, WireRequest } from "../scheme.ts";
import { formDecode, headerValues } from "../wire.ts";
import { canonicalResource, hasControl, type SasValues } from "./canonical.ts";
import { checkSas } from "./fields.ts";
import type { AzureSasKind, SasKind } from "./layouts.ts";
import { type AzureLocation, azureLocation } from "./location.ts";
import type { OperationCall, OperationRule } from "./operations.ts";
import { parseAzureTime } from "./time.ts";

/** A request with a SAS, read strictly. Nothing in it has been verified. */
export interface ParsedSas extends AzureLocation {
  /** Every parameter of the SAS, and the other lines of the string to sign, by their names in `layouts.ts`. */
  readonly values: SasValues;
  /** The directory of a SAS with `sr=d`. */
  readonly directory: string | undefined;
  /** When SAS and user delegation key are valid, as far as the URL tells. */
  readonly startsAt: Date | undefined;
  readonly endsAt: Date | undefined;
  readonly operation: OperationRule;
  /** Headers `x-ms-*` without that prefix, lower case. */
  readonly msHeaders: ReadonlyMap<string, string>;
  /** Parameters of the operation, decoded. */
  readonly parameters: ReadonlyMap<string, string>;
  /** What `srh` and `srq` name. */
  readonly bound: BoundParts;
}

/** Headers and parameters that are signed. */
export interface BoundParts {
  readonly headers: readonly Parameter[];
  readonly query: readonly Parameter[];
}

/** How one kind of SAS is read. */
export interface SasReader {
  readonly kind: SasKind;
  /** The account where neither host nor path names it. */
  readonly account: string | undefined;
  findOperation(call: OperationCall): OperationRule | undefined;
  /** Adds what is signed of the request to `values`. */
  readonly readBound?:
    | ((values: Map<string, string>, request: WireRequest, parameters: ReadonlyMap<string, string>) => BoundParts)
    | undefined;
}

/** Tells by names alone whether a request carries a SAS, and of which kind. */
export function sasKindOf({ target }: WireRequest): AzureSasKind | undefined {
  const has = (name: string): boolean => target.includes(`?${name}=`) || target.includes(`&${name}=`);
  if (!has("sig") || !has("sv")) return undefined;
  return has("srt") ? "account" : has("skoid") ? "user-delegation" : "service";
}

// No parameter of an operation looks like one of a SAS.
const SAS = /^(?:s[a-z]{1,6}|rs[a-z]{2})$/;
const NOTHING: BoundParts = { headers: [], query: [] };

/** Reads a request. Throws `MALFORMED`, `AMBIGUOUS_AUTHENTICATION`, `UNSIGNED_PARAMETER`, `METHOD_NOT_GRANTED`, `WRONG_SCOPE`. */
export function parseSas(received: ReceivedRequest, reader: SasReader): ParsedSas {
  const { request, wire } = received;
  const values = new Map<string, string>();
  const parameters = new Map<string, string>();
  for (const token of wire.tokens) {
    const name = formDecode(token.name);
    const value = formDecode(token.value ?? "");
    const kept = SAS.test(name) ? values : parameters;
    if (kept.has(name)) throw malformed(name, "duplicate", "one parameter");
    kept.set(name, value);
  }
  // A stored access policy tells what the URL leaves out.
  for (const name of ["sig", ...reader.kind.required, ...(values.has("si") ? [] : ["sp", "se"])]) {
    if (!values.has(name)) throw malformed(name, "missing", "a parameter with a value");
  }
  checkSas(reader.kind, values, unreadable);
  // A SAS for one user travels with that user's token.
  const isToken = (text: string): boolean => values.has("sduoid") && /^bearer /i.test(text);
  if (!headerValues(request.headers, "authorization").every(isToken)) {
    throw refusal("AMBIGUOUS_AUTHENTICATION", "one signature, found an Authorization header beside a SAS");
  }
  const location = azureLocation(received, reader.account);
  // Only a SAS for one blob signs the whole path. A listing's prefix is the path of what it lists.
  if (!/^b/.test(values.get("sr") ?? "")) refuseDotSegments(`${wire.path}/${parameters.get("prefix") ?? ""}`);
  const msHeaders = readHeaders(request);
  const comp = parameters.get("comp") ?? "";
  const operation = reader.findOperation({
    call: `${request.method === "HEAD" ? "GET" : request.method} ${levelOf(location, parameters)}${comp && ` ${comp}`}`,
    value: (name) => parameters.get(name) ?? msHeaders.get(name),
  });
  if (operation === undefined) {
    throw refusal("METHOD_NOT_GRANTED", "a permitted operation, found another method, comp or restype");
  }
  const bound = reader.readBound?.(values, request, parameters) ?? NOTHING;
  const [st, skt, se, ske] = ["st", "skt", "se", "ske"].map((name) => parseAzureTime(values.get(name) ?? ""));
  const startsAt = st && skt && skt > st ? skt : (st ?? skt);
  const endsAt = se && ske && ske < se ? ske : (se ?? ske);
  const directory = values.get("sr") === "d" ? signedDirectory(values, location, parameters) : undefined;
  values.set("ACCOUNT", location.account);
  values.set("RESOURCE", signedResource(values, location, directory));
  values.set("TIME", signedTime(values, parameters));
  return { ...location, values, directory, startsAt, endsAt, operation, msHeaders, parameters, bound };
}

/** The refusal of a SAS with such a parameter. */
export function unreadable(parameter: string, problem: string, expected: string): DaypassError {
  if (problem !== "unsigned") return malformed(parameter, problem, expected);
  return refusal("UNSIGNED_PARAMETER", `${parameter} as ${expected}: leave it out`, { parameter });
}

/** The path says what a request is for; `restype` has to agree, or two readers would take it for two requests. */
function levelOf({ container, blob }: AzureLocation, parameters: ReadonlyMap<string, string>): string {
  const restype = parameters.get("restype");
  const [level, expected] = blob ? ["o"] : container ? ["c", "container"] : ["s", "service"];
  // A list of containers has no restype.
  if (restype === expected || (level === "s" && restype === undefined)) return level as string;
  throw malformed("restype", "level", expected ?? "left out for a blob");
}

function readHeaders({ headers }: WireRequest): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [field, value] of headers) {
    const name = field.toLowerCase();
    if (!name.startsWith("x-ms-")) continue;
    if (found.has(name.slice(5))) throw malformed(name, "duplicate", "one header");
    found.set(name.slice(5), value.trim());
  }
  return found;
}

/** The directory that the request stays in: a blob by its name, a listing by its prefix, which must go below it. */
function signedDirectory(
  values: SasValues,
  { blob }: AzureLocation,
  parameters: ReadonlyMap<string, string>,
): string | undefined {
  const depth = Number(values.get("sdd"));
  const segments = (blob ?? parameters.get("prefix") ?? "").split("/");
  return segments.length >= depth + (blob === undefined ? 1 : 0) ? segments.slice(0, depth).join("/") : undefined;
}

function signedResource(values: SasValues, location: AzureLocation, directory: string | undefined): string {
  const { account, container, blob } = location;
  const resource = values.get("sr");
  if (resource === undefined) return "";
  const name = resource === "c" ? "" : resource === "d" ? directory : blob;
  if (container && name !== undefined) return canonicalResource(account, container, name);
  throw refusal("WRONG_SCOPE", `a request for what sr=${resource} signs, found another`, { parameter: "sr" });
}

/** The snapshot or version in the query is signed where the SAS is for one of them, and only there. */
function signedTime(values: SasValues, parameters: ReadonlyMap<string, string>): string {
  const resource = values.get("sr");
  if (resource !== "bs" && resource !== "bv") return "";
  const name = resource === "bs" ? "snapshot" : "versionid";
  const time = parameters.get(name);
  if (!time || hasControl(time)) throw malformed(name, "missing", "a value, which sr signs");
  return time;
}
