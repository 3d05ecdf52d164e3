import {
  anyOf,
  type Clock,
  DaypassError,
  type Grant,
  isDaypassError,
  type ObligationKind,
  type Verifier,
} from "daypass";
import { type S3Credentials, s3Verifier } from "daypass/s3";
import { s3HeaderVerifier } from "daypass/s3/header";
import { s3V2Verifier } from "daypass/s3/v2";
import { type UrlKey, urlVerifier } from "daypass/url";
import { unknownScheme } from "./answer.ts";
import {
  checkFields,
  type Fields,
  fields,
  isObject,
  type JsonObject,
  missing,
  nested,
  number,
  oneOf,
  text,
  textList,
} from "./fields.ts";
import { S3_CREDENTIALS, s3Credentials } from "./s3.ts";
import { JWK } from "./url.ts";

/** What every verifier of a line gets from it. */
export interface LineContext {
  /** `scheme://authority` of the request: where no origins are given, it is the one that is trusted. */
  readonly origin: string;
  readonly clock: Clock;
}

/** Verifiers by what they detect, so that two entries for the same dialect are two sets of keys and no ambiguity. */
type Dialects = Map<string, Verifier[]>;

// The command serves nothing: it reports the obligations in the grant, and whoever acts on the answer discharges them.
const ENFORCES: readonly ObligationKind[] = [
  "body-length",
  "body-sha256",
  "body-checksum",
  "create-only",
  "uses",
  "response",
  "strip",
];

const one = nested(S3_CREDENTIALS);
const S3_ENTRY: Fields = fields({
  scheme: text,
  version: oneOf("v4", "v2", "header"),
  credentials: {
    expected: "{accessKeyId, secretAccessKey, sessionToken, expiration} or a list of them",
    accepts: (value) => (Array.isArray(value) ? value.every((item) => one.accepts(item)) : one.accepts(value)),
  },
  origins: textList,
  regions: textList,
  maxFutureSkew: number,
  maxLife: number,
  allowUnsigned: textList,
});

/** Makes one verifier of the `schemes` of a line. */
export function schemeVerifiers(entries: unknown, context: LineContext): Verifier {
  if (!Array.isArray(entries) || entries.length === 0)
    throw missing("schemes", 'give at least one, such as {"scheme":"s3","credentials":{…}}');
  const dialects: Dialects = new Map();
  for (const entry of entries) {
    if (!isObject(entry)) throw new DaypassError("INVALID_INPUT", "expected schemes as a list of objects");
    const add = SCHEMES.get(entry["scheme"]);
    if (add === undefined) throw unknownScheme(entry["scheme"], [...SCHEMES.keys()]);
    add(dialects, entry, context);
  }
  return anyOf(...[...dialects.values()].map(firstOf));
}

const SCHEMES: ReadonlyMap<unknown, (dialects: Dialects, entry: JsonObject, context: LineContext) => void> = new Map<
  unknown,
  (dialects: Dialects, entry: JsonObject, context: LineContext) => void
>([
  ["s3", addS3],
  ["url", addUrl],
]);

type S3LineCredentials = Parameters<typeof s3Credentials>[0];

interface S3Entry {
  readonly version?: "v4" | "v2" | "header";
  readonly credentials?: S3LineCredentials | readonly S3LineCredentials[];
  readonly origins?: readonly string[];
  readonly regions?: readonly string[];
  readonly maxFutureSkew?: number;
  readonly maxLife?: number;
  readonly allowUnsigned?: readonly string[];
}

