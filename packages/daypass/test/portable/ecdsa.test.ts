import { createPrivateKey, createPublicKey, createSign, createVerify, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type EcJwk, fromDer, toDer } from "../../src/crypto/ecdsa-key.ts";
import * as node from "../../src/crypto/ecdsa-node.ts";
import * as portable from "../../src/crypto/ecdsa-portable.ts";
import { expectRefusal } from "../wire-request.ts";

// RFC 6979 appendix A.2.5: the key, and the signatures of "sample" with SHA-256 and SHA-1.
const rfc6979 = {
  d: "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
  x: "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
  y: "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
  sha256:
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
  sha1: "61340c88c3aaebeb4f6d667f672ca9759a6ccaa9fa8811313039ee4a35471d326d7f147dac089441bb2e2fe8f7a3fa264b9c475098fdcf6e00d7c996e1b8b7eb",
};
// RFC 7515 appendix A.3: an ES256 key and the signature of a JWS.
const rfc7515 = {
  jwk: {
    kty: "EC",
    crv: "P-256",
    x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    d: "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
  } as const,
  message:
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
  signature: "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
};
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const jwk = privateKey.export({ format: "jwk" }) as unknown as EcJwk & { d: string };
const point = Uint8Array.from(
  Buffer.concat([Buffer.from([4]), Buffer.from(jwk.x, "base64url"), Buffer.from(jwk.y, "base64url")]),
);
const sec1 = privateKey.export({ format: "pem", type: "sec1" }).toString();
const privateForms = {
  "PKCS#8": privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
  SEC1: sec1,
  "SEC1 behind the curve's own block":
    `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${sec1}`.replaceAll("\n", "\r\n"),
  JWK: jwk,
  scalar: Uint8Array.from(Buffer.from(jwk.d, "base64url")),
};
const publicForms = {
  SPKI: publicKey.export({ format: "pem", type: "spki" }).toString(),
  JWK: jwk,
  "JWK without d": { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y },
  point,
};

describe.each([
  { build: "node", crypto: node },
  { build: "portable", crypto: portable },
])("#crypto/ecdsa, $build", ({ crypto }) => {
  it("verifies the signatures of RFC 6979 and RFC 7515", async () => {
    const key = bytes(`04${rfc6979.x}${rfc6979.y}`);
    for (const hash of ["sha256", "sha1"] as const) {
      const raw = bytes(rfc6979[hash]);
      const verifying = crypto.ecdsaPublicKey(key, hash);
      expect(await verifying.verifyRaw("sample", raw)).toBe(true);
      expect(await verifying.verify("sample", toDer(raw))).toBe(true);
      expect(await verifying.verifyRaw("Sample", raw)).toBe(false);
    }
    const signature = Uint8Array.from(Buffer.from(rfc7515.signature, "base64url"));
    expect(await crypto.ecdsaPublicKey(rfc7515.jwk).verifyRaw(rfc7515.message, signature)).toBe(true);
  });

  it("computes the point of RFC 6979's scalar", async () => {
    const key = crypto.ecdsaPrivateKey(bytes(rfc6979.d));
    expect(await key.publicKey.verifyRaw("sample", bytes(rfc6979.sha256))).toBe(true);
  });

  it.each(Object.entries(privateForms))("signs with a key as %s what OpenSSL verifies", async (_, form) => {
    const key = crypto.ecdsaPrivateKey(form);
    for (const message of ["sample", "ü𝄞", new Uint8Array([0, 255])]) {
      const der = await key.sign(message);
      expect(createVerify("sha256").update(message).verify(publicKey, der)).toBe(true);
      expect(await key.publicKey.verify(message, der)).toBe(true);
      const raw = await key.signRaw(message);
      expect(raw.length).toBe(64);
      expect(createVerify("sha256").update(message).verify({ key: publicKey, dsaEncoding: "ieee-p1363" }, raw)).toBe(
        true,
      );
    }
    const sha1 = await crypto.ecdsaPrivateKey(form, "sha1").sign("sample");
    expect(createVerify("sha1").update("sample").verify(publicKey, sha1)).toBe(true);
    expect(await key.publicKey.verify("sample", sha1)).toBe(false);
  });

  it.each(Object.entries(publicForms))("verifies with a key as %s what OpenSSL signs", async (_, form) => {
    const signature = createSign("sha256").update("sample").sign(privateKey);
    const key = crypto.ecdsaPublicKey(form);
    expect(await key.verify("sample", signature)).toBe(true);
    expect(await key.verify("samples", signature)).toBe(false);
    expect(await key.verifyRaw("sample", new Uint8Array(64))).toBe(false);
  });

  const p384 = generateKeyPairSync("ec", { namedCurve: "secp384r1" });
  const koblitz = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
  const ed25519 = generateKeyPairSync("ed25519");
  const pem = { format: "pem", type: "pkcs8" } as const;
  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["a text that is no PEM", "hunter2"],
    ["a public key", publicForms.SPKI],
    ["an Ed25519 key", ed25519.privateKey.export(pem).toString()],
    ["a P-384 key", p384.privateKey.export(pem).toString()],
    ["a P-384 key in SEC1", p384.privateKey.export({ format: "pem", type: "sec1" }).toString()],
    ["a secp256k1 key in SEC1", koblitz.privateKey.export({ format: "pem", type: "sec1" }).toString()],
    ["an encrypted key", privateKey.export({ ...pem, cipher: "aes-256-cbc", passphrase: "x" }).toString()],
    ["a short scalar", new Uint8Array(31)],
    ["the scalar 0", new Uint8Array(32)],
    ["a scalar above the order", new Uint8Array(32).fill(255)],
    ["a JWK without d", publicForms["JWK without d"]],
    ["a JWK of another curve", { ...jwk, crv: "P-384" }],
    ["a JWK whose d is padded", { ...jwk, d: `${jwk.d}=` }],
    ["a JWK whose x and y belong to another d", { ...jwk, d: rfc7515.jwk.d }],
  ])("refuses to sign with %s", async (_, form) => {
    await expectRefusal((async () => crypto.ecdsaPrivateKey(form as string).sign("sample"))(), "INVALID_KEY");
  });

  it.each<[string, unknown]>([
    ["a text that is no PEM", "hunter2"],
    ["a private key", privateForms["PKCS#8"]],
    ["an Ed25519 key", ed25519.publicKey.export({ format: "pem", type: "spki" }).toString()],
    ["a P-384 key", p384.publicKey.export({ format: "pem", type: "spki" }).toString()],
    ["a secp256k1 key", koblitz.publicKey.export({ format: "pem", type: "spki" }).toString()],
    ["a compressed point", point.slice(0, 33)],
    ["a point off the curve", Uint8Array.from([...point.slice(0, 64), (point[64] as number) ^ 1])],
    ["a JWK without y", { kty: "EC", crv: "P-256", x: jwk.x }],
  ])("refuses to verify with %s", async (_, form) => {
    const signature = createSign("sha256").update("sample").sign(privateKey);
    await expectRefusal(
      (async () => crypto.ecdsaPublicKey(form as string).verify("sample", signature))(),
      "INVALID_KEY",
    );
  });
});

