import { createPublicKey } from "node:crypto";
import { cloudfrontSigner, cloudfrontVerifier } from "daypass/cloudfront";
import { describe, expect, it } from "vitest";
import vectors from "./vectors/aws-cli.json" with { type: "json" };

const { privateKey, keyPairId, url, expires } = vectors;
const publicKey = createPublicKey(privateKey).export({ format: "pem", type: "spki" }).toString();
const clock = () => new Date((expires - 60) * 1000);

describe("what the AWS CLI signs", () => {
  it.each(vectors.vectors)("$name", async ({ ip, signature }) => {
    const signer = cloudfrontSigner({ keyPairId, privateKey, clock });
    const link = await signer.sign({ url, expiresIn: 60, bind: { ip } });
    const parameters = new URL(link.url).searchParams;
    expect(parameters.get("Signature")).toBe(signature);
    expect(parameters.get("Expires")).toBe(ip === undefined ? String(expires) : null);

    const keys = { keyPairId, publicKey, hashes: ["sha1"] } as const;
    const verifier = cloudfrontVerifier({ keys, origins: ["http://example.com"], clock });
    const target = link.url.replace("http://example.com", "");
    const sent = { method: "GET", target, authority: "example.com", headers: [], remoteAddress: "12.34.56.78" };
    expect(await verifier.verify(sent)).toMatchObject({ url, id: link.id, resource: url });
  });
});
