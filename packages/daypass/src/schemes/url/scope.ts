import { refusal } from "../../core/errors.ts";
import { parseBasicTime } from "../../core/time.ts";
import { isOrigin, isPath } from "./canonical.ts";
import { grantedMethods, readValue } from "./parameters.ts";
import type { ParsedUrl } from "./parse.ts";

/** What a key may grant. An omitted member does not limit. */
export interface UrlKeyScope {
  /** `scheme://host[:port]`, each as configured in verifiers. */
  readonly origins?: readonly string[] | undefined;
  /** The path, or its fixed part, starts with this. Ends in `/`. */
  readonly prefix?: string | undefined;
  /** `GET` includes `HEAD`. */
  readonly methods?: readonly string[] | undefined;
  /** Seconds from dp-date to dp-expires. */
  readonly maxLife?: number | undefined;
  /** `YYYYMMDDTHHMMSSZ`: no grant may expire later. */
  readonly until?: string | undefined;
}

const isText =
  (valid: (text: string) => boolean): ((value: unknown) => boolean) =>
  (value) =>
    typeof value === "string" && valid(value);
const isList =
  (valid: (text: string) => boolean): ((value: unknown) => boolean) =>
  (value) =>
    Array.isArray(value) && value.length > 0 && value.every(isText(valid));

/** The form of each member, and whether a grant is inside it. */
const MEMBERS: {
  readonly [M in keyof UrlKeyScope]-?: readonly [
    isValid: (value: unknown) => boolean,
    covers: (limit: NonNullable<UrlKeyScope[M]>, url: ParsedUrl) => boolean,
  ];
} = {
  origins: [isList(isOrigin), (origins, { canonical }) => origins.includes(canonical.origin)],
  prefix: [
    isText((prefix) => prefix.endsWith("/") && isPath(prefix)),
    (prefix, { canonical }) => canonical.path.startsWith(prefix),
  ],
  methods: [
    isList((method) => /^[A-Z]{3,16}$/.test(method)),
    (methods, { parameters }) => parameters["dp-methods"].every((method) => grantedMethods(methods).includes(method)),
  ],
  maxLife: [
    (life) => Number.isSafeInteger(life) && Number(life) > 0,
    (life, { parameters }) => Number(parameters["dp-expires"]) - Number(parameters["dp-date"]) <= life * 1000,
  ],
  until: [
    isText((time) => readValue("dp-expires", time) !== undefined),
    (time, { parameters }) => parameters["dp-expires"] <= (parseBasicTime(time) as Date),
  ],
};

type Rule = readonly [isValid: (value: unknown) => boolean, covers: (limit: unknown, url: ParsedUrl) => boolean];

/** The member of a scope that is misspelt or has the wrong form, and so would not limit anything; else `undefined`. */
export function faultyMember(scope: UrlKeyScope): string | undefined {
  if (typeof scope !== "object" || scope === null || Array.isArray(scope)) return "scope";
  return limitsOf(scope).find(([member, limit]) => !Object.hasOwn(MEMBERS, member) || !MEMBERS[member][0](limit))?.[0];
}

/** Throws `KEY_SCOPE` if a grant exceeds its key's scope. Both signer and verifier call it. */
export function enforceScope(scope: UrlKeyScope, url: ParsedUrl): void {
  for (const [member, limit] of limitsOf(scope)) {
    const [, covers] = MEMBERS[member] as Rule;
    if (covers(limit, url)) continue;
    throw refusal("KEY_SCOPE", `the scope of the key does not allow these ${member}`, {
      member,
      limit: String(limit),
    });
  }
}

function limitsOf(scope: UrlKeyScope): readonly (readonly [keyof UrlKeyScope, unknown])[] {
  return (Object.entries(scope) as [keyof UrlKeyScope, unknown][]).filter(([, limit]) => limit !== undefined);
}
