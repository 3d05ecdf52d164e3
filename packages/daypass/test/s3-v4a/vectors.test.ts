import { createHash, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type CanonicalParts, canonicalRequestText, stringToSignText } from "../../src/core/v4.ts";
import { AWS4A, signingPair, signingScalar } from "../../src/schemes/s3/v4a/canonical.ts";
import { parseS3V4a } from "../../src/schemes/s3/v4a/verify.ts";
import { parseTarget } from "../../src/wire/raw-target.ts";

interface Vectors {
  readonly source: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly scalar: string;
  readonly publicKey: { readonly x: string; readonly y: string };
  readonly scope: string;
  readonly canonicalRequests: readonly {
    readonly name: string;
    readonly canonicalRequest: string;
    readonly stringToSign: string;
  }[];
  readonly signedRequests: readonly {
    readonly name: string;
    readonly method: string;
    readonly target: string;
    readonly headers: readonly (readonly [string, string])[];
  }[];
}
const vectors = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url), "utf8")) as Vectors;
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const pair = signingPair(vectors.credentials);

describe(`SigV4A, the vectors of ${vectors.source}`, () => {
  it("derives the published private and public key", async () => {
    const scalar = Buffer.from(signingScalar(vectors.credentials));
    expect(scalar.toString("hex")).toBe(vectors.scalar);
    const { x, y } = vectors.publicKey;
    const spki = Buffer.from(`3059301306072a8648ce3d020106082a8648ce3d03010703420004${x}${y}`, "hex");
    const { createVerify } = await import("node:crypto");
    const key = createPublicKey({ key: spki, format: "der", type: "spki" });
    expect(
      createVerify("sha256")
        .update("message")
        .verify(key, await pair.sign("message")),
    ).toBe(true);
  });

  it.each(vectors.canonicalRequests)(
    "makes the published string to sign: $name",
    ({ canonicalRequest, stringToSign }) => {
      const [, time = ""] = stringToSign.split("\n");
      expect(stringToSignText(AWS4A, time, vectors.scope, sha256(canonicalRequest))).toBe(stringToSign);
    },
  );

  // The suite signs for a service that is not S3, whose payload line is the hash of the body even in a URL.
  it.each(vectors.signedRequests)("verifies the published signature: $name", async ({ method, target, headers }) => {
    const request = { method, target, authority: "example.amazonaws.com", headers };
    const parsed = parseS3V4a({ request, wire: parseTarget(target), origin: "", wildcard: "" });
    const canonical: CanonicalParts = { ...parsed.canonical, payload: sha256("") };
    const text = stringToSignText(AWS4A, parsed.time, vectors.scope, sha256(canonicalRequestText(canonical)));
    const signature = Uint8Array.from(Buffer.from(parsed.signature, "hex"));
    expect(await pair.publicKey.verify(text, signature)).toBe(true);
    expect(await pair.publicKey.verify(`${text}0`, signature)).toBe(false);
  });
});
