import {
  anyOfKinds,
  type FieldKind,
  flag,
  isObject,
  missing,
  number,
  object,
  record,
  text,
  textList,
  textMap,
} from "../../core/fields.ts";
import { BIND, ownOrigin } from "../../core/line-fields.ts";
import type { EntryContext, SchemeFields, SignFields } from "../../core/scheme.ts";
import { type UrlHmacKey, type UrlKey, type UrlSignerOptions, urlSigner, urlVerifier } from "./index.ts";

// The library checks the members themselves.
const JWK = record({ kid: text, kty: text, alg: text, use: text, crv: text, k: text, x: text, d: text, scope: object });

const line: SignFields = {
  options: { key: JWK, maxExpiresIn: number },
  request: {
    url: text,
    methods: textList,
    prefix: anyOfKinds("a string or a number", text, number),
    audience: text,
    subject: text,
    nonce: text,
    uses: number,
    createOnly: flag,
    vary: textList,
    bind: BIND,
    response: textMap,
  },
  required: { key: "give a JWK that can sign in each line" },
  signer: (options: UrlSignerOptions<UrlHmacKey>) => urlSigner(options),
};

const KEYS: FieldKind = {
  expected: "a list of JWKs or a JWK set",
  accepts: (value) => keyList(value).every((key) => JWK.accepts(key)),
  fault(value) {
    const fault = JWK.fault?.(keyList(value).find((key) => !JWK.accepts(key)));
    return fault && `${fault}, which no key for Daypass URLs has`;
  },
};

interface Entry {
  readonly key?: UrlKey;
  readonly keys?: unknown;
  readonly audience?: string;
  readonly origins?: readonly string[];
  readonly maxSkew?: number;
}

/** Lines of Daypass URLs. */
export const fields: SchemeFields = {
  line: () => line,
  entry: { key: JWK, keys: KEYS, audience: text, origins: textList, maxSkew: number },
  verifiers(entry: Entry, { origin, clock, enforces }: EntryContext) {
    const { audience, origins = [ownOrigin(origin)], maxSkew } = entry;
    return [["url", urlVerifier({ keys: keysOf(entry), origins, audience, maxSkew, clock, enforces })]];
  },
  explainKeys: keysOf,
};

function keysOf({ key, keys }: Entry): readonly UrlKey[] {
  if ((key === undefined) === (keys === undefined)) throw missing("key or keys", "give one of them in each url entry");
  return (key === undefined ? keyList(keys) : [key]) as readonly UrlKey[];
}

function keyList(keys: unknown): readonly unknown[] {
  if (Array.isArray(keys)) return keys;
  return isObject(keys) && Array.isArray(keys["keys"]) ? keys["keys"] : [keys];
}
