import { type SwiftDigest, type SwiftSignRequest, swiftSigner, swiftVerifier } from "daypass/swift";
import { describe, expect, it } from "vitest";
import vectors from "./vectors/swift.json" with { type: "json" };

const { key, account, container, object } = vectors;
const endpoint = "https://swift-cluster.example.com";

describe("the examples of Swift's documentation", () => {
  it.each(vectors.vectors)("$name", async ({ query, expires }) => {
    const clock = () => new Date((expires - 60) * 1000);
    const parameters = new URLSearchParams(query);
    const signature = parameters.get("temp_url_sig") ?? "";
    const request: SwiftSignRequest = {
      container,
      object,
      expiresIn: 60,
      expiresAs: query.includes("T21:16") ? "iso" : "unix",
      bind: { ip: parameters.get("temp_url_ip_range") ?? undefined },
    };
    const digest: SwiftDigest = signature.startsWith("sha512:") ? "sha512" : "sha256";
    const options = { endpoint, account, key, clock };
    const link =
      digest === "sha512"
        ? await swiftSigner({ ...options, digest }).sign(request)
        : swiftSigner({ ...options, digest }).sign(request);
    // The page pads its base64; Swift's own client does not, and both open the object.
    expect(decodeURIComponent(link.url)).toBe(
      `${endpoint}/v1/${account}/${container}/${object}?${query.replace("==", "")}`,
    );

    const verifier = swiftVerifier({ keys: { account, key }, origins: [endpoint], clock });
    const target = `/v1/${account}/${container}/${object}?${query}`;
    const sent = {
      method: "GET",
      target,
      authority: "swift-cluster.example.com",
      headers: [],
      remoteAddress: "1.2.3.4",
    };
    expect(await verifier.verify(sent)).toMatchObject({ account, container, object, digest, id: link.id });
  });
});
