import { flag, type Kinds, number, oneOf, oneOrMore, record, text, textList } from "../../core/fields.ts";
import {
  BUCKETS,
  bucketsOf,
  byVersion,
  keysIn,
  originsOf,
  ownOrigin,
  regionsOf,
  STORE_PLACE,
  STORE_REQUEST,
  type StorePlace,
  wildcardOrigin,
} from "../../core/line-fields.ts";
import type { DialectVerifier, EntryContext, SchemeFields, SignFields } from "../../core/scheme.ts";
import { type OssCredentials, type OssSignerOptions, ossSigner, ossVerifier } from "./index.ts";
import { ossV1Signer, ossV1Verifier } from "./v1/index.ts";

const CREDENTIALS = record({ accessKeyId: text, accessKeySecret: text, securityToken: text, expiration: text });
const OPTIONS: Kinds = {
  version: text,
  ...STORE_PLACE,
  credentials: CREDENTIALS,
  credentialExpiry: oneOf("refuse", "clamp"),
};
const REQUEST: Kinds = { bucket: text, key: text, resource: oneOf("bucket"), ...STORE_REQUEST };
const required = {
  region: 'give it in each line, such as "cn-hangzhou"',
  credentials: "give accessKeyId and accessKeySecret in each line",
};
type Options = OssSignerOptions & { readonly version?: string };

const v4: SignFields = {
  options: { ...OPTIONS, cloudBoxId: text },
  request: { ...REQUEST, bindHost: flag },
  required,
  signer: ({ version: _, ...options }: Options) => ossSigner(options),
};
const v1: SignFields = {
  options: OPTIONS,
  request: REQUEST,
  required,
  signer: ({ version: _, ...options }: Options) => ossV1Signer(options),
};

interface Entry extends StorePlace {
  readonly version?: "v4" | "v1";
  readonly credentials?: OssCredentials | readonly OssCredentials[];
  readonly maxFutureSkew?: number;
  readonly maxLife?: number;
  readonly allowUnsigned?: readonly string[];
}

/** Lines of Alibaba OSS, V4 and V1. */
export const fields: SchemeFields = {
  line: byVersion({ v4, v1 }),
  entry: {
    version: oneOf("v4", "v1"),
    credentials: oneOrMore(CREDENTIALS),
    ...STORE_PLACE,
    origins: textList,
    buckets: BUCKETS,
    regions: textList,
    maxFutureSkew: number,
    maxLife: number,
    allowUnsigned: textList,
  },
  verifiers(entry: Entry, { origin, clock, enforces }: EntryContext) {
    const { version, maxFutureSkew, maxLife, allowUnsigned } = entry;
    const common = { credentials: keysOf(entry), buckets: bucketsOf(entry, origin), clock, enforces };
    const regions = regionsOf(entry);
    // V1 and V4 sign the bucket wherever its name stands. Without configured origins both places are tried.
    const places = originsOf(entry)?.length
      ? [originsOf(entry) as readonly string[]]
      : [wildcardOrigin(origin) ?? [], ownOrigin(origin)].map((one) => [one].flat());
    return places
      .filter((origins) => origins.length > 0)
      .flatMap((origins) => {
        const verifiers: DialectVerifier[] = [];
        if (version !== "v1") verifiers.push(["oss", ossVerifier({ ...common, origins, regions, maxFutureSkew })]);
        if (version !== "v4") verifiers.push(["oss/v1", ossV1Verifier({ ...common, origins, maxLife, allowUnsigned })]);
        return verifiers;
      });
  },
  explainKeys: keysOf,
};

function keysOf(entry: Entry): readonly OssCredentials[] {
  return keysIn(entry, "accessKeyId and accessKeySecret");
}
