import {
  type FieldKind,
  isObject,
  type Kinds,
  number,
  object,
  oneOf,
  oneOrMore,
  record,
  text,
  textList,
} from "../../core/fields.ts";
import {
  BUCKETS,
  bucketsOf,
  byVersion,
  keysIn,
  originsOf,
  ownOrigin,
  STORE_REQUEST,
  type StorePlace,
  uploadForm,
  wildcardOrigin,
} from "../../core/line-fields.ts";
import type {
  DialectVerifier,
  EntryContext,
  KeyTools,
  LineSigner,
  SchemeFields,
  SignFields,
} from "../../core/scheme.ts";
import { unchecked } from "../../core/unchecked.ts";
import type { GcsHmacKey, GcsServiceAccount } from "./credentials.ts";
import { gcsFormSigner, gcsHmacFormSigner } from "./form/index.ts";
import {
  type GcsEndpointOptions,
  type GcsPublicAccount,
  gcsHmacSigner,
  gcsHmacVerifier,
  gcsSigner,
  gcsVerifier,
} from "./index.ts";
import { gcsV2HmacSigner, gcsV2HmacVerifier, gcsV2Signer, gcsV2Verifier } from "./v2/index.ts";

const HMAC_KEY = record({ accessKeyId: text, secretAccessKey: text });
// Google's key file has many more members, which are accepted.
const hasTexts = (value: unknown, ...names: readonly string[]): boolean =>
  isObject(value) && names.every((name) => text.accepts(value[name]));
const CREDENTIALS: FieldKind = {
  expected: "the key file of a service account, or {accessKeyId, secretAccessKey}",
  accepts: (value) => hasTexts(value, "client_email", "private_key") || HMAC_KEY.accepts(value),
};
const ENTRY_KEY: FieldKind = {
  expected: "{client_email, public_key}, the key file of a service account, {accessKeyId, secretAccessKey}",
  accepts: (value) =>
    CREDENTIALS.accepts(value) ||
    (hasTexts(value, "client_email") &&
      (hasTexts(value, "public_key") || (isObject(value) && object.accepts(value["public_key"])))),
};
const PLACE: Kinds = { addressing: oneOf("path", "virtual", "bucket-bound"), endpoint: text, universeDomain: text };
const REQUEST: Kinds = { bucket: text, object: text, resource: oneOf("bucket"), ...STORE_REQUEST };
const { method: _, query: __, headers: ___, ...FORM } = REQUEST;

interface Options extends GcsEndpointOptions {
  readonly version?: string;
  readonly credentials: GcsServiceAccount | GcsHmacKey;
}

/** Lines of one version. The form of the credentials chooses the signer. */
function version(
  account: (options: never) => LineSigner,
  hmac: (options: never) => LineSigner,
  more?: Partial<SignFields>,
): SignFields {
  return {
    options: { version: text, ...PLACE, credentials: CREDENTIALS },
    request: REQUEST,
    required: { credentials: "give client_email and private_key, or accessKeyId and secretAccessKey, in each line" },
    signer: ({ version: _, ...options }: Options) =>
      ("client_email" in options.credentials ? account : hmac)(unchecked(options)),
    ...more,
  };
}

const lines = byVersion({ v4: version(gcsSigner, gcsHmacSigner), v2: version(gcsV2Signer, gcsV2HmacSigner) });
const formLines = byVersion(
  {
    v4: version(gcsFormSigner, gcsHmacFormSigner, {
      request: { form: uploadForm(FORM) },
      prepare: ({ form, ...lifetime }: { readonly form: object }) => ({ ...form, ...lifetime }),
    }),
  },
  "version",
  " for a form",
);

type EntryKey = GcsHmacKey | GcsPublicAccount | { readonly client_email: string; readonly private_key: string };

interface Entry extends StorePlace {
  readonly version?: "v4" | "v2";
  readonly universeDomain?: string;
  readonly credentials?: EntryKey | readonly EntryKey[];
  readonly maxFutureSkew?: number;
  readonly maxLife?: number;
  readonly allowUnsigned?: readonly string[];
}

/** Lines of Cloud Storage: V4, V2 and upload forms, by service accounts and by HMAC keys. */
export const fields: SchemeFields = {
  line: (line) => (Object.hasOwn(line, "form") ? formLines : lines)(line),
  entry: {
    version: oneOf("v4", "v2"),
    credentials: oneOrMore(ENTRY_KEY),
    origins: textList,
    buckets: BUCKETS,
    ...PLACE,
    maxFutureSkew: number,
    maxLife: number,
    allowUnsigned: textList,
  },
  verifiers(entry: Entry, { origin, clock, enforces, tools }: EntryContext) {
    const keys = keysOf(entry);
    const hmac = keys.filter((key) => "accessKeyId" in key);
    const accounts = keys.filter((key) => "client_email" in key).map((key) => publicAccount(key, tools));
    const { version, maxFutureSkew, maxLife, allowUnsigned } = entry;
    const configured = configuredOrigins(entry);
    const origins = configured ?? [ownOrigin(origin).replace(GOOGLE_VIRTUAL, "$1*.$2")];
    const common = { origins, buckets: bucketsOf(entry, origin), clock, enforces };
    const verifiers: DialectVerifier[] = [];
    if (version !== "v2") {
      const v4 = { ...common, maxFutureSkew };
      if (accounts.length > 0) verifiers.push(["gcs", gcsVerifier({ ...v4, keys: accounts })]);
      if (hmac.length > 0) verifiers.push(["gcs/hmac", gcsHmacVerifier({ ...v4, keys: hmac })]);
    }
    if (version === "v4") return verifiers;
    // V2 signs the bucket's name wherever the name stands. Without configured origins both places are tried.
    const wildcard = configured === undefined ? wildcardOrigin(origin) : undefined;
    for (const place of [origins, ...(wildcard === undefined || origins.includes(wildcard) ? [] : [[wildcard]])]) {
      const v2 = { ...common, origins: place, maxLife, allowUnsigned };
      if (accounts.length > 0) verifiers.push(["gcs/v2", gcsV2Verifier({ ...v2, keys: accounts })]);
      if (hmac.length > 0) verifiers.push(["gcs/v2/hmac", gcsV2HmacVerifier({ ...v2, keys: hmac })]);
    }
    return verifiers;
  },
  explainKeys: keysOf,
};

const GOOGLE_VIRTUAL = /^(https?:\/\/).+\.(storage\.googleapis\.com)$/;

function keysOf(entry: Entry): readonly EntryKey[] {
  return keysIn<EntryKey>(
    entry,
    "client_email and public_key, or accessKeyId and secretAccessKey,",
  ) as readonly EntryKey[];
}

/** The origins of the signer's place, if there is no list. A bucket's own host has no bucket in front. */
function configuredOrigins(entry: Entry): readonly string[] | undefined {
  const { universeDomain, endpoint = universeDomain && `https://storage.${universeDomain}` } = entry;
  const origins = originsOf({ ...entry, endpoint });
  return entry.addressing === "bucket-bound" && endpoint !== undefined ? origins?.slice(0, 1) : origins;
}

/** The public half verifies: an entry may have the key file, as a signer has. */
function publicAccount(key: Exclude<EntryKey, GcsHmacKey>, tools: KeyTools): GcsPublicAccount {
  const { client_email } = key;
  return {
    client_email,
    public_key: "public_key" in key ? key.public_key : tools.publicPem(key.private_key, "private_key"),
  };
}
