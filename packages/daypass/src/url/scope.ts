import { refusal } from "../errors.ts";
import { parseBasicTime } from "../time.ts";
import { isPath } from "./grammar.ts";
import { isOrigin } from "./origin.ts";
import { grantedMethods, PARAMETERS } from "./parameters.ts";

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

const listOf =
  (valid: (item: string) => boolean): ((value: unknown) => boolean) =>
  (value) =>
    Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string" && valid(item));
const textThat =
  (valid: (text: string) => boolean): ((value: unknown) => boolean) =>
  (value) =>
    typeof value === "string" && valid(value);

const MEMBERS: Readonly<Record<keyof UrlKeyScope, (value: unknown) => boolean>> = {
  origins: listOf(isOrigin),
  prefix: textThat((value) => value.endsWith("/") && isPath(value)),
  methods: listOf((value) => /^[A-Z]{3,16}$/.test(value)),
  maxLife: (value) => Number.isSafeInteger(value) && (value as number) > 0,
  until: textThat((value) => PARAMETERS["dp-expires"].read(value) !== undefined),
};

/** The member of a scope that is misspelt or has the wrong form, and so would not limit anything; else `undefined`. */
export function faultyMember(scope: UrlKeyScope): string | undefined {
  if (typeof scope !== "object" || scope === null || Array.isArray(scope)) return "scope";
  return Object.entries(scope)
    .filter(([, value]) => value !== undefined)
    .map(([member]) => member as keyof UrlKeyScope)
    .find((member) => !Object.hasOwn(MEMBERS, member) || !MEMBERS[member](scope[member]));
}

/** Throws `KEY_SCOPE` where a grant is for more than its key may grant. Signer and verifier both ask. */
export function enforceScope(scope: UrlKeyScope | undefined, grant: ScopedGrant): void {
  if (scope === undefined) return;
  const { origins, prefix, methods, maxLife, until } = scope;
  const covered = methods && grantedMethods(methods);
  const within: Readonly<Record<keyof UrlKeyScope, unknown>> = {
    origins: origins?.includes(grant.origin),
    prefix: prefix && grant.path.startsWith(prefix),
    methods: covered && grant.methods.every((method) => covered.includes(method)),
    maxLife: maxLife && grant.expiresAt.getTime() - grant.signedAt.getTime() <= maxLife * 1000,
    until: until && grant.expiresAt <= (parseBasicTime(until) as Date),
  };
  for (const member in within) {
    if (within[member as keyof UrlKeyScope] !== false) continue;
    throw refusal("KEY_SCOPE", `a grant inside the scope of its key, found other ${member}`, {
      member,
      limit: String(scope[member as keyof UrlKeyScope]),
    });
  }
}
