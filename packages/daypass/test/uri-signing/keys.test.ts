import { describe, expect, it } from "vitest";
import {
  uriSigningEdDsa,
  uriSigningEncryption,
  uriSigningEs256,
  uriSigningRenewer,
  uriSigningRs256,
  uriSigningSigner,
  uriSigningVerifier,
} from "../../src/schemes/uri-signing/index.ts";
import { clock, get, outcome } from "../edge-fixture.ts";
import { asymmetric, es256, foreign, okp, origins, rs256, secret, signer, url, verifier } from "./fixture.ts";
import { rfcEncryption } from "./rfc9246.ts";

it("takes no key pair of another purpose, and no public half to sign with", () => {
  const invalid = expect.objectContaining({ code: "INVALID_KEY" });
  for (const purpose of [{ use: "enc" }, { key_ops: ["encrypt"] }]) {
    expect(() => uriSigningEs256({ ...es256, ...purpose })).toThrow(invalid);
    expect(() => uriSigningRs256({ ...rs256, ...purpose })).toThrow(invalid);
    expect(() => uriSigningEdDsa({ ...okp, ...purpose })).toThrow(invalid);
  }
  uriSigningEs256({ ...es256, use: "sig", key_ops: ["sign"] });
  for (const { right } of Object.values(asymmetric)) {
    expect(() => uriSigningSigner({ key: right as never })).toThrow(invalid);
  }
});

it.each(Object.entries(asymmetric))(
  "answers spare bits of a signature by a mismatch with %s",
  async (_alg, { signing, right }) => {
    const link = uriSigningSigner({ key: signing as never, clock }).sign({ url, expiresIn: 60 });
    const signed = (await link).url;
    const verify = uriSigningVerifier({ keySets: [{ keys: [right] }], origins, clock });
    expect(await outcome(verify, get(signed))).toBe("accepted");
    // 64 and 256 bytes leave four spare bits, all zero in the one spelling: the next character sets the last of them.
    const next: Readonly<Record<string, string>> = { A: "B", Q: "R", g: "h", w: "x" };
    const other = signed.replace(/[AQgw]$/, (last) => next[last] as string);
    expect(other).not.toBe(signed);
    expect(await outcome(verify, get(other))).toBe("SIGNATURE_MISMATCH");
  },
);

it("refuses where its key sets cannot be had", async () => {
  const request = get(uriSigningSigner({ key: secret, clock }).sign({ url, expiresIn: 60 }).url);
  const code = (found: unknown) =>
    outcome(uriSigningVerifier({ keySets: async () => found as never, origins, clock }), request);
  expect(await code(undefined)).toBe("UNKNOWN_KEY");
  expect(await code({})).toBe("INVALID_KEY");
  expect(await code([{ keys: [secret] }])).toBe("accepted");
});

describe("keys", () => {
  it.each<readonly [what: string, load: () => unknown]>([
    ["a secret without a kid", () => uriSigningSigner({ key: { ...secret, kid: "" } })],
    ["a secret of three bytes", () => uriSigningSigner({ key: { ...secret, k: "AAAA" } })],
    ["a secret for HS512", () => uriSigningSigner({ key: { ...secret, alg: "HS512" } as never })],
    ["two secrets of one kid", () => verifier({ keySets: [{ keys: [secret, foreign] }] })],
    [
      "a verifier's secret without a kid",
      () => verifier({ keySets: [{ keys: [{ ...secret, kid: undefined } as never] }] }),
    ],
    ["a P-256 key for HS256", () => uriSigningEs256({ ...es256, alg: "HS256" } as never)],
    ["a P-256 key without a kid", () => uriSigningEs256({ ...es256, kid: "" })],
    ["an RSA key for RS512", () => uriSigningRs256({ ...rs256, alg: "RS512" } as never)],
    ["an Ed25519 key of small order", () => uriSigningEdDsa({ ...okp, x: "A".repeat(43) })],
    ["a key of another curve", () => uriSigningEdDsa({ ...okp, crv: "Ed448" } as never)],
    ["a content key of three bytes", () => uriSigningEncryption({ ...rfcEncryption, k: "AAAA" })],
    ["a content key for another algorithm", () => uriSigningEncryption({ ...rfcEncryption, alg: "A256GCM" })],
    ["a content key without bytes and algorithm", () => uriSigningEncryption({ kty: "oct", kid: "e1" } as never)],
    ["bytes that are no text", () => uriSigningEncryption({ ...rfcEncryption, alg: "A192GCM", k: null } as never)],
    [
      "a second key for one issuer",
      () => uriSigningRenewer({ renewalKeys: [{ key: secret }, { key: { ...secret, kid: "k2" } }] }),
    ],
  ])("refuse %s", (_what, load) => {
    expect(load).toThrowError(expect.objectContaining({ code: "INVALID_KEY" }));
  });

  it("fetches keys for each request if a function returns them", async () => {
    const { url: made } = signer.sign({ url, expiresIn: 60 });
    let keys: readonly (typeof secret)[] = [];
    const fetching = verifier({ keySets: async () => [{ keys }] });
    expect(await outcome(fetching, get(made))).toBe("UNKNOWN_KEY");
    keys = [secret];
    expect(await outcome(fetching, get(made))).toBe("accepted");
  });
});
