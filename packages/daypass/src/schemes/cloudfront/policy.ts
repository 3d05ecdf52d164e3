import { parseEpoch } from "../../core/time.ts";
import { base64, fromBase64 } from "../../wire/encoding.ts";
import { coveringNetwork, type Network } from "../../wire/ip.ts";
import { repeatsMember } from "../../wire/json-members.ts";

/** Names of the signing parameters, in the order in which AWS's own signer writes them. */
export const PARAMETERS = ["Expires", "Policy", "Key-Pair-Id", "Signature", "Hash-Algorithm"] as const;
export type ParameterName = (typeof PARAMETERS)[number];

/** What a policy says. */
export interface PolicyFields {
  readonly resource: string;
  /** Whole seconds since 1970. */
  readonly end: number;
  readonly start?: number | undefined;
  /** CIDR notation. */
  readonly ip?: string | undefined;
}

/**
 * The text of a policy, "with all white space removed" and in the order of AWS's own signer. With resource and end alone it
 * is the canned policy, which does not travel: the edge builds it again, so each byte of the resource counts.
 */
export function policyText({ resource, end, start, ip }: PolicyFields): string {
  const condition = {
    DateLessThan: { "AWS:EpochTime": end },
    ...(start === undefined ? {} : { DateGreaterThan: { "AWS:EpochTime": start } }),
    ...(ip === undefined ? {} : { IpAddress: { "AWS:SourceIp": ip } }),
  };
  return JSON.stringify({ Statement: [{ Resource: resource, Condition: condition }] });
}

/** base64 "with characters that are invalid in a query replaced": `-` for `+`, `_` for `=`, `~` for `/`. */
export function toUrlText(bytes: Uint8Array): string {
  return base64(bytes).replaceAll("+", "-").replaceAll("=", "_").replaceAll("/", "~");
}

/** The bytes of the one spelling of {@link toUrlText}, or `undefined`. `read` decodes the base64. */
export function fromUrlText(
  text: string,
  read: (text: string) => Uint8Array | undefined = fromBase64,
): Uint8Array | undefined {
  if (!/^[A-Za-z0-9~_-]{1,16384}$/.test(text)) return undefined;
  return read(text.replaceAll("-", "+").replaceAll("_", "=").replaceAll("~", "/"));
}

/**
 * Whether a pattern fits the whole of a text: `*` stands for any characters, also none, and `?` for exactly one. All ways to
 * read the stars are followed at once, a bit for each place in the pattern, so the time grows with the length of the
 * text and nothing is tried twice.
 */
export function fits(pattern: string, text: string): boolean {
  const any = new Map<string, bigint>();
  let stars = 0n;
  let single = 0n;
  const parts = pattern.replace(/\*+/g, "*");
  for (const [at, character] of [...parts].entries()) {
    const bit = 1n << BigInt(at);
    if (character === "*") stars |= bit;
    else if (character === "?") single |= bit;
    else any.set(character, (any.get(character) ?? 0n) | bit);
  }
  // A place that stands before a star may as well stand behind it.
  const spread = (places: bigint): bigint => places | ((places & stars) << 1n);
  let places = spread(1n);
  for (const character of text) {
    const moved = (places & (single | (any.get(character) ?? 0n))) << 1n;
    places = spread(moved | (places & stars));
    if (places === 0n) return false;
  }
  return places >> BigInt([...parts].length) === 1n;
}

/** A custom policy, read strictly. */
export interface Policy {
  readonly resource: string;
  readonly expiresAt: Date;
  readonly startsAt: Date | undefined;
  readonly ipRange: string | undefined;
  readonly network: Network | undefined;
}

/**
 * Reads the JSON of a policy, or throws what `fail` makes. One statement with a resource and an end, nothing that is not
 * known and nothing twice: parsers differ in which of two equal members they keep, and what is left out would be granted.
 */
export function readPolicy(text: string, fail: (expected: string) => Error): Policy {
  const policy = parse(text);
  const statements = member(policy, ["Statement"]);
  const [statement, second] = Array.isArray(statements) ? statements : [];
  const resource = member(statement, ["Resource", "Condition"]);
  const condition = member(statement, ["Condition", "Resource"]);
  const expiresAt = instant(member(condition, ["DateLessThan", "DateGreaterThan", "IpAddress"]));
  if (second !== undefined || typeof resource !== "string" || expiresAt === undefined || repeatsMember(text, policy)) {
    throw fail("one Statement with Resource and DateLessThan, each member known and once");
  }
  const { DateGreaterThan: start, IpAddress: address } = condition as Readonly<Record<string, unknown>>;
  const startsAt = instant(start);
  const range = member(address, ["AWS:SourceIp"]);
  const ipRange = typeof range === "string" ? range : undefined;
  const network = coveringNetwork(ipRange ?? "");
  if ((start === undefined) !== (startsAt === undefined) || (address === undefined) !== (network === undefined)) {
    throw fail("DateGreaterThan in seconds and IpAddress as a network");
  }
  return { resource, expiresAt, startsAt, ipRange, network };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The first of these members of an object that has no others, else `undefined`. */
function member(value: unknown, known: readonly [string, ...string[]]): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.keys(value).every((key) => known.includes(key)) ? Reflect.get(value, known[0]) : undefined;
}

function instant(value: unknown): Date | undefined {
  const seconds = member(value, ["AWS:EpochTime"]);
  return typeof seconds === "number" ? parseEpoch(String(seconds)) : undefined;
}
