import { fromBase64 } from "../encode.ts";
import { invalidRsaKey, PRIVATE_FORMS, PUBLIC_FORMS, withLineEnds } from "./rsa-contract.ts";

// WebCrypto imports PKCS#8 and SubjectPublicKeyInfo only. Here the other forms of PEM are put into these two.

const INTEGER = 2;
const BIT_STRING = 3;
const OCTET_STRING = 4;
const SEQUENCE = 0x30;
const VERSION = 0xa0;
// AlgorithmIdentifier { rsaEncryption, NULL } of RFC 8017 appendix A.1.
const RSA = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

/** PKCS#8 of a private key in PEM. Throws `INVALID_KEY`. */
export function rsaPkcs8(pem: string): Uint8Array {
  const [label, der] = fromPem(pem, PRIVATE_FORMS);
  if (label === "PRIVATE KEY") return der;
  if (label === "RSA PRIVATE KEY") return element(SEQUENCE, [INTEGER, 1, 0], RSA, element(OCTET_STRING, der));
  throw invalidRsaKey(PRIVATE_FORMS);
}

/** SubjectPublicKeyInfo of a public key in PEM. Throws `INVALID_KEY`. */
export function rsaSpki(pem: string): Uint8Array {
  const [label, der] = fromPem(pem, PUBLIC_FORMS);
  if (label === "PUBLIC KEY") return der;
  if (label === "RSA PUBLIC KEY") return element(SEQUENCE, RSA, element(BIT_STRING, [0], der));
  if (label === "CERTIFICATE") return keyOfCertificate(der);
  throw invalidRsaKey(PUBLIC_FORMS);
}

function fromPem(pem: string, expected: string): readonly [string, Uint8Array] {
  const [, label, text, end] =
    /^-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\s]+)-----END ([A-Z ]+)-----/.exec(withLineEnds(pem)) ?? [];
  const der = fromBase64(text?.replace(/\s/g, "") ?? "");
  if (label === undefined || label !== end || der === undefined) throw invalidRsaKey(expected);
  return [label, der];
}

function element(tag: number, ...content: readonly ArrayLike<number>[]): Uint8Array {
  const bytes = content.flatMap((part) => Array.from(part));
  const { length } = bytes;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Uint8Array.from([tag, ...size, ...bytes]);
}

// RFC 5280 section 4.1: Certificate { TBSCertificate { [0] version, serial, signature, issuer, validity, subject, key, … } … }
function keyOfCertificate(der: Uint8Array): Uint8Array {
  const [certificate] = elements(der);
  const [body] = elements(certificate?.content);
  const fields = elements(body?.content).filter(({ tag }) => tag !== VERSION);
  const key = fields[5];
  if (key === undefined) throw invalidRsaKey(PUBLIC_FORMS);
  return key.whole;
}

function elements(
  der: Uint8Array = new Uint8Array(),
): readonly { tag: number; content: Uint8Array; whole: Uint8Array }[] {
  const found: { tag: number; content: Uint8Array; whole: Uint8Array }[] = [];
  for (let at = 0; at < der.length; ) {
    const [tag = 0, first = 0] = der.subarray(at);
    let start = at + 2;
    let length = first;
    if (first > 0x80) {
      start += first & 0x7f;
      length = der.subarray(at + 2, start).reduce((sum, byte) => sum * 256 + byte, 0);
    }
    const end = start + length;
    if (end > der.length) return [];
    found.push({ tag, content: der.subarray(start, end), whole: der.slice(at, end) });
    at = end;
  }
  return found;
}
