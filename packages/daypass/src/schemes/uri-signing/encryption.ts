import { base64url, fromBase64url, latin1, utf8 } from "../../wire/encoding.ts";
import { coveringNetwork, isInside } from "../../wire/ip.ts";
import { repeatsMember } from "../../wire/json-members.ts";
import { percentDecode } from "../../wire/raw-target.ts";
import { checkKid, invalidKey } from "./keys.ts";

// The parts of WebCrypto that are used, declared here because the library is compiled without the DOM's types.
declare const crypto: {
  getRandomValues(bytes: Uint8Array): Uint8Array;
  readonly subtle: {
    importKey(
      format: "raw",
      data: Uint8Array,
      name: "AES-GCM",
      extractable: false,
      usages: readonly string[],
    ): Promise<CryptoKey>;
    encrypt(algorithm: AesGcm, key: CryptoKey, data: Uint8Array): Promise<ArrayBuffer>;
    decrypt(algorithm: AesGcm, key: CryptoKey, data: Uint8Array): Promise<ArrayBuffer>;
  };
};
interface CryptoKey {
  readonly type: string;
}
interface AesGcm {
  readonly name: "AES-GCM";
  readonly iv: Uint8Array;
  readonly additionalData: Uint8Array;
}

/** A secret for the claims `sub` and `cdniip`, which name a person, as a JWK. */
export interface UriSigningEncryptionJwk {
  readonly kty: "oct";
  readonly kid: string;
  readonly alg: "A128GCM" | "A256GCM";
  /** 16 or 32 bytes in base64url. */
  readonly k: string;
}

/** Makes and reads the encrypted claims. */
export interface UriSigningEncryption {
  /** A JWE in compact form. */
  readonly encrypt: (text: string) => Promise<string>;
  /** The text of a JWE, or `undefined` for one of another key or algorithm, or that was changed. */
  readonly decrypt: (jwe: string) => Promise<string | undefined>;
  /** Whether a client's address is in the network that a JWE contains. */
  readonly admits: (jwe: string, remoteAddress: string | undefined) => Promise<boolean>;
}

/**
 * Encrypts and decrypts the claims `sub` and `cdniip` as JWE (RFC 7516) with a shared secret: `dir` with AES-GCM. The algorithm
 * is the key's, as everywhere.
 *
 * @throws {DaypassError} `INVALID_KEY`
 * @example
 * ```ts
 * import { uriSigningEncryption } from "daypass/uri-signing";
 *
 * const encryption = uriSigningEncryption({ kty: "oct", kid: "e1", alg: "A128GCM", k: "4uFxxV7fhNmrtiah2d1fFg" });
 * console.log(await encryption.decrypt(await encryption.encrypt("203.0.113.0/24"))); // "203.0.113.0/24"
 * ```
 */
export function uriSigningEncryption(jwk: UriSigningEncryptionJwk): UriSigningEncryption {
  const { kty, kid, alg, k } = jwk ?? ({} as UriSigningEncryptionJwk);
  checkKid(kid);
  const bytes = fromBase64url(String(k));
  if (kty !== "oct" || !bytes || bytes.length !== { A128GCM: 16, A256GCM: 32 }[alg]) {
    throw invalidKey('kty "oct", alg "A128GCM" or "A256GCM", and k of 16 or 32 bytes in base64url');
  }
  const key = (usage: string): Promise<CryptoKey> => crypto.subtle.importKey("raw", bytes, "AES-GCM", false, [usage]);
  const encryption: UriSigningEncryption = {
    async encrypt(text) {
      const head = base64url(utf8(JSON.stringify({ alg: "dir", enc: alg, kid })));
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const options = { name: "AES-GCM", iv, additionalData: utf8(head) } as const;
      const sealed = new Uint8Array(await crypto.subtle.encrypt(options, await key("encrypt"), utf8(text)));
      // `dir` has no encrypted key: its part is empty. The last 16 bytes are the tag.
      return `${head}..${base64url(iv)}.${base64url(sealed.slice(0, -16))}.${base64url(sealed.slice(-16))}`;
    },
    async decrypt(jwe) {
      const [head = "", wrapped, iv, text, tag, more] = jwe.split(".");
      const parts = [head, iv, text, tag].map((part) => (part === undefined ? undefined : fromBase64url(part)));
      const [header, nonce, ciphertext, mac] = parts;
      if (
        !header ||
        wrapped !== "" ||
        nonce?.length !== 12 ||
        !ciphertext ||
        mac?.length !== 16 ||
        more !== undefined
      ) {
        return undefined;
      }
      try {
        const named = JSON.parse(latin1(header)) as Readonly<Record<string, unknown>>;
        if (repeatsMember(latin1(header), named)) return undefined;
        if (named["alg"] !== "dir" || named["enc"] !== alg || (named["kid"] ?? kid) !== kid) return undefined;
        // RFC 7516 sections 4.1.3 and 4.1.13: both "MUST be understood". Neither is.
        if (named["crit"] !== undefined || named["zip"] !== undefined) return undefined;
        const options = { name: "AES-GCM", iv: nonce, additionalData: utf8(head) } as const;
        const sealed = Uint8Array.from([...ciphertext, ...mac]);
        const plain = new Uint8Array(await crypto.subtle.decrypt(options, await key("decrypt"), sealed));
        return percentDecode([...plain].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""));
      } catch {
        return undefined;
      }
    },
    async admits(jwe, remoteAddress) {
      const network = await encryption.decrypt(jwe);
      return network !== undefined && isInsideClaim(remoteAddress, network);
    },
  };
  return encryption;
}

/**
 * Whether an address lies in the network of a cdniip claim: "represented in CIDR notation, with dotted decimal format for
 * IPv4 addresses or canonical text representation for IPv6 addresses". The example of the standard has brackets around it
 * and bits behind its prefix, so these mean nothing here.
 */
function isInsideClaim(remoteAddress: string | undefined, claim: string): boolean {
  const network = coveringNetwork(claim.replace(/^\[|\]$/g, ""));
  return network !== undefined && isInside(remoteAddress, [network]);
}
