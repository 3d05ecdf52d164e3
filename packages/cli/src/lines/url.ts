import type { Bindings, ResponseOverrides, SignedRequest } from "daypass";
import {
  type UrlEd25519PrivateKey,
  type UrlHmacKey,
  type UrlKey,
  type UrlSignRequest,
  urlSigner,
  urlVerifier,
} from "daypass/url";
import { BIND } from "./bindings.ts";
import { cache } from "./cache.ts";
import {
  checked,
  type FieldKind,
  type Fields,
  fields,
  flag,
  isObject,
  type JsonObject,
  missing,
  nested,
  number,
  object,
  text,
  textList,
  textMap,
} from "./fields.ts";
import { LIFETIME, type LineLifetime, lifetime, signingTime } from "./lifetime.ts";
import { type DialectVerifier, ENFORCES, type LineContext, type LineScheme, type SignLine } from "./line-scheme.ts";
import { ownOrigin } from "./origins.ts";
import { type TimedSigner, timedSigner } from "./timed-signer.ts";

/** Lines of the scheme `url`: Daypass URLs. */
export const urlLineScheme: LineScheme = {
  signer: urlLineSigner,
  verifiers: urlLineVerifiers,
  explainKeys: (object) => keysOf(checked(object, ENTRY)),
};

/** A key that can sign, as it stands in a line. */
export type UrlSigningKey = UrlHmacKey | UrlEd25519PrivateKey;

/** A line of `sign --batch` with `"scheme":"url"`, once its fields have been checked. */
interface UrlLine extends Omit<UrlSignRequest, keyof LineLifetime | "bind" | "response">, LineLifetime {
  readonly key?: UrlSigningKey;
  readonly bind?: Bindings;
  readonly response?: ResponseOverrides;
}

const JWK_FIELDS: Fields = fields({
  kid: text,
  kty: text,
  alg: text,
  use: text,
  crv: text,
  k: text,
  x: text,
  d: text,
  scope: object,
});

// Its members are the library's to check.
const JWK: FieldKind = nested(JWK_FIELDS);

const LINE = fields({
  scheme: text,
  url: text,
  methods: textList,
  ...LIFETIME,
  prefix: { expected: "a string or a number", accepts: (value) => ["string", "number"].includes(typeof value) },
  audience: text,
  subject: text,
  nonce: text,
  uses: number,
  createOnly: flag,
  vary: textList,
  bind: nested(BIND),
  response: textMap,
  key: JWK,
});

// Signers are kept by their key.
function urlLineSigner(): SignLine {
  const signers = cache<TimedSigner<UrlSignRequest>>();
  return (object) => {
    const line = checked<UrlLine>(object, LINE);
    const { key } = line;
    if (key === undefined) throw missing("key", "give a JWK that can sign in each line");
    const time = signingTime(line);
    const signer = signers(JSON.stringify(key), () => timedSigner((clock) => anyUrlSigner(key, clock)));
    return signer.sign(urlRequest(line), time);
  };
}

/** The signer for either kind of key: the library tells them apart by type, and here the type is data. */
export function anyUrlSigner(
  key: UrlSigningKey,
  clock: () => Date,
): { sign(request: UrlSignRequest): SignedRequest | Promise<SignedRequest> } {
  return key.kty === "oct" ? urlSigner({ key, clock }) : urlSigner({ key, clock });
}

function urlRequest(line: UrlLine): UrlSignRequest {
  const { url, methods, prefix, audience, subject, nonce, uses, createOnly, vary, bind, response } = line;
  return {
    url,
    methods,
    ...lifetime(line),
    prefix,
    audience,
    subject,
    nonce,
    uses,
    createOnly,
    vary,
    bind,
    response,
  };
}

const ENTRY: Fields = fields({
  scheme: text,
  key: JWK,
  keys: {
    expected: "a list of JWKs or a JWK set",
    accepts: (value) => keyList(value).every((key) => JWK.accepts(key)),
    fault(value) {
      const fault = JWK.fault?.(keyList(value).find((key) => !JWK.accepts(key)));
      return fault && `${fault}, which no key for Daypass URLs has`;
    },
  },
  audience: text,
  origins: textList,
  maxSkew: number,
});

interface UrlEntry {
  readonly key?: UrlKey;
  readonly keys?: unknown;
  readonly audience?: string;
  readonly origins?: readonly string[];
  readonly maxSkew?: number;
}

function keysOf({ key, keys }: UrlEntry): readonly UrlKey[] {
  if ((key === undefined) === (keys === undefined)) throw missing("key or keys", "give one of them in each url entry");
  return (key === undefined ? keyList(keys) : [key]) as readonly UrlKey[];
}

function urlLineVerifiers(object: JsonObject, { origin, clock }: LineContext): readonly DialectVerifier[] {
  const entry = checked<UrlEntry>(object, ENTRY);
  const keys = keysOf(entry);
  const { audience, origins, maxSkew } = entry;
  const options = { keys, origins: origins ?? [ownOrigin(origin)], audience, maxSkew, clock, enforces: ENFORCES };
  return [["url", urlVerifier(options)]];
}

function keyList(keys: unknown): readonly unknown[] {
  if (Array.isArray(keys)) return keys;
  return isObject(keys) && Array.isArray(keys["keys"]) ? keys["keys"] : [keys];
}
