import { createSign, createVerify, generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { RsaJwk } from "../../src/crypto/rsa-contract.ts";
import * as node from "../../src/crypto/rsa-node.ts";
import * as portable from "../../src/crypto/rsa-portable.ts";
import { expectRefusal } from "../wire-request.ts";

// RFC 7515 appendix A.2: an RS256 key and the signature of a JWS.
const rfc7515 = {
  jwk: {
    kty: "RSA",
    n: "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    e: "AQAB",
  } as const,
  message:
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
  signature:
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
};
// Made by OpenSSL 3.5: a key of 1024 bits in a certificate of version 3 and of version 1, and its signature of "sample".
const certificates = {
  "version 3": `-----BEGIN CERTIFICATE-----
MIICDDCCAXWgAwIBAgIUC1IcKqQ4VtPTz45IBg79VZk3JAQwDQYJKoZIhvcNAQEL
BQAwFzEVMBMGA1UEAwwMZGF5cGFzcy50ZXN0MCAXDTI2MTEyNDE5MDQwOFoYDzIx
MjYxMDMxMTkwNDA4WjAXMRUwEwYDVQQDDAxkYXlwYXNzLnRlc3QwgZ8wDQYJKoZI
hvcNAQEBBQADgY0AMIGJAoGBAMXAZJPUHyifq2hq+lNryL3BjMB8FCcDhull4ZOj
RnET3v6M8yahQQpjN7T5YIzPUpsiI2JSFUmCtfC6ePDdB3yI5ymiRzCXN1knXNYn
ylqMlIpy+RzrDtOlbLcaxa9c4pL/u5yC4tPv9P/Z8ZAjAXRfhrkQYhtAQDTLe0/j
rdWfAgMBAAGjUzBRMB0GA1UdDgQWBBTK/oMTqVe7UO4udUMSvskfb0rWVTAfBgNV
HSMEGDAWgBTK/oMTqVe7UO4udUMSvskfb0rWVTAPBgNVHRMBAf8EBTADAQH/MA0G
CSqGSIb3DQEBCwUAA4GBAJcx6XVHcFT6kC38YUV4GFEZ+wskk1HyLmWFo/hrmcYC
SvOpnZPxOAry1L4w2wgXMhdmm31KA5YNMJIVTYTumGIt8wTO8YFvuhSm1B+Hczfm
Hl7D/S4rWduTtAhzyUnb4WzFNV16C7bSn6deCjXwkfMvcAEmWCw7tDUUFYwbDZup
-----END CERTIFICATE-----`,
  "version 1, which has no field for its version": `-----BEGIN CERTIFICATE-----
MIIBsjCCARsCFFrLAk7kgkp+96Dm3iVH4SwveGCoMA0GCSqGSIb3DQEBCwUAMBcx
FTATBgNVBAMMDGRheXBhc3MudGVzdDAgFw0yNjExMjQxOTA1MTlaGA8yMTI2MTAz
MTE5MDUxOVowFzEVMBMGA1UEAwwMZGF5cGFzcy50ZXN0MIGfMA0GCSqGSIb3DQEB
AQUAA4GNADCBiQKBgQDFwGST1B8on6toavpTa8i9wYzAfBQnA4bpZeGTo0ZxE97+
jPMmoUEKYze0+WCMz1KbIiNiUhVJgrXwunjw3Qd8iOcpokcwlzdZJ1zWJ8pajJSK
cvkc6w7TpWy3GsWvXOKS/7ucguLT7/T/2fGQIwF0X4a5EGIbQEA0y3tP463VnwID
AQABMA0GCSqGSIb3DQEBCwUAA4GBAGY/bEDJmU9dIw48b35OQwOTUjhlWLw7kdat
N4c+qm3pIx7NNcLBcbE278r06NsbvYO4upp/JYOOYyh4W7acSWyhOboJFgfB8jku
+MvS3oH6r5yR7zpvFD+R4vWA5l5LX00mlX4467h9L+IewkNgGDofYVROW6FcgsYU
EjLO9n3Q
-----END CERTIFICATE-----`,
};
const ofSample = Buffer.from(
  "ALzF3RYb8zZSPk3FFArrfdIWIyGsxOqGnyVWV1uL/iOBX0onwRB74rBJeVxakas1kgcGN3TUq6LlpD357PWcRviVb7I0sCXl6KA1wI7nqQVh3cr1yiQLhtqAV3/NwOofrKjFan/vyzxj9Q12PINpIIbTGnKZbjVZGuFRejBQogs=",
  "base64",
);

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pkcs8 = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
const privateForms = {
  "PKCS#8": pkcs8,
  "PKCS#1": privateKey.export({ format: "pem", type: "pkcs1" }).toString(),
  "PKCS#8 with the line ends of Windows": pkcs8.replaceAll("\n", "\r\n"),
  "PKCS#8 out of an environment variable": pkcs8.replaceAll("\n", "\\n"),
  "PKCS#8, indented behind a text": `From a configuration:\n${pkcs8.replace(/^/gm, "    ")}`,
};
const spki = publicKey.export({ format: "pem", type: "spki" }).toString();
const publicForms: Record<string, string | RsaJwk> = {
  SPKI: spki,
  "PKCS#1": publicKey.export({ format: "pem", type: "pkcs1" }).toString(),
  JWK: publicKey.export({ format: "jwk" }) as unknown as RsaJwk,
  "a JWK with more members": { ...publicKey.export({ format: "jwk" }), alg: "RS256", use: "sig" } as unknown as RsaJwk,
};
const messages = ["sample", "ü𝄞", "", new Uint8Array([0, 255])];
const short = generateKeyPairSync("rsa", { modulusLength: 512 });
const pss = generateKeyPairSync("rsa-pss", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const asPkcs8 = { format: "pem", type: "pkcs8" } as const;
const asSpki = { format: "pem", type: "spki" } as const;

describe.each([
  { build: "node", crypto: node },
  { build: "portable", crypto: portable },
])("#crypto/rsa, $build", ({ crypto }) => {
  it("verifies the signature of RFC 7515", async () => {
    const key = crypto.rsaPublicKey(rfc7515.jwk);
    const signature = Buffer.from(rfc7515.signature, "base64url");
    expect(await key.verify("sha256", rfc7515.message, signature)).toBe(true);
    expect(await key.verify("sha256", `${rfc7515.message}.`, signature)).toBe(false);
    expect(await key.verify("sha1", rfc7515.message, signature)).toBe(false);
  });

  it.each(Object.entries(certificates))("reads the key of a certificate of %s", async (_, pem) => {
    expect(await crypto.rsaPublicKey(pem).verify("sha256", "sample", ofSample)).toBe(true);
    expect(await crypto.rsaPublicKey(pem).verify("sha256", "Sample", ofSample)).toBe(false);
  });

  it.each(Object.entries(privateForms))("signs with a key as %s what OpenSSL signs", async (_, pem) => {
    const key = crypto.rsaPrivateKey(pem);
    for (const message of messages) {
      for (const digest of ["sha1", "sha256"] as const) {
        const expected = createSign(digest).update(message).sign(privateKey);
        expect(Buffer.from(await key.sign(digest, message)).equals(expected)).toBe(true);
      }
    }
  });

  it.each(Object.entries(publicForms))("verifies with a key as %s what OpenSSL signs", async (_, form) => {
    const key = crypto.rsaPublicKey(form);
    for (const message of messages) {
      for (const digest of ["sha1", "sha256"] as const) {
        const signature = createSign(digest).update(message).sign(privateKey);
        expect(await key.verify(digest, message, signature)).toBe(true);
        signature[7] = (signature[7] as number) ^ 1;
        expect(await key.verify(digest, message, signature)).toBe(false);
      }
    }
  });

  it("accepts a signature of one length only", async () => {
    const signature = createSign("sha256").update("sample").sign(privateKey);
    const key = crypto.rsaPublicKey(spki);
    for (const other of [
      Buffer.alloc(0),
      signature.subarray(1),
      signature.subarray(0, -1),
      Buffer.concat([Buffer.alloc(1), signature]),
      Buffer.concat([signature, Buffer.alloc(1)]),
      Buffer.alloc(256, 255),
      randomBytes(4096),
    ]) {
      expect(await key.verify("sha256", "sample", other)).toBe(false);
    }
  });

  it("signs what it was given, though the bytes change meanwhile", async () => {
    const message = new Uint8Array([1, 2, 3]);
    const signing = crypto.rsaPrivateKey(pkcs8).sign("sha256", message);
    message.fill(0);
    expect(
      createVerify("sha256")
        .update(Uint8Array.of(1, 2, 3))
        .verify(publicKey, await signing),
    ).toBe(true);
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["an object", {}],
    ["a text that is no PEM", "hunter2"],
    ["PEM that holds something else", "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n"],
    [
      "PKCS#1 that holds something else",
      "-----BEGIN RSA PRIVATE KEY-----\naHVudGVyMg==\n-----END RSA PRIVATE KEY-----\n",
    ],
    ["PEM that ends too early", pkcs8.slice(0, 500)],
    ["a public key", spki],
    ["a certificate", certificates["version 3"]],
    ["a key under a passphrase", privateKey.export({ ...asPkcs8, cipher: "aes-256-cbc", passphrase: "x" }).toString()],
    [
      "a PKCS#1 key under a passphrase",
      privateKey.export({ format: "pem", type: "pkcs1", cipher: "aes-256-cbc", passphrase: "x" }).toString(),
    ],
    ["a key of 512 bits", short.privateKey.export(asPkcs8).toString()],
    ["a key for RSA-PSS", pss.privateKey.export(asPkcs8).toString()],
    ["a key of a curve", ec.privateKey.export(asPkcs8).toString()],
  ])("refuses to sign with %s, and does not show it", async (_, form) => {
    const refusal = (async () => crypto.rsaPrivateKey(form as string).sign("sha256", "sample"))();
    await expectRefusal(refusal, "INVALID_KEY");
    const { message, cause } = (await refusal.catch((error: unknown) => error)) as Error;
    expect(message).toMatch(/^the key cannot be read\. Pass a private RSA key of 1024 bits or more, as PEM/);
    expect(`${message} ${cause}`).not.toContain("hunter2");
    expect(cause).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a text that is no PEM", "hunter2"],
    ["PEM that holds something else", "-----BEGIN PUBLIC KEY-----\naHVudGVyMg==\n-----END PUBLIC KEY-----\n"],
    [
      "a certificate that ends within its key",
      certificates["version 3"].replace(/(BEGIN CERTIFICATE-----\n(?:.*\n){5})[^-]*/, "$1"),
    ],
    ["a private key", pkcs8],
    ["a PKCS#1 private key", privateForms["PKCS#1"]],
    ["a key of 512 bits", short.publicKey.export(asSpki).toString()],
    ["a key for RSA-PSS", pss.publicKey.export(asSpki).toString()],
    ["a key of a curve", ec.publicKey.export(asSpki).toString()],
    ["a JWK of a curve", ec.publicKey.export({ format: "jwk" })],
    ["a private key behind a public one", `${spki}${pkcs8}`],
    ["a JWK for RSA-PSS", { ...publicKey.export({ format: "jwk" }), alg: "PS256" }],
    ["a JWK for a curve's algorithm", { ...publicKey.export({ format: "jwk" }), alg: "ES256" }],
    ["a JWK for encryption", { ...publicKey.export({ format: "jwk" }), use: "enc" }],
    ["a JWK whose operations are others", { ...publicKey.export({ format: "jwk" }), key_ops: ["encrypt"] }],
    ["a JWK without n", { kty: "RSA", e: "AQAB" }],
    ["an empty JWK", {}],
  ])("refuses to verify with %s", async (_, form) => {
    await expectRefusal(
      (async () => crypto.rsaPublicKey(form as string).verify("sha256", "sample", ofSample))(),
      "INVALID_KEY",
    );
  });

  it("does not block the event loop while it signs", async () => {
    const key = crypto.rsaPrivateKey(pkcs8);
    await key.sign("sha256", "first use");
    let left = 512;
    const turns: number[] = [];
    const done = Promise.all(
      Array.from({ length: left }, async (_, i) => {
        await key.sign("sha256", `${i}`);
        left -= 1;
      }),
    );
    // 512 signatures that were made on this thread would all be there before the first turn of the loop.
    while (left > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      turns.push(left);
    }
    await done;
    expect(turns.filter((count) => count > 0).length).toBeGreaterThan(3);
  });
});

it("exports the same names from both builds of #crypto/rsa", () => {
  expect(Object.keys(portable).sort()).toEqual(Object.keys(node).sort());
});
