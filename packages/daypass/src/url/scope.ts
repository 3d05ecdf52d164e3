import { DaypassError } from "../errors.ts";
import { parseBasicTime } from "../time.ts";
import { pathFault } from "./grammar.ts";
import { isOrigin } from "./origin.ts";
import { METHOD_FORM, PARAMETERS } from "./parameters.ts";

/** What the grants of a key may be for. A member that is left out does not limit. */
export interface UrlKeyScope {
  readonly origins?: readonly string[] | undefined;
  /** The path, or the fixed part of it, starts with this. Ends in `/`. */
  readonly prefix?: string | undefined;
  /** `GET` stands for `HEAD` as well. */
  readonly methods?: readonly string[] | undefined;
  /** Seconds from dp-date to dp-expires. */
  readonly maxLife?: number | undefined;
  /** `YYYYMMDDTHHMMSSZ`: no grant ends later. */
  readonly until?: string | undefined;
}

/** What of a grant a scope is compared with. */
export interface ScopedGrant {
  readonly origin: string;
  /** The path, or the fixed part of it. */
  readonly path: string;
  readonly methods: readonly string[];
  readonly signedAt: Date;
  readonly expiresAt: Date;
}

const MEMBERS: Readonly<Record<keyof UrlKeyScope, readonly [valid: (value: never) => boolean, form: string]>> = {
  origins: [(value: unknown) => isList(value, isOrigin), "a list of origins"],
  prefix: [
    (value: unknown) => typeof value === "string" && value.endsWith("/") && pathFault(value) === undefined,
    'a path that ends in "/"',
  ],
  methods: [(value: unknown) => isList(value, (method) => METHOD_FORM.test(method)), "a list of methods"],
  maxLife: [(value: unknown) => Number.isSafeInteger(value) && (value as number) > 0, "whole seconds"],
  until: [
    (value: string) => PARAMETERS["dp-expires"].test(value) && parseBasicTime(value) !== undefined,
    "YYYYMMDDTHHMMSSZ",
  ],
};

function isList(value: unknown, valid: (item: string) => boolean): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string" && valid(item));
}

/** Refuses a scope with a member that is misspelt or has the wrong form: it would not limit anything. */
export function checkScope(scope: UrlKeyScope, invalid: (text: string) => Error): void {
  if (typeof scope !== "object" || scope === null || Array.isArray(scope)) throw invalid("expected scope as an object");
  for (const [member, value] of Object.entries(scope)) {
    if (value === undefined) continue;
    const rule = Object.hasOwn(MEMBERS, member) ? MEMBERS[member as keyof UrlKeyScope] : undefined;
    if (rule === undefined) throw invalid(`expected scope with ${Object.keys(MEMBERS).join(", ")}; found ${member}`);
    if (!rule[0](value as never)) throw invalid(`expected scope.${member} as ${rule[1]}`);
  }
}

/** Throws `KEY_SCOPE` where a grant is for more than its key may grant. Signer and verifier both ask. */
export function enforceScope(scope: UrlKeyScope | undefined, grant: ScopedGrant): void {
  if (scope === undefined) return;
  const { origins, prefix, methods, maxLife, until } = scope;
  if (origins !== undefined && !origins.includes(grant.origin)) throw outside("origins", origins.join(", "));
  if (prefix !== undefined && !grant.path.startsWith(prefix)) throw outside("prefix", prefix);
  if (methods !== undefined && !grant.methods.every((method) => allows(methods, method)))
    throw outside("methods", methods.join(", "));
  const life = (grant.expiresAt.getTime() - grant.signedAt.getTime()) / 1000;
  if (maxLife !== undefined && !(life <= maxLife)) throw outside("maxLife", `${maxLife} s`);
  const end = until === undefined ? undefined : parseBasicTime(until)?.getTime();
  if (end !== undefined && !(grant.expiresAt.getTime() <= end)) throw outside("until", String(until));
}

/** Whether a list of methods covers one: who may GET may HEAD. */
export function allows(methods: readonly string[], method: string): boolean {
  return methods.includes(method) || (method === "HEAD" && methods.includes("GET"));
}

function outside(member: string, limit: string): DaypassError {
  return new DaypassError(
    "KEY_SCOPE",
    `expected a grant inside the scope of its key (${member}: ${limit}), found one outside: ask for less, or sign with another key`,
    { details: { member } },
  );
}