function addS3(dialects: Dialects, object: JsonObject, { origin, clock }: LineContext): void {
  checkFields(object, S3_ENTRY);
  const entry = object as S3Entry;
  if (entry.credentials === undefined)
    throw missing("credentials", "give accessKeyId and secretAccessKey in each s3 entry");
  const list = Array.isArray(entry.credentials) ? entry.credentials : [entry.credentials as S3LineCredentials];
  const credentials: readonly S3Credentials[] = list.map(s3Credentials);
  const { version, regions, maxFutureSkew, maxLife, allowUnsigned } = entry;
  const origins = entry.origins ?? [s3Origin(origin)];
  const common = { credentials, origins, clock, enforces: ENFORCES };
  if (version === undefined || version === "v4")
    push(dialects, "v4", s3Verifier({ ...common, regions, maxFutureSkew }));
  if (version === undefined || version === "header") push(dialects, "header", s3HeaderVerifier({ ...common, regions }));
  if (version === undefined || version === "v2") {
    const options = { ...common, maxLife, allowUnsigned };
    push(dialects, "v2", s3V2Verifier(options));
    // SigV2 signs the bucket's name wherever it stands. Without configured origins both places have to be tried.
    const wildcard = entry.origins === undefined ? wildcardOrigin(origin) : undefined;
    if (wildcard !== undefined) push(dialects, "v2", s3V2Verifier({ ...options, origins: [wildcard] }));
  }
}

const URL_ENTRY: Fields = fields({
  scheme: text,
  key: JWK,
  keys: {
    expected: "a list of JWKs or a JWK set",
    accepts: (value) => keyList(value).every((key) => JWK.accepts(key)),
  },
  audience: text,
  origins: textList,
  maxSkew: number,
});

function addUrl(dialects: Dialects, object: JsonObject, { origin, clock }: LineContext): void {
  checkFields(object, URL_ENTRY);
  const { key, keys, audience, origins, maxSkew } = object as {
    readonly key?: UrlKey;
    readonly keys?: unknown;
    readonly audience?: string;
    readonly origins?: readonly string[];
    readonly maxSkew?: number;
  };
  if ((key === undefined) === (keys === undefined)) throw missing("key or keys", "give one of them in each url entry");
  const list = (key === undefined ? keyList(keys) : [key]) as readonly UrlKey[];
  const options = { keys: list, origins: origins ?? [ownOrigin(origin)], audience, maxSkew, clock, enforces: ENFORCES };
  push(dialects, "url", urlVerifier(options));
}

function keyList(keys: unknown): readonly unknown[] {
  if (Array.isArray(keys)) return keys;
  return isObject(keys) && Array.isArray(keys["keys"]) ? keys["keys"] : [keys];
}

const AMAZON_VIRTUAL = /^(https?:\/\/).+\.(s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?)$/;

// On Amazon a bucket in front of the host can be told from the host's name alone, and the grant should name it.
function s3Origin(origin: string): string {
  return ownOrigin(origin).replace(AMAZON_VIRTUAL, "$1*.$2");
}

// `https://bucket.s3.example.com` as `https://*.s3.example.com`. An address has no labels to stand for a bucket.
function wildcardOrigin(origin: string): string | undefined {
  const match = /^(https?:\/\/)[a-z0-9-]+\.([a-z0-9.-]*[a-z][a-z0-9.-]*(?::\d+)?)$/.exec(ownOrigin(origin));
  return match === null ? undefined : `${match[1]}*.${match[2]}`;
}

/** The spelling that verifiers ask of an origin: lower case, without the scheme's default port. */
export function ownOrigin(origin: string): string {
  const lower = origin.toLowerCase();
  return lower.replace(lower.startsWith("https:") ? /:443$/ : /:80$/, "");
}

function push(dialects: Dialects, name: string, verifier: Verifier): void {
  const list = dialects.get(name);
  if (list === undefined) dialects.set(name, [verifier]);
  else list.push(verifier);
}

/** Tries several sets of keys of one dialect. The refusal that came closest to a grant is the one that is reported. */
function firstOf(verifiers: readonly Verifier[]): Verifier<Grant> {
  const [only, ...others] = verifiers;
  if (only === undefined || others.length === 0) return only as Verifier;
  return {
    detects: only.detects,
    async verify(request, proof) {
      let refusal: unknown;
      for (const verifier of verifiers) {
        try {
          return await verifier.verify(request, proof);
        } catch (error) {
          if (refusal === undefined || isElsewhere(refusal)) refusal = error;
        }
      }
      throw refusal;
    },
  };
}

/** Refusals that only say that this entry is not the one for the request. */
function isElsewhere(error: unknown): boolean {
  return isDaypassError(error) && (error.code === "UNKNOWN_KEY" || error.code === "WRONG_ORIGIN");
}
