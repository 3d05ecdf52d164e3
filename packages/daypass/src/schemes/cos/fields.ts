import { number, oneOf, oneOrMore, record, text, textList } from "../../core/fields.ts";
import {
  BUCKETS,
  bucketsOf,
  keysIn,
  originsOf,
  ownOrigin,
  STORE_PLACE,
  STORE_REQUEST,
  type StorePlace,
} from "../../core/line-fields.ts";
import type { EntryContext, SchemeFields, SignFields } from "../../core/scheme.ts";
import { type CosCredentials, cosSigner, cosVerifier } from "./index.ts";

const CREDENTIALS = record({ secretId: text, secretKey: text, sessionToken: text, expiration: text });

const line: SignFields = {
  options: { ...STORE_PLACE, credentials: CREDENTIALS, credentialExpiry: oneOf("refuse", "clamp") },
  request: { bucket: text, key: text, resource: oneOf("bucket"), ...STORE_REQUEST },
  required: { credentials: "give secretId and secretKey in each line" },
  signer: cosSigner,
};

interface Entry extends StorePlace {
  readonly credentials?: CosCredentials | readonly CosCredentials[];
  readonly maxLife?: number;
  readonly maxFutureSkew?: number;
}

const TENCENT_VIRTUAL = /^(https?:\/\/)[a-z0-9-]+\.(cos\.[a-z0-9-]+\.myqcloud\.com)$/;

/** Lines of Tencent COS. */
export const fields: SchemeFields = {
  line: () => line,
  entry: {
    credentials: oneOrMore(CREDENTIALS),
    origins: textList,
    buckets: BUCKETS,
    ...STORE_PLACE,
    maxLife: number,
    maxFutureSkew: number,
  },
  verifiers(entry: Entry, { origin, clock, enforces }: EntryContext) {
    const { maxLife, maxFutureSkew } = entry;
    // On Tencent's own hosts, the host begins with the bucket, and the grant should name it.
    const origins = originsOf(entry) ?? [ownOrigin(origin).replace(TENCENT_VIRTUAL, "$1*.$2")];
    const options = { credentials: keysOf(entry), origins, buckets: bucketsOf(entry, origin), clock, enforces };
    return [["cos", cosVerifier({ ...options, maxLife, maxFutureSkew })]];
  },
  explainKeys: keysOf,
};

function keysOf(entry: Entry): readonly CosCredentials[] {
  return keysIn(entry, "secretId and secretKey");
}
