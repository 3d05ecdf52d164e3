/**
 * The scope of a key, from the operator's program or file. A malformed scope could limit less than intended, so a key with such a scope grants
 * nothing.
 */
import { DaypassError } from "daypass";
import { type FormsOf, formFault } from "../http/validate-options.ts";

/** The limits that the operator sets for a key; no signature can exceed them. */
export interface KeyScope {
  /** Any bucket if omitted. */
  readonly buckets?: readonly string[] | undefined;
  /** Keys below this prefix, on whole segments: `merchants/12` does not admit `merchants/123`. */
  readonly prefix?: string | undefined;
  /** Any method if omitted. `GET` includes `HEAD`. */
  readonly methods?: readonly string[] | undefined;
  /** Longest lifetime of a URL, in seconds. */
  readonly maxLife?: number | undefined;
  /** First instant at which the key is no longer valid; a string must include the time zone, `2030-01-02T03:04:05Z`. */
  readonly until?: Date | string | undefined;
  /** For a session with a policy: only what one of the statements allows is allowed. */
  readonly allow?: readonly Allowance[] | undefined;
}

/** A validated scope. Only `readScope` creates one. */
export interface ReadScope extends KeyScope {
  readonly until?: Date | undefined;
}

/** The scopes of the keys with one id; `undefined` if the keys have been removed. */
export type FoundScopes = ReadScope | readonly ReadScope[] | undefined;

/** What one statement of a session policy allows. */
export interface Allowance {
  /** Actions in Amazon's terms, such as `s3:GetObject`. A `*` at the end matches any text. */
  readonly actions: readonly string[];
  /** `bucket` for the bucket itself, `bucket/key`, or `*` for everything. A `*` at the end of a key matches any text. */
  readonly resources: readonly string[];
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/;

const isMethod = (text: string): boolean => /^[A-Z]+$/.test(text);
const FORMS: FormsOf<KeyScope> = {
  buckets: [(value) => isTexts(value), "a list of names"],
  prefix: [(value) => typeof value === "string", "a string"],
  methods: [(value) => isTexts(value) && value.every(isMethod), "a list of methods such as GET"],
  maxLife: [(value) => Number.isFinite(value) && Number(value) > 0, "a number of seconds"],
  until: [(value) => !Number.isNaN(timeOf(value)), "a Date, or an instant such as 2030-01-02T03:04:05Z"],
  allow: [(value) => Array.isArray(value) && value.every(isAllowance), "a list of { actions, resources }"],
};

// Validating a scope takes a fortieth of a small response.
const constant = new WeakMap<KeyScope, ReadScope>();

/**
 * Validates a scope: once if it is frozen with all its lists, otherwise each time, because the operator's program may change the object.
 * @throws {DaypassError} `INVALID_KEY`
 */
export function readScope(scope: KeyScope): ReadScope {
  const known = constant.get(scope);
  if (known !== undefined) return known;
  const read = validated(scope);
  if (isConstant(scope)) constant.set(scope, read);
  return read;
}

function validated(scope: KeyScope): ReadScope {
  const fault = formFault(scope, FORMS, "scope");
  if (fault !== undefined)
    throw new DaypassError("INVALID_KEY", `${fault}. The key grants nothing until its scope is corrected`);
  const { until } = scope;
  return until === undefined || until instanceof Date
    ? (scope as ReadScope)
    : { ...scope, until: new Date(timeOf(until)) };
}

/** Whether nothing in a value can change. A date and a getter can, even if they are frozen. */
function isConstant(value: unknown): boolean {
  if (Object(value) !== value) return true;
  if (!Object.isFrozen(value) || !PLAIN.includes(Object.getPrototypeOf(value))) return false;
  return Object.values(Object.getOwnPropertyDescriptors(value)).every((own) => "value" in own && isConstant(own.value));
}

const PLAIN: readonly unknown[] = [Object.prototype, Array.prototype];

function timeOf(until: unknown): number {
  if (until instanceof Date) return until.getTime();
  return typeof until === "string" && INSTANT.test(until) ? Date.parse(until) : Number.NaN;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}

function isAllowance(value: unknown): value is Allowance {
  const { actions, resources } = (value ?? {}) as Partial<Allowance>;
  return isTexts(actions) && isTexts(resources);
}
