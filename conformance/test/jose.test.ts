import {
  type UriSigningKey,
  type UriSigningPrivateKey,
  type UriSigningSecret,
  uriSigningEdDsa,
  uriSigningEncryption,
  uriSigningEs256,
  uriSigningRegex,
  uriSigningRs256,
  uriSigningSigner,
  uriSigningVerifier,
} from "daypass/uri-signing";
import {
  CompactEncrypt,
  compactDecrypt,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  generateSecret,
  jwtVerify,
  SignJWT,
} from "jose";
import { describe, expect, test } from "vitest";
import { arrived, outcome } from "../edge.ts";
import { randomEdgeWish, wishedClock, wishedEnd, wishedUrl } from "../random/edge-wishes.ts";
import { runSeed, seeded } from "../random/seeded.ts";

// A URI signed by RFC 9246 is a JWT: jose makes tokens for our verifier, and reads ours.
const COUNT = 2_000;
type AnyKey = CryptoKey | Uint8Array;

interface Keys {
  readonly ours: UriSigningSecret | UriSigningPrivateKey;
  readonly verifying: UriSigningSecret | UriSigningKey;
  readonly signWith: AnyKey;
  readonly verifyWith: AnyKey;
}

async function keysOf(alg: "HS256" | "ES256" | "RS256" | "EdDSA"): Promise<Keys> {
  if (alg === "HS256") {
    const secret = (await generateSecret("HS256", { extractable: true })) as CryptoKey;
    const { k } = (await exportJWK(secret)) as { k: string };
    const ours = { kty: "oct", alg, kid: "k1", k } as const;
    return { ours, verifying: ours, signWith: secret, verifyWith: secret };
  }
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const named = async (key: CryptoKey) => ({ ...(await exportJWK(key)), alg, kid: "k1" }) as never;
  const pair = { signWith: privateKey, verifyWith: publicKey };
  if (alg === "RS256") {
    const jwk = await named(publicKey);
    return { ours: uriSigningRs256(jwk, await exportPKCS8(privateKey)), verifying: uriSigningRs256(jwk), ...pair };
  }
  const [ours, verifying] = [await named(privateKey), await named(publicKey)];
  return alg === "ES256"
    ? { ours: uriSigningEs256(ours), verifying: uriSigningEs256(verifying), ...pair }
    : { ours: uriSigningEdDsa(ours), verifying: uriSigningEdDsa(verifying), ...pair };
}

describe("jose 6.2.18", () => {
  test.each(["HS256", "ES256", "RS256", "EdDSA"] as const)(
    `reads and makes ${COUNT} random tokens with %s`,
    async (alg) => {
      const { ours, verifying, signWith, verifyWith } = await keysOf(alg);
      const random = seeded(runSeed());
      for (let left = COUNT; left > 0; left--) {
        const wish = randomEdgeWish(random);
        const issuer = random.chance(0.7) ? random.pick(["uCDN Inc", "csp"]) : undefined;
        const audience = random.chance(0.5) ? "dcdn" : undefined;
        const request = {
          ...{ url: wishedUrl(wish), expiresAt: wishedEnd(wish), audience },
          prefix: random.chance(0.3) ? "/" : undefined,
          renewal: random.chance(0.3) ? { every: 30, depth: 1 } : undefined,
        };
        const options = { issuer, clock: wishedClock(wish) };
        const { url } =
          "sign" in ours
            ? await uriSigningSigner({ key: ours, ...options }).sign(request)
            : uriSigningSigner({ key: ours, ...options }).sign(request);
        const token = /URISigningPackage=([^&]+)/.exec(url)?.[1] ?? "";
        const { payload, protectedHeader } = await jwtVerify(token, verifyWith, {
          ...{ algorithms: [alg], issuer, audience, currentDate: new Date(wish.signedAt * 1000) },
        });
        expect(protectedHeader).toEqual({ alg, kid: "k1" });
        expect(payload.exp).toBe(wish.signedAt + wish.expiresIn);

        const theirs = await new SignJWT(payload).setProtectedHeader({ alg, kid: "k1", typ: "JWT" }).sign(signWith);
        const verifier = uriSigningVerifier({
          ...{ keySets: [{ issuer, keys: [verifying] }], regex: uriSigningRegex, audience },
          ...{ origins: [wish.origin], clock: wishedClock(wish) },
        });
        for (const made of [url, url.replace(token, theirs)]) {
          expect([made, await outcome(verifier, arrived(made))]).toEqual([made, "accepted"]);
        }
        const signature = token.slice(token.lastIndexOf(".") + 1);
        const other = (signature.startsWith("a") ? "b" : "a") + signature.slice(1);
        expect(await outcome(verifier, arrived(url.replace(signature, other)))).toBe("SIGNATURE_MISMATCH");
      }
    },
  );

  test.each(["A128GCM", "A256GCM"] as const)(`reads and makes ${COUNT} encrypted claims with %s`, async (enc) => {
    const secret = crypto.getRandomValues(new Uint8Array(enc === "A128GCM" ? 16 : 32));
    const k = Buffer.from(secret).toString("base64url");
    const encryption = uriSigningEncryption({ kty: "oct", kid: "e1", alg: enc, k });
    const random = seeded(runSeed());
    for (let left = COUNT; left > 0; left--) {
      const text = random.pick(["203.0.113.0/24", "[2001:db8::1/32]", "UserToken", "Größe 🚀", "a".repeat(200)]);
      const jwe = await encryption.encrypt(text);
      const { plaintext, protectedHeader } = await compactDecrypt(jwe, secret);
      expect([Buffer.from(plaintext).toString(), protectedHeader]).toEqual([text, { alg: "dir", enc, kid: "e1" }]);
      const theirs = await new CompactEncrypt(Buffer.from(text))
        .setProtectedHeader({ alg: "dir", enc })
        .encrypt(secret);
      expect(await encryption.decrypt(theirs)).toBe(text);
      const at = 1 + random.below(theirs.length - 2);
      const other = theirs[at] === "A" ? "B" : theirs[at] === "." ? "." : "A";
      const bad = theirs.slice(0, at) + other + theirs.slice(at + 1);
      if (bad !== theirs) expect(await encryption.decrypt(bad)).toBeUndefined();
    }
  });
});
