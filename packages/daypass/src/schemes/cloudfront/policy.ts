import { parseEpoch } from "../../core/validity.ts";
import { coveringNetwork, type Network } from "../../wire/ip.ts";

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
  if (second !== undefined || typeof resource !== "string" || expiresAt === undefined || hasTwins(text, policy)) {
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

/** Outside of strings a colon stands behind each name and nowhere else: more colons than members is a name that repeats. */
function hasTwins(text: string, value: unknown): boolean {
  const colons = text.replace(/"(?:[^"\\]|\\.)*"/g, "").split(":").length - 1;
  return colons !== countMembers(value);
}

/** A policy is five levels deep: what is deeper counts as wrong, and cannot overflow the stack. */
function countMembers(value: unknown, levels = 6): number {
  if (typeof value !== "object" || value === null) return 0;
  if (levels === 0) return Number.NaN;
  const inside = Object.values(value).reduce((sum: number, item) => sum + countMembers(item, levels - 1), 0);
  return inside + (Array.isArray(value) ? 0 : Object.keys(value).length);
}
