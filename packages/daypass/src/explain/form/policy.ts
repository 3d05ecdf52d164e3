import { decodePolicy, type FieldCondition, type ParsedCondition, parseConditions } from "../../forms/policy.ts";
import { fromBase64, hex } from "../../wire/encoding.ts";
import { percentDecode } from "../../wire/raw-target.ts";

/** The readable parts of a policy. */
export interface ReadPolicy {
  /** The document. `undefined` if the policy is not base64 of UTF-8. */
  readonly text: string | undefined;
  readonly expiration: string;
  readonly endsAt: Date | undefined;
  /** The readable conditions. */
  readonly conditions: readonly ParsedCondition[];
  /** The error of the strict reader. */
  readonly fault: unknown;
}

/** Reads what is readable, and keeps the strict reader's error in `fault`. */
export function readPolicy(encoded: string): ReadPolicy {
  const text = policyText(encoded);
  const { expiration, conditions } = documentOf(text);
  let fault: unknown;
  let endsAt = typeof expiration === "string" ? new Date(expiration) : undefined;
  try {
    endsAt = decodePolicy(encoded).expiresAt;
  } catch (error) {
    fault = error;
  }
  return {
    text,
    expiration: typeof expiration === "string" ? expiration : "",
    endsAt: endsAt === undefined || Number.isNaN(endsAt.getTime()) ? undefined : endsAt,
    conditions: Array.isArray(conditions) ? conditions.flatMap(readCondition) : [],
    fault,
  };
}

// A usual policy has about twenty conditions, and each is evaluated several times.
const MAX_POLICY = 20_480;

function policyText(encoded: string): string | undefined {
  if (encoded.length > MAX_POLICY) return undefined;
  const plain = encoded.replace(/[\s=]/g, "").replaceAll("-", "+").replaceAll("_", "/");
  const bytes = fromBase64(plain.padEnd(Math.ceil(plain.length / 4) * 4, "="));
  try {
    return bytes === undefined ? undefined : percentDecode(hex(bytes).replace(/../g, "%$&"));
  } catch {
    return undefined;
  }
}

// A policy has three levels. Writing a document with thousands would overflow the stack.
const MAX_DEPTH = 16;

function isDeep(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth--;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

/** The members of the document, without validation. */
export function documentOf(text: string | undefined): Readonly<Record<string, unknown>> {
  if (text === undefined || isDeep(text)) return {};
  try {
    // AWS writes a dollar sign in a value as `\$`, which JSON does not know.
    const value: unknown = JSON.parse(text.replace(/\\./gs, (pair) => (pair === "\\$" ? "$" : pair)));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function readCondition(condition: unknown): readonly ParsedCondition[] {
  try {
    return parseConditions([condition], () => new Error());
  } catch {
    return [];
  }
}

/** A condition in the providers' notation. */
export function conditionText(condition: ParsedCondition): string {
  if (condition.operator === "content-length-range") {
    return JSON.stringify([condition.operator, condition.min, condition.max]);
  }
  return `["${condition.operator}", "$${condition.field}", ${JSON.stringify(condition.value)}]`;
}

/** A condition in words. */
export function conditionWords(condition: ParsedCondition): string {
  if (condition.operator === "content-length-range") {
    return condition.min === condition.max
      ? `the file has exactly ${condition.min} bytes`
      : `the file has from ${condition.min} to ${condition.max} bytes`;
  }
  const { operator, field, value } = condition;
  const what = field === "bucket" ? "the bucket" : `the field ${field}`;
  if (operator === "eq") return `${what} is exactly ${JSON.stringify(value)}`;
  return value === "" ? `${what} is sent, with any value` : `${what} starts with ${JSON.stringify(value)}`;
}

export function isFieldCondition(condition: ParsedCondition): condition is FieldCondition {
  return condition.operator !== "content-length-range";
}

/** The allowed bytes of the file: the intersection of all ranges. */
export function lengthRange(
  conditions: readonly ParsedCondition[],
): { readonly min: number; readonly max: number } | undefined {
  const ranges = conditions.flatMap((condition) => (isFieldCondition(condition) ? [] : [condition]));
  if (ranges.length === 0) return undefined;
  return { min: Math.max(...ranges.map(({ min }) => min)), max: Math.min(...ranges.map(({ max }) => max)) };
}
