import { DaypassError } from "./errors.ts";
import {
  anyOfKinds,
  both,
  describe,
  type FieldKind,
  instant,
  type JsonObject,
  type Kinds,
  missing,
  number,
  oneOf,
  record,
  text,
  textListMap,
  textMap,
  textOrList,
} from "./fields.ts";
import type { SignFields } from "./scheme.ts";

const LENGTH = anyOfKinds("a number or {min, max}", number, record({ min: number, max: number }));

/** Chooses fields by a field of the line. The first choice is the default; `what` ends the sentence of an error. */
export function byVersion(
  choices: Readonly<Record<string, SignFields>>,
  field = "version",
  what = "",
): (line: JsonObject) => SignFields {
  const [usual] = Object.keys(choices);
  return (line) => {
    const asked = line[field] ?? usual;
    if (typeof asked === "string" && Object.hasOwn(choices, asked)) return choices[asked] as SignFields;
    const shown = typeof asked === "string" ? JSON.stringify(asked).slice(0, 40) : describe(asked);
    const known = Object.keys(choices)
      .map((name) => JSON.stringify(name))
      .join(" or ");
    throw new DaypassError("INVALID_INPUT", `${field} is ${shown}. Pass ${known}${what}`);
  };
}

/** `bind`, in every scheme. The signer refuses what its scheme cannot bind. */
export const BIND: FieldKind = record({
  contentType: text,
  contentLength: LENGTH,
  sha256: text,
  headers: textMap,
  query: textListMap,
  ip: textOrList,
});

/** `form`, which makes an upload form of a line. `object` has the fields that name an object. */
export function uploadForm(object: Kinds): FieldKind {
  const conditions: FieldKind = { expected: "a list of conditions", accepts: Array.isArray };
  return record({ ...object, contentLength: LENGTH, fields: textMap, conditions });
}

/** Fields of a line that signs for a store, other than the object's name and place. */
export const STORE_REQUEST: Kinds = {
  method: text,
  query: textMap,
  headers: textMap,
  response: textMap,
  bind: BIND,
  prefix: text,
  dotSegments: oneOf("refuse", "sign"),
};

/** The credentials of a line as the library needs them. In a line, the expiry of temporary credentials is text. @internal */
export function dated<C extends object>(credentials: C): Omit<C, "expiration"> & { readonly expiration?: Date } {
  const { expiration, ...rest } = credentials as C & { readonly expiration?: string };
  return expiration === undefined ? rest : { ...rest, expiration: instant("credentials.expiration", expiration) };
}

/** The credentials of an entry, one or more, as the library needs them. */
export function keysIn<C extends object>(
  { credentials }: { readonly credentials?: C | readonly C[] },
  hint: string,
): readonly ReturnType<typeof dated<C>>[] {
  if (credentials === undefined) throw missing("credentials", `give ${hint} in each entry`);
  return ([credentials].flat() as readonly C[]).map((one) => dated(one));
}

/** Those fields of an object that are in the table and set. */
export function present(object: object, kinds: Kinds): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name, value]) => name in kinds && value !== undefined));
}

/** The spelling that verifiers require of an origin: lower case, without the default port. */
export function ownOrigin(origin: string): string {
  const lower = origin.toLowerCase();
  return lower.replace(lower.startsWith("https:") ? /:443$/ : /:80$/, "");
}

/** `https://bucket.s3.example.com` as `https://*.s3.example.com`; `undefined` for an IP address or a name without a dot. */
export function wildcardOrigin(origin: string): string | undefined {
  const match = /^(https?:\/\/)[a-z0-9_-]+\.([a-z0-9.-]*[a-z][a-z0-9.-]*(?::\d+)?)$/.exec(ownOrigin(origin));
  return match === null ? undefined : `${match[1]}*.${match[2]}`;
}

/** The origins of a store at a signer's endpoint: the endpoint itself, and a bucket's name in front of its host. */
export function endpointOrigins(endpoint: string): readonly string[] {
  const origin = ownOrigin(endpoint.replace(/^(https?:\/\/[^/]*).*$/i, "$1"));
  const [, scheme, host] = /^(https?:\/\/)([a-z0-9.-]*[a-z][a-z0-9.-]*(?::\d+)?)$/.exec(origin) ?? [];
  return scheme === undefined || !host?.includes(".") ? [origin] : [origin, `${scheme}*.${host}`];
}

/** `buckets` of an entry: buckets by the origin of the bucket's host. Verifiers never match a bare host. */
export const BUCKETS: FieldKind = {
  expected: "an object with origins (https://host) as names and strings as values",
  accepts: (value) => textMap.accepts(value) && Object.keys(value as object).every(isOrigin),
  fault: (value) => (textMap.accepts(value) ? "another name" : undefined),
};

function isOrigin(name: string): boolean {
  return /^https?:\/\/[^/?#@*]+$/.test(name) && name === ownOrigin(name);
}

/** The signer's options that say where a store is. An entry takes them too, so that one object configures both sides. */
export interface StorePlace {
  readonly region?: string;
  readonly regions?: readonly string[];
  readonly endpoint?: string | undefined;
  readonly origins?: readonly string[] | undefined;
  readonly addressing?: "virtual" | "path" | "bucket-bound";
  readonly buckets?: Readonly<Record<string, string>>;
}

/** The fields of {@link StorePlace} that a signer has. */
export const STORE_PLACE: Kinds = {
  region: text,
  endpoint: text,
  addressing: oneOf("virtual", "path", "bucket-bound"),
};

/** The regions that a signature may be for: the list, or the signer's region. */
export function regionsOf({ region, regions }: StorePlace): readonly string[] | undefined {
  if (region !== undefined && regions !== undefined) throw both("region", "regions");
  return region === undefined ? regions : [region];
}

/** The served origins: the list, or the origins of the signer's endpoint. */
export function originsOf({ endpoint, origins }: StorePlace): readonly string[] | undefined {
  if (endpoint !== undefined && origins !== undefined) throw both("endpoint", "origins");
  return endpoint === undefined ? origins : endpointOrigins(endpoint);
}

/** Buckets that have their own host. Without a name for such a host, the first segment of the path would pass for the bucket. */
export function bucketsOf(
  { addressing, buckets, endpoint, origins }: StorePlace,
  origin: string,
): StorePlace["buckets"] {
  if (addressing !== "bucket-bound") return buckets;
  const hosts = endpoint === undefined ? (origins ?? [ownOrigin(origin)]) : endpointOrigins(endpoint).slice(0, 1);
  const host = hosts.find((one) => buckets?.[one] === undefined);
  if (host === undefined) return buckets;
  const named = JSON.stringify(host);
  throw missing(`buckets with ${named}`, `name the bucket of that host, {${named}:"media"}`);
}