describe("a signature in DER", () => {
  const key = createPublicKey(createPrivateKey({ key: rfc7515.jwk, format: "jwk" }));
  const raw = Uint8Array.from(Buffer.from(rfc7515.signature, "base64url"));

  it("encodes and decodes DER as OpenSSL does", () => {
    const der = toDer(raw);
    expect(createVerify("sha256").update(rfc7515.message).verify(key, der)).toBe(true);
    expect(fromDer(der)).toEqual(raw);
    const small = Uint8Array.from({ length: 64 }, (_, i) => (i === 31 ? 1 : i === 63 ? 0x80 : 0));
    expect([...toDer(small)]).toEqual([0x30, 7, 2, 1, 1, 2, 2, 0, 0x80]);
    expect(fromDer(toDer(small))).toEqual(small);
  });

  it("accepts one spelling of DER", () => {
    const der = [...toDer(raw)];
    const r = der.slice(2, 4 + (der[3] as number));
    const s = der.slice(2 + r.length);
    const sequence = (content: readonly number[]): readonly number[] => [0x30, content.length, ...content];
    const padded = (integer: readonly number[]): readonly number[] => [
      2,
      (integer[1] as number) + 1,
      0,
      ...integer.slice(2),
    ];
    const spellings: readonly (readonly number[])[] = [
      [],
      [0x30],
      [0x30, 0],
      [...der, 0],
      der.slice(0, -1),
      [0x31, ...der.slice(1)],
      [0x30, 0x81, ...der.slice(1)],
      [0x30, 0x80, ...der.slice(2), 0, 0],
      sequence([...padded(r), ...s]),
      sequence([...r, ...padded(s)]),
      sequence([2, 0x81, ...r.slice(1), ...s]),
      sequence([3, ...r.slice(1), ...s]),
      sequence([...r, ...s, 2, 1, 0]),
      sequence([2, 0, ...s]),
      sequence([...r, 2, 0]),
      sequence([2, 40, ...new Array(40).fill(1), ...s]),
      // A first bit that is set without a zero byte before it: a negative number.
      sequence([2, 1, 0x80, 2, 1, 1]),
    ];
    for (const spelling of spellings) expect(fromDer(Uint8Array.from(spelling)), spelling.join()).toBeUndefined();
  });

  it("decodes no random bytes that it would encode differently", () => {
    for (let seed = 1; seed < 20_000; seed++) {
      const der = Uint8Array.from({ length: 8 }, (_, i) => (seed * (i + 7) * 2654435761) >>> 13);
      der[0] = 0x30;
      const read = fromDer(der);
      if (read !== undefined) expect(toDer(read)).toEqual(der);
    }
  });
});
