import type { Grant, Obligation } from "../../core/contracts.ts";
import { type DaypassError, refusal } from "../../core/errors.ts";
import { grantId } from "../../core/grant.ts";
import { parseIpv4 } from "../../wire/ip.ts";
import type { Parameter } from "../../wire/parameters.ts";
import type { OperationRule } from "./operations.ts";
import { OVERRIDES } from "./request.ts";
import type { AzureSasKind, SasValues } from "./sas.ts";

/** First and last address of a `sip`, `a` or `a-b`, as numbers; NaN for any other text. */
function parseIpRange(sip: string): readonly [first: number, last: number] {
  const addresses = sip.split("-").map(toNumber);
  const [first = Number.NaN, last = first] = addresses.length > 2 ? [] : addresses;
  return [first, last];
}

function toNumber(address: string): number {
  return parseIpv4(address)?.reduce((sum, byte) => sum * 256 + byte, 0) ?? Number.NaN;
}

/**
 * Whether the peer is known and in the range. A dual-stack socket reports an IPv4 address as `::ffff:a.b.c.d`, and some proxies
 * write `::ffff:102:304`. `peerAddress` parses all of IPv6, which no `sip` needs, at four times the size.
 */
export function isInRange(sip: string, remoteAddress = ""): boolean {
  const [first, last] = parseIpRange(sip);
  const [high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/i.exec(remoteAddress)?.slice(1) ?? [];
  const address = high
    ? Number(`0x${high}`) * 65_536 + Number(`0x${low}`)
    : toNumber(remoteAddress.replace(/^::ffff:/i, ""));
  return address >= first && address <= last;
}

/** The `sip` for one IPv4 address, a range `a-b` or a network `a/n`, or `undefined`: that is all that Azure can bind. */
export function ipRangeText(ip: string): string | undefined {
  const [, address = ip, bits = "32"] = /^([^/-]*)\/([0-9]|[12][0-9]|3[012])$/.exec(ip) ?? [];
  const [first, last] = parseIpRange(address);
  const size = 2 ** (32 - Number(bits));
  // Host bits have to be zero.
  if (!(first <= last) || first % size !== 0) return undefined;
  return size === 1 ? address : `${address}-${toText(first + size - 1)}`;
}

function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

/** The properties of a grant that are specific to Azure. */
export interface AzureFacts {
  readonly kind: AzureSasKind;
  readonly account: string;
  /** `undefined` for a call on the account itself. */
  readonly container: string | undefined;
  /** The blob's name, decoded; `undefined` for a call on the container. */
  readonly blob: string | undefined;
  /** The requested operation, by its name in the list of operations, e.g. `put-block-list`. */
  readonly operation: string;
  /** All permitted letters, including the letters of a stored access policy. */
  readonly permissions: string;
  /** The directory that the SAS is limited to, without a trailing slash; empty for the container's root. */
  readonly directory: string | undefined;
  /** The stored access policy. */
  readonly identifier: string | undefined;
  /** `scid`: a GUID for the logs. */
  readonly correlationId: string | undefined;
  /** Parameters of the operation, decoded, in wire order. Only `snapshot` or `versionid` (by `sr`) and the parameters in `srq` are signed. */
  readonly parameters: readonly Parameter[];
  /** Lower-case names of the headers that were signed. */
  readonly signedHeaders: readonly string[];
}

/** What a verified SAS allows: one operation on one blob, container or account. */
export interface AzureGrant extends Grant, AzureFacts {}

// Not core's `VerifiedGrant`: no SAS limits a body, so that code would only enlarge the bundle.
class SasGrant {
  readonly #stringToSign: string;

  constructor(stringToSign: string) {
    this.#stringToSign = stringToSign;
  }

  get id(): string {
    return grantId(this.#stringToSign);
  }

  /** `JSON.stringify` ignores getters of a prototype, so `id` is added here. */
  toJSON(): object {
    return { ...this, id: this.id };
  }

  /** Returns the body unchanged: no SAS constrains its length or SHA-256. */
  limitBody(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    return body;
  }
}

/** Makes the grant of a SAS. Its `id` costs a hash, which waits on the prototype for the question. */
export function azureGrant(
  fields: Omit<Grant, "id" | "limitBody">,
  facts: AzureFacts,
  stringToSign: string,
): AzureGrant {
  return Object.assign(new SasGrant(stringToSign), fields, facts);
}

/** What a SAS promises, and cannot enforce itself. */
export function azureObligations({ facts, values, operation, msHeaders, bound }: ParsedSas): readonly Obligation[] {
  const { name, permissions } = operation;
  const obligations: Obligation[] = [];
  // "Create: write a new blob, or copy a blob to a new blob": overwriting a blob needs w.
  const isNew = permissions === "cw" && !facts.permissions.includes("w") && name !== "snapshot-blob";
  if (isNew || bound.headers.get("if-none-match") === "*") obligations.push({ kind: "create-only" });
  const md5 = bound.headers.get("content-md5");
  if (md5 !== undefined) obligations.push({ kind: "body-checksum", header: "content-md5", value: md5 });
  const scope = values.ses;
  if (scope !== undefined && operation.headers.has("encryption-scope")) {
    if ((msHeaders.get("encryption-scope") ?? scope) !== scope) throw outOfScope("ses", scope);
    obligations.push({ kind: "encryption-scope", scope });
  }
  const headers: Record<string, string> = {};
  for (const [header, parameter] of Object.entries(OVERRIDES)) {
    const value = values[parameter];
    if (value !== undefined) headers[header] = value;
  }
  if (name === "get-blob" && Object.keys(headers).length > 0) obligations.push({ kind: "response", headers });
  return obligations;
}

/** A request with a SAS, read strictly. Nothing in it has been verified. */
export interface ParsedSas {
  /** The facts of the grant. Permissions and times come from the URL, until a stored policy adds to them. */
  facts: AzureFacts;
  startsAt: Date;
  endsAt: Date;
  /** Every parameter of the SAS, and the other lines of the string to sign. */
  readonly values: SasValues;
  readonly operation: OperationRule;
  /** Headers `x-ms-*` without that prefix, lower case. */
  readonly msHeaders: ReadonlyMap<string, string>;
  /** Parameters of the operation, decoded. */
  readonly parameters: ReadonlyMap<string, string>;
  /** What `srh` and `srq` name. */
  readonly bound: BoundParts;
}

/** Headers, by their lower-case names, and parameters that are signed. */
export interface BoundParts {
  readonly headers: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
}

/** The parameter with snapshot or version, by the `sr` that signs it. */
export const TIMES: Readonly<Record<string, string>> = { bs: "snapshot", bv: "versionid" };

/** What the SAS does not permit. */
export function notGranted(what: string, needed: string): DaypassError {
  return refusal("METHOD_NOT_GRANTED", `the SAS does not permit ${what} (${needed})`, { needed });
}

/** A SAS that is for other services, kinds of resources, protocols or scopes; `parameter` says which. */
export function outOfScope(parameter: string, expected: string): DaypassError {
  return refusal("WRONG_SCOPE", `the request is outside ${parameter} (${expected})`, { parameter });
}

/**
 * Refuses an operation without its permission, and every `x-ms-*` header and parameter that is neither signed nor in the
 * operation's list: nothing else binds them.
 */
export function enforcePermissions(parsed: ParsedSas): void {
  const { facts, operation, msHeaders, parameters, bound } = parsed;
  const { name: what, permissions } = operation;
  const letters = facts.permissions;
  if (![...permissions].some((letter) => letters.includes(letter))) throw notGranted(what, permissions);
  for (const [code, prefix, found, listed, signed] of [
    ["UNSIGNED_HEADER", "x-ms-", msHeaders, operation.headers, bound.headers],
    ["UNSIGNED_PARAMETER", "", parameters, operation.query, bound.query],
  ] as const) {
    for (const name of found.keys()) {
      const full = prefix + name;
      const letter = listed.get(name.replace(/^meta-.+/, "meta-*")) ?? (signed.has(full) ? "" : undefined);
      if (letter === undefined || isOtherVersion(name, parsed)) {
        throw refusal(
          code,
          `${what} has ${JSON.stringify(full)}, which the SAS does not cover. Leave it out`,
          prefix ? { headers: [full] } : { parameter: full },
        );
      }
      if (!letters.includes(letter)) throw notGranted(full, letter);
    }
  }
}

/** A SAS for a blob is for its present content, unless it permits deleting versions. `sr=bs` and `bv` sign snapshots and versions. */
function isOtherVersion(name: string, { values: { sr = "" }, operation }: ParsedSas): boolean {
  const isTime = /^(?:snapshot|versionid)$/.test(name);
  return isTime && name !== TIMES[sr] && sr.startsWith("b") && !/[xy]/.test(operation.permissions);
}

/** Refuses the protocols and client addresses that a SAS is not for. */
export function enforceSender({ spr, sip }: SasValues, origin: string, remoteAddress: string | undefined): void {
  if (spr === "https" && !origin.startsWith("https:")) throw outOfScope("spr", spr);
  if (sip === undefined || isInRange(sip, remoteAddress)) return;
  throw refusal("IP_NOT_GRANTED", `the client is outside ${sip}, or its address is unknown`, { parameter: "sip" });
}
