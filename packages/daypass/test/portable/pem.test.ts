import { createPrivateKey, createPublicKey, createSign, createVerify, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import * as node from "../../src/crypto/pem-node.ts";
import * as portable from "../../src/crypto/pem-portable.ts";
import { subtleSha512Hmac } from "../../src/crypto/small-hmac.ts";
import { expectRefusal } from "../wire-request.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const pem = (key: { export(options: object): string | Buffer }, type: string, extra: object = {}): string =>
  key.export({ format: "pem", type, ...extra }).toString();
const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
const sec1 = pem(ec.privateKey, "sec1");

const privateForms = {
  "RSA, PKCS#1": pem(rsa.privateKey, "pkcs1"),
  "RSA, PKCS#8": pem(rsa.privateKey, "pkcs8"),
  "RSA, out of an environment variable": pem(rsa.privateKey, "pkcs1").replaceAll("\n", "\\n"),
  "RSA, out of one where spaces are": pem(rsa.privateKey, "pkcs8").replaceAll("\n", " "),
  "RSA, PKCS#1, out of one where spaces are": pem(rsa.privateKey, "pkcs1").trim().replaceAll("\n", " "),
  "P-256, SEC1": sec1,
  "P-256, SEC1 behind the curve's own block, all in one line": `${parameters}${sec1}`.replaceAll("\n", " "),
  "P-256, PKCS#8, with both spellings": pem(ec.privateKey, "pkcs8").replaceAll("\n", "\\r\\n "),
  "P-256, SEC1 behind the curve's own block": `${parameters}${sec1}`.replaceAll("\n", "\r\n"),
  "P-256, PKCS#8": pem(ec.privateKey, "pkcs8"),
  "P-256, PKCS#8, indented behind a text": `From a configuration:\n${pem(ec.privateKey, "pkcs8").replace(/^/gm, "  ")}`,
};
const indented = (text: string) => `From a configuration:\n${text.replace(/^/gm, "  ")}`;
const publicForms = {
  "RSA, SPKI, indented behind a text": indented(pem(rsa.publicKey, "spki")),
  "RSA, SPKI": pem(rsa.publicKey, "spki"),
  "RSA, PKCS#1": pem(rsa.publicKey, "pkcs1"),
  "RSA, PKCS#1, in one line": pem(rsa.publicKey, "pkcs1").replaceAll("\n", " "),
  "P-256, SPKI": pem(ec.publicKey, "spki"),
  "P-256, SPKI, in one line": pem(ec.publicKey, "spki").replaceAll("\n", " "),
};
const pairOf = (name: string) => (name.startsWith("RSA") ? rsa : ec);

describe.each([
  { build: "node", crypto: node },
  { build: "portable", crypto: portable },
])("#crypto/pem, $build", ({ crypto }) => {
  it.each(Object.entries(privateForms))("signs with a key as %s what OpenSSL verifies", async (name, text) => {
    for (const hash of ["sha1", "sha256"] as const) {
      const signature = await crypto.pemPrivateKey(text).sign(hash, "grüße");
      const { publicKey } = pairOf(name);
      expect(createVerify(hash).update("grüße").verify(publicKey, signature)).toBe(true);
      expect(createVerify(hash).update("other").verify(publicKey, signature)).toBe(false);
    }
  });

  it.each(Object.entries(publicForms))("verifies with a key as %s what OpenSSL signs", async (name, text) => {
    const key = crypto.pemPublicKey(text);
    for (const hash of ["sha1", "sha256"] as const) {
      const signature = createSign(hash).update("grüße").sign(pairOf(name).privateKey);
      expect(await key.verify(hash, "grüße", signature)).toBe(true);
      expect(await key.verify(hash === "sha1" ? "sha256" : "sha1", "grüße", signature)).toBe(false);
      expect(await key.verify(hash, "gruss", signature)).toBe(false);
      for (const other of [new Uint8Array(), signature.subarray(1), Buffer.concat([signature, Buffer.from([0])])]) {
        expect(await key.verify(hash, "grüße", other)).toBe(false);
      }
    }
  });

  it("takes a signature of ECDSA in its one spelling", async () => {
    const key = crypto.pemPublicKey(publicForms["P-256, SPKI"]);
    const der = createSign("sha256").update("x").sign(ec.privateKey);
    expect(await key.verify("sha256", "x", der)).toBe(true);
    // The same integers with a length of two bytes, and with a needless zero in front.
    const long = Buffer.concat([Buffer.from([0x30, 0x81, der[1] as number]), der.subarray(2)]);
    const r = der.subarray(4, 4 + (der[3] as number));
    const rest = der.subarray(4 + r.length);
    const padded = Buffer.concat([Buffer.from([0x30, (der[1] as number) + 1, 2, r.length + 1, 0]), r, rest]);
    for (const other of [long, padded]) expect(await key.verify("sha256", "x", other)).toBe(false);
  });

  it.each([
    ["nothing", ""],
    ["no PEM", "secret"],
    ["the other half", publicForms["RSA, SPKI"]],
    ["a key that is too short", pem(generateKeyPairSync("rsa", { modulusLength: 768 }).privateKey, "pkcs8")],
    ["another curve", pem(generateKeyPairSync("ec", { namedCurve: "secp384r1" }).privateKey, "pkcs8")],
    ["another kind", pem(generateKeyPairSync("ed25519").privateKey, "pkcs8")],
    ["a key under a passphrase", pem(rsa.privateKey, "pkcs8", { cipher: "aes-256-cbc", passphrase: "x" })],
  ])("refuses %s", async (_, text) => {
    await expectRefusal((async () => crypto.pemPrivateKey(text).sign("sha256", "x"))(), "INVALID_KEY");
  });

  it("refuses to verify with a private key", async () => {
    await expectRefusal(
      (async () => crypto.pemPublicKey(privateForms["RSA, PKCS#8"]).verify("sha256", "x", new Uint8Array(256)))(),
      "INVALID_KEY",
    );
  });
});

it("both builds make the same RSA signature", async () => {
  const text = privateForms["RSA, PKCS#1"];
  const [a, b] = [node.pemPrivateKey(text), portable.pemPrivateKey(text)];
  expect(await a.sign("sha1", "x")).toEqual(Buffer.from(await b.sign("sha1", "x")));
  expect(createPublicKey(createPrivateKey(text)).equals(rsa.publicKey)).toBe(true);
});

it("HMAC-SHA512 by WebCrypto returns the value of RFC 4231, test case 2", async () => {
  const mac = await subtleSha512Hmac("Jefe")("what do ya want for nothing?");
  expect(Buffer.from(mac).toString("hex")).toBe(
    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
  );
});
