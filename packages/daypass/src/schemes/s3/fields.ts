import {
  both,
  type Kinds,
  number,
  object,
  oneOf,
  oneOrMore,
  record,
  text,
  textList,
  textListMap,
} from "../../core/fields.ts";
import {
  byVersion,
  keysIn,
  originsOf,
  ownOrigin,
  regionsOf,
  STORE_PLACE,
  STORE_REQUEST,
  type StorePlace,
  uploadForm,
  wildcardOrigin,
} from "../../core/line-fields.ts";
import type { DialectVerifier, EntryContext, LineSigner, SchemeFields, SignFields } from "../../core/scheme.ts";
import { unchecked } from "../../core/unchecked.ts";
import type { S3Credentials } from "./credentials.ts";
import type { S3SignerOptions } from "./sign.ts";

const CREDENTIALS = record({
  accessKeyId: text,
  secretAccessKey: text,
  sessionToken: text,
  expiration: text,
  // The providers of the AWS SDK add these. None of them is part of a signature.
  $source: object,
  accountId: text,
  credentialScope: text,
});
const PLACE: Kinds = { ...STORE_PLACE, addressing: oneOf("virtual", "path") };
const OPTIONS: Kinds = {
  version: text,
  ...PLACE,
  credentials: CREDENTIALS,
  credentialExpiry: oneOf("refuse", "clamp"),
};
const { addressing: _, ...EXPRESS_OPTIONS } = OPTIONS;
const OBJECT: Kinds = { bucket: text, key: text, resource: oneOf("bucket"), ...STORE_REQUEST };
const { method: __, query: ___, headers: ____, response: _____, ...FORM_OBJECT } = OBJECT;

type Options = Omit<S3SignerOptions, "region"> & { readonly version?: string; readonly region?: string };

/** Lines of one version. A line that names the version loads its module, because nearly all lines are of one version. */
function version(
  load: () => Promise<(options: never) => LineSigner>,
  { region: usual, ...fields }: Partial<SignFields> & { readonly region?: string } = {},
): SignFields {
  const hints = {
    credentials: "give accessKeyId and secretAccessKey in each line",
    region:
      'give the one of the bucket in the line, by --region or by AWS_REGION. Most servers other than Amazon take "us-east-1"',
  };
  const { region: _, ...withoutRegion } = hints;
  return {
    options: OPTIONS,
    request: { ...OBJECT, query: textListMap },
    required: usual === undefined ? hints : withoutRegion,
    async signer({ version: _, region = usual, credentials, ...options }: Options) {
      const make = await load();
      const own = signingPart(credentials as S3Credentials);
      return make(unchecked({ ...options, ...(region && { region }), credentials: own }));
    },
    ...fields,
  };
}

const FORM = {
  request: { form: uploadForm(FORM_OBJECT) },
  prepare: ({ form, ...lifetime }: { readonly form: object }): object => ({ ...form, ...lifetime }),
};

// SigV2 signs no region, which only chooses Amazon's endpoint. SigV4A signs a set of regions.
const V2 = { region: "us-east-1" };
const V4A = { region: "", options: { ...OPTIONS, regionSet: textList } };

const lines = byVersion({
  v4: version(async () => (await import("./sign.ts")).s3Signer),
  v2: version(async () => (await import("./v2/index.ts")).s3V2Signer, V2),
  express: version(async () => (await import("./express/index.ts")).s3ExpressSigner, { options: EXPRESS_OPTIONS }),
  v4a: version(async () => (await import("./v4a/index.ts")).s3V4aSigner, V4A),
});
const formLines = byVersion(
  {
    v4: version(async () => (await import("./form/index.ts")).s3FormSigner, FORM),
    v2: version(async () => (await import("./form/v2/index.ts")).s3FormV2Signer, { ...FORM, ...V2 }),
  },
  "version",
  " for a form",
);

interface Entry extends StorePlace {
  readonly version?: string;
  readonly credentials?: S3Credentials | readonly S3Credentials[];
  /** The signer's set, of SigV4A. The set of a URL must be as wide, or name one of these. */
  readonly regionSet?: readonly string[];
  readonly maxFutureSkew?: number;
  readonly maxLife?: number;
  readonly allowUnsigned?: readonly string[];
}

/** Lines of S3 in all its versions. Signing loads no verifier, and verifying no signer. */
export const fields: SchemeFields = {
  line: (line) => (Object.hasOwn(line, "form") ? formLines : lines)(line),
  entry: {
    version: oneOf("v4", "v2", "v4a", "express", "header"),
    credentials: oneOrMore(CREDENTIALS),
    ...PLACE,
    origins: textList,
    regions: textList,
    regionSet: textList,
    maxFutureSkew: number,
    maxLife: number,
    allowUnsigned: textList,
  },
  async verifiers(entry: Entry, { origin, clock, enforces }: EntryContext) {
    const { version, regionSet, maxFutureSkew, maxLife, allowUnsigned } = entry;
    if (regionSet !== undefined && entry.regions !== undefined) throw both("regionSet", "regions");
    const regions = regionsOf(entry);
    const configured = originsOf(entry);
    const common = { credentials: keysOf(entry), origins: configured ?? [amazonOrigin(origin)], clock, enforces };
    const v4 = { ...common, regions, maxFutureSkew };
    const v2 = { ...common, maxLife, allowUnsigned };
    const verifiers: DialectVerifier[] = [];
    const wants = (name: string): boolean => version === undefined || version === name;
    if (wants("v4")) verifiers.push(["s3", (await import("./verify.ts")).s3Verifier(v4)]);
    if (wants("header"))
      verifiers.push(["s3/header", (await import("./header/index.ts")).s3HeaderVerifier({ ...common, regions })]);
    if (wants("express")) verifiers.push(["s3/express", (await import("./express/index.ts")).s3ExpressVerifier(v4)]);
    if (wants("v4a")) {
      const { s3V4aVerifier } = await import("./v4a/index.ts");
      verifiers.push(["s3/v4a", s3V4aVerifier({ ...v4, regions: regionSet ?? regions })]);
    }
    if (wants("v2")) {
      const { s3V2Verifier } = await import("./v2/index.ts");
      verifiers.push(["s3/v2", s3V2Verifier(v2)]);
      // SigV2 signs the bucket's name wherever the name stands. Without configured origins both places are tried.
      const wildcard = configured === undefined ? wildcardOrigin(origin) : undefined;
      if (wildcard !== undefined) verifiers.push(["s3/v2", s3V2Verifier({ ...v2, origins: [wildcard] })]);
    }
    return verifiers;
  },
  explainKeys: keysOf,
};

const AMAZON_VIRTUAL = /^(https?:\/\/).+\.(s3(?:express)?(?:[.-][a-z0-9-]+)*\.amazonaws\.(?:com(?:\.cn)?|eu))$/;

/** The origin with a wildcard for the bucket on Amazon's own hosts, so that the grant names the bucket. */
function amazonOrigin(origin: string): string {
  return ownOrigin(origin).replace(AMAZON_VIRTUAL, "$1*.$2");
}

function keysOf(entry: Entry): readonly S3Credentials[] {
  return keysIn(entry, "accessKeyId and secretAccessKey").map((one) => signingPart(one));
}

function signingPart({ accessKeyId, secretAccessKey, sessionToken, expiration }: S3Credentials): S3Credentials {
  return { accessKeyId, secretAccessKey, sessionToken, ...(expiration && { expiration }) };
}
