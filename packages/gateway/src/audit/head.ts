/** Heads: signed statements about the records of one writer. docs/spec/audit.md is their specification. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { textHash } from "./tree.ts";

/** The content of a head. */
export interface Head {
  readonly version: 1;
  readonly writer: string;
  /** Grows with each start of the writer. */
  readonly epoch: number;
  /** The first record of the tree. */
  readonly first: number;
  /** The last record of the tree. */
  readonly last: number;
  /** The root of the tree, base64url. */
  readonly root: string;
  /** The MAC of the commit that the tree ends with, base64url; absent in heads of a state without MACs. */
  readonly mac?: string | undefined;
  /** SHA-256 of the head before, base64url; `null` for the first one. */
  readonly previous: string | null;
  /** The latest head of each other writer: its last record, and its SHA-256. */
  readonly seen: Readonly<Record<string, { readonly last: number; readonly hash: string }>>;
  /** Heads that the operator gave up after a restore, by writer. Absent, unless the operator accepted one. */
  readonly abandoned?: Head["seen"] | undefined;
  /** When it was signed, ISO 8601. */
  readonly time: string;
  /** The id of the key that signed. */
  readonly key: string;
}

/** A head with its signature. */
export interface SignedHead {
  /** What is signed: the JSON of a {@link Head}. */
  readonly head: string;
  /** Ed25519, base64url. */
  readonly signature: string;
}

/** A key that signs heads. */
export interface AuditKey {
  /** The id of its public key, which heads name. */
  readonly id: string;
  /** Signs the content of a head. Does not check that it continues the head before. */
  sign(head: Omit<Head, "version" | "key">): SignedHead;
}

const CONTEXT = "daypass audit head 1\n";

/**
 * A new pair of keys in PEM: PKCS #8 and SPKI.
 *
 * @example
 * ```ts
 * import { newAuditKey } from "@daypass/gateway/audit";
 *
 * const { publicKey } = newAuditKey();
 * console.log(publicKey);
 * ```
 */
export function newAuditKey(): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
}

/**
 * Reads a private key.
 *
 * @param pem PKCS #8 in PEM
 * @throws {Error} if it is no Ed25519 key
 * @example
 * ```ts
 * import { auditKey, newAuditKey } from "@daypass/gateway/audit";
 *
 * console.log(auditKey(newAuditKey().privateKey).id);
 * ```
 */
export function auditKey(pem: string): AuditKey {
  const key = createPrivateKey(pem);
  const id = keyId(createPublicKey(key));
  return {
    id,
    sign(content) {
      const head = JSON.stringify({ version: 1, ...content, key: id } satisfies Head);
      return { head, signature: sign(null, Buffer.from(CONTEXT + head), key).toString("base64url") };
    },
  };
}

/**
 * The public keys of a text, by id.
 *
 * @param pem one or more blocks of SPKI in PEM
 * @throws {Error} if a block is no Ed25519 key, or the text has none
 * @example
 * ```ts
 * import { newAuditKey, publicKeys } from "@daypass/gateway/audit";
 *
 * console.log(publicKeys(newAuditKey().publicKey).size); // 1
 * ```
 */
export function publicKeys(pem: string): ReadonlyMap<string, KeyObject> {
  const blocks = pem.match(/-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----/g) ?? [];
  if (blocks.length === 0) throw new Error("the text has no key in PEM form");
  return new Map(
    blocks.map((block) => {
      const key = createPublicKey(block);
      return [keyId(key), key];
    }),
  );
}

/** The first 22 characters of SHA-256 over the raw public key, base64url. */
function keyId(key: KeyObject): string {
  const { x, crv } = key.export({ format: "jwk" });
  if (crv !== "Ed25519" || x === undefined) throw new Error("the key is not an Ed25519 key. Pass one");
  return textHash(Buffer.from(x, "base64url")).slice(0, 22);
}

/** The content of a head; `undefined` if no known key signed it. */
export function readHead({ head, signature }: SignedHead, keys: ReadonlyMap<string, KeyObject>): Head | undefined {
  const content = parseObject<Head>(head);
  const key = content && keys.get(String(content.key));
  if (content?.version !== 1 || key === undefined) return undefined;
  const isSigned = verify(null, Buffer.from(CONTEXT + head), key, Buffer.from(signature, "base64url"));
  return isSigned ? content : undefined;
}

/** The value of a JSON text, whose members the caller checks; `undefined` if the text is no JSON, or `null`. */
export function parseObject<T>(text: string): T | undefined {
  try {
    return (JSON.parse(text) as T | null) ?? undefined;
  } catch {
    return undefined;
  }
}
