import { s3Verifier } from "daypass/s3";
import { urlSigner, urlVerifier } from "daypass/url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle } from "./bundle.ts";
import { type Workerd, workerd } from "./workerd.ts";

const secrets = {
  ACCESS_KEY_ID: "AKIDEXAMPLE",
  SECRET_ACCESS_KEY: "example-secret",
  DAYPASS_KEY: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
};
const key = { kty: "oct", alg: "HS256", kid: "k1", k: secrets.DAYPASS_KEY } as const;
const route = "https://api.example.com/invoices/7.pdf";

describe("worker/cloudflare.js in workerd", () => {
  let worker: Workerd;
  beforeAll(async () => {
    worker = await workerd(await bundle("worker/cloudflare.js", "workerd"), secrets);
  });
  afterAll(() => worker.stop());

  const links = async (): Promise<{ readonly object: string; readonly route: string }> =>
    JSON.parse((await worker.get("https://api.example.com/links")).body);
  const refusal = ({ status, body }: { readonly status: number; readonly body: string }): unknown => [
    status,
    JSON.parse(body).code,
  ];

  it("signs URLs that the same library verifies on Node", async () => {
    const signed = await links();
    const verifiers = [
      s3Verifier({
        credentials: { accessKeyId: secrets.ACCESS_KEY_ID, secretAccessKey: secrets.SECRET_ACCESS_KEY },
        origins: ["https://*.s3.eu-west-1.amazonaws.com"],
      }),
      urlVerifier({ keys: [key], origins: ["https://api.example.com"] }),
    ];
    for (const [i, url] of [signed.object, signed.route].entries()) {
      const { host, pathname, search } = new URL(url);
      const request = { method: "GET", target: pathname + search, authority: host, headers: [] };
      expect((await verifiers[i]?.verify(request))?.methods).toContain("GET");
    }
  });

  it("opens with the URL that it signed", async () => {
    const { status, body } = await worker.get((await links()).route);
    expect([status, body]).toEqual([200, expect.stringMatching(/^{"until":"2/)]);
  });

  it("is refused when one character of the URL is changed", async () => {
    const { route: url } = await links();
    expect(refusal(await worker.get(url.replace("/7.pdf", "/8.pdf")))).toEqual([403, "SIGNATURE_MISMATCH"]);
  });

  it("is refused when the URL has ended", async () => {
    const anHourAgo = (): Date => new Date(Date.now() - 3_600_000);
    const { url } = urlSigner({ key, clock: anHourAgo }).sign({ url: route, expiresIn: 60 });
    expect(refusal(await worker.get(url))).toEqual([403, "EXPIRED"]);
  });
});
