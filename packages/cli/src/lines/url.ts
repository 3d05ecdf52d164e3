import type { Bindings, ResponseOverrides, SignedRequest } from "daypass";
import { type UrlEd25519PrivateKey, type UrlHmacKey, type UrlSignRequest, urlSigner } from "daypass/url";
import { BIND } from "./bindings.ts";
import { cache } from "./cache.ts";
import {
  checkFields,
  type FieldKind,
  type Fields,
  fields,
  flag,
  type JsonObject,
  missing,
  nested,
  number,
  object,
  text,
  textList,
  textMap,
} from "./fields.ts";
import { instant } from "./instant.ts";
import { type TimedSigner, timedSigner } from "./timed-signer.ts";

/** A key that can sign, as it stands in a line. */
export type UrlSigningKey = UrlHmacKey | UrlEd25519PrivateKey;

/** A line of `sign --batch` with `"scheme":"url"`, once its fields have been checked. */
interface UrlLine extends Omit<UrlSignRequest, "expiresAt" | "notBefore" | "bind" | "response"> {
  readonly key?: UrlSigningKey;
  readonly signedAt?: string;
  readonly expiresAt?: string;
  readonly notBefore?: string;
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

/** A JWK of a Daypass URL key. Its members are the library's to check. */
export const JWK: FieldKind = nested(JWK_FIELDS);

const LINE = fields({
  scheme: text,
  url: text,
  methods: textList,
  expiresIn: number,
  expiresAt: text,
  notBefore: text,
  stableWindow: number,
  signedAt: text,
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

/** Signs lines of the scheme `url`. Signers are kept by their key. */
export function urlLineSigner(): (line: JsonObject) => SignedRequest | Promise<SignedRequest> {
  const signers = cache<TimedSigner<UrlSignRequest>>();
  return (object) => {
    checkFields(object, LINE);
    const line = object as unknown as UrlLine;
    const { key } = line;
    if (key === undefined) throw missing("key", "give a JWK that can sign in each line");
    const time = line.signedAt === undefined ? new Date() : instant("signedAt", line.signedAt);
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
  const { methods, expiresIn, expiresAt, notBefore, stableWindow, prefix, audience, subject } = line;
  const { url, nonce, uses, createOnly, vary, bind, response } = line;
  return {
    url,
    methods,
    expiresIn,
    expiresAt: expiresAt === undefined ? undefined : instant("expiresAt", expiresAt),
    notBefore: notBefore === undefined ? undefined : instant("notBefore", notBefore),
    stableWindow,
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
