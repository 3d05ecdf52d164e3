import { cosSigner, cosVerifier } from "daypass/cos";
import { describe, expect, it } from "vitest";
import { wireRequest } from "../wire-request.ts";
import vectors from "./vectors/tencent.json" with { type: "json" };

describe("the examples of Tencent's documentation and SDK", () => {
  it.each(vectors.vectors)("$name", async (vector) => {
    const { secretId, secretKey, host, method, bucket, key, start, end, query, headers } = vector;
    const credentials = { secretId, secretKey };
    const clock = () => new Date(start * 1000);
    const endpoint = `https://${host.slice(bucket.length + 1)}`;
    const signer = cosSigner({ endpoint, credentials, clock });
    const link = signer.sign({ method, bucket, key, query, headers, expiresAt: new Date(end * 1000) });
    const parameters = new URL(link.url).searchParams;
    expect(new URL(link.url).host).toBe(host);
    expect(parameters.get("q-key-time")).toBe(`${start};${end}`);
    expect(parameters.get("q-header-list")).toBe(vector.headerList);
    expect(parameters.get("q-url-param-list")).toBe(vector.urlParamList);
    expect(parameters.get("q-signature")).toBe(vector.signature);

    const origins = [endpoint.replace("//", "//*.")];
    const enforces = ["response", "body-checksum"] as const;
    const grant = await cosVerifier({ credentials, origins, enforces, clock }).verify(wireRequest(link));
    expect(grant).toMatchObject({ bucket, key, methods: [method], id: link.id });
  });
});
