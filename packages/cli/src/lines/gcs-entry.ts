import { createPublicKey } from "node:crypto";
import { DaypassError } from "daypass";
import {
  type GcsEndpointOptions,
  type GcsHmacKey,
  type GcsPublicAccount,
  gcsHmacVerifier,
  gcsVerifier,
} from "daypass/gcs";
import { gcsV2HmacVerifier, gcsV2Verifier } from "daypass/gcs/v2";
import {
  checked,
  type FieldKind,
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
import { type DialectVerifier, ENFORCES, type LineContext } from "./line-scheme.ts";
import { originMap, ownOrigin, wildcardOrigin } from "./origins.ts";
import { bucketsOf, originsOf } from "./signer-place.ts";

const HMAC_KEY = nested(fields({ accessKeyId: text, secretAccessKey: text }));
const isAccount = (value: unknown): boolean =>
  isObject(value) &&
  text.accepts(value["client_email"]) &&
  (text.accepts(value["private_key"]) || text.accepts(value["public_key"]) || isObject(value["public_key"]));
const KEY: FieldKind = {
  expected:
    "{client_email, public_key}, the key file of a service account, {accessKeyId, secretAccessKey}, or a list of them",
  accepts: (value) =>
    [value].flat().length > 0 && [value].flat().every((item) => isAccount(item) || HMAC_KEY.accepts(item)),
};

/** What a signer is told of the place. */
export const GCS_PLACE: Readonly<Record<string, FieldKind>> = {
  addressing: oneOf("path", "virtual", "bucket-bound"),
  ...{ endpoint: text, universeDomain: text },
};

const ENTRY: Fields = fields({
  scheme: text,
  version: oneOf("v4", "v2"),
  credentials: KEY,
  origins: textList,
  buckets: originMap,
  ...GCS_PLACE,
  maxFutureSkew: number,
  maxLife: number,
  allowUnsigned: textList,
});

interface GcsEntry extends GcsEndpointOptions {
  readonly version?: "v4" | "v2";
  readonly credentials?: EntryKey | readonly EntryKey[];
  readonly origins?: readonly string[];
  readonly buckets?: Readonly<Record<string, string>>;
  readonly maxFutureSkew?: number;
  readonly maxLife?: number;
  readonly allowUnsigned?: readonly string[];
}

type EntryKey = GcsHmacKey | GcsPublicAccount | PrivateAccount;

interface PrivateAccount {
  readonly client_email: string;
  readonly private_key: string;
}

/** The keys of an entry with `"scheme":"gcs"`. Throws `INVALID_INPUT` for a misspelt one. */
export function gcsEntryKeys(object: JsonObject): readonly EntryKey[] {
  return keysOf(checked(object, ENTRY));
}

function keysOf({ credentials }: GcsEntry): readonly EntryKey[] {
  if (credentials !== undefined) return [credentials].flat();
  throw missing(
    "credentials",
    "give client_email and public_key, or accessKeyId and secretAccessKey, in each gcs entry",
  );
}

/** The verifiers of an entry with `"scheme":"gcs"`: for each version, those of the kinds of keys that it has. */
export function gcsLineVerifiers(object: JsonObject, { origin, clock }: LineContext): readonly DialectVerifier[] {
  const entry = checked<GcsEntry>(object, ENTRY);
  const keys = keysOf(entry);
  const hmacKeys = keys.filter((key) => "accessKeyId" in key);
  const accounts = keys.filter((key) => "client_email" in key).map(publicAccount);
  const { version, maxFutureSkew, maxLife, allowUnsigned } = entry;
  const buckets = bucketsOf(entry, origin);
  const configured = configuredOrigins(entry);
  const origins = configured ?? [gcsOrigin(origin)];
  const common = { origins, buckets, clock, enforces: ENFORCES };
  const verifiers: DialectVerifier[] = [];
  if (version !== "v2") {
    const v4 = { ...common, maxFutureSkew };
    if (accounts.length > 0) verifiers.push(["gcs", gcsVerifier({ ...v4, keys: accounts })]);
    if (hmacKeys.length > 0) verifiers.push(["gcs/hmac", gcsHmacVerifier({ ...v4, keys: hmacKeys })]);
  }
  if (version !== "v4") {
    // V2 signs the bucket's name wherever it stands. Without configured origins both places have to be tried.
    const wildcard = configured === undefined ? wildcardOrigin(origin) : undefined;
    const places = [origins, ...(wildcard === undefined || origins.includes(wildcard) ? [] : [[wildcard]])];
    for (const place of places) {
      const v2 = { ...common, origins: place, maxLife, allowUnsigned };
      if (accounts.length > 0) verifiers.push(["gcs/v2", gcsV2Verifier({ ...v2, keys: accounts })]);
      if (hmacKeys.length > 0) verifiers.push(["gcs/v2/hmac", gcsV2HmacVerifier({ ...v2, keys: hmacKeys })]);
    }
  }
  return verifiers;
}

/** Those of the signer's place, where no list is given. A bucket's own host has no bucket in front. */
function configuredOrigins(entry: GcsEntry): readonly string[] | undefined {
  const { universeDomain, endpoint = universeDomain && `https://storage.${universeDomain}` } = entry;
  const origins = originsOf({ endpoint, origins: entry.origins });
  return entry.addressing === "bucket-bound" && endpoint !== undefined ? origins?.slice(0, 1) : origins;
}

const GOOGLE_VIRTUAL = /^(https?:\/\/).+\.(storage\.googleapis\.com)$/;

/** On Google a bucket in front of the host can be told from the host's name alone, and the grant should name it. */
function gcsOrigin(origin: string): string {
  return ownOrigin(origin).replace(GOOGLE_VIRTUAL, "$1*.$2");
}

/** Whoever has the key file at hand may verify with it, too: only its public half is used. */
function publicAccount(key: GcsPublicAccount | PrivateAccount): GcsPublicAccount {
  const { client_email } = key;
  if ("public_key" in key) return { client_email, public_key: key.public_key };
  try {
    const jwk = createPublicKey(key.private_key).export({ format: "jwk" });
    return { client_email, public_key: jwk as Exclude<GcsPublicAccount["public_key"], string> };
  } catch {
    throw new DaypassError("INVALID_KEY", "expected private_key as an RSA key in PEM, found none that can be read");
  }
}
