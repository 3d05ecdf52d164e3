import { describe, expect, it } from "vitest";
import { urlSigner, urlVerifier } from "../../src/schemes/url/index.ts";
import { wireRequest } from "../wire-request.ts";

// The two URLs that docs/spec/daypass-url.md works through byte by byte.
const at = (): Date => new Date("2026-01-02T03:04:05Z");

describe("the worked examples of the specification", () => {
  const hmac = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
  const edge = {
    kty: "OKP",
    crv: "Ed25519",
    alg: "Ed25519",
    kid: "edge-1",
    x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  } as const;

  it("gives example 1 byte for byte", () => {
    const link = urlSigner({ key: hmac, clock: at }).sign({
      url: "https://api.example.com/invoices/7.pdf?lang=de",
      expiresIn: 900,
    });
    expect(link.url).toBe(
      "https://api.example.com/invoices/7.pdf?lang=de&dp-date=20260102T030405Z&dp-expires=20260102T031905Z&dp-key=k1&dp-methods=GET&dp-signature=9y5KnKIOCIa4LWCJg6HcOsAoveTMv5zKneZ_e-36YRY&dp-v=1",
    );
    expect(link.id).toBe("pPgjvnZJ2Sg1KVLjp1K6MQ");
  });

  it("gives example 2 byte for byte", async () => {
    const link = await urlSigner({ key: edge, clock: at }).sign({
      url: "https://files.example.com/talks/2026/intro.mp4?utm_source=mail",
      expiresIn: 7 * 86_400,
      prefix: "/talks/2026/",
      vary: ["utm_source", "fbclid"],
      bind: { ip: ["203.0.113.0/24", "2001:db8::/32"] },
      response: { contentDisposition: 'attachment; filename="intro.mp4"' },
    });
    expect(link.url).toBe(
      "https://files.example.com/talks/2026/intro.mp4?dp-date=20260102T030405Z&dp-expires=20260109T030405Z&dp-ip=203-0-113-0_24.2001-db8--_32&dp-key=edge-1&dp-methods=GET&dp-prefix=2&dp-response-content-disposition=attachment%3Bfilename%3D%22intro.mp4%22&dp-signature=7jBWxDWFnI8l8XNZ11JnD6ftY3QOhDLRzFgo73gBL1ysGCZ_YbUelzu6Vr30rkjCCbOT3YiSdWgbwy7oSRskAQ&dp-v=1&dp-vary=fbclid.utm_source&utm_source=mail",
    );
    expect(link.id).toBe("SrWfpVXkN83YE1aPoDYv8g");
    const grant = await urlVerifier({
      keys: [edge],
      origins: ["https://files.example.com"],
      clock: at,
      enforces: ["response", "strip"],
    }).verify(wireRequest(link));
    expect(grant.id).toBe(link.id);
    expect(grant.prefix).toBe("/talks/2026/");
    expect(grant.target).toBe("/talks/2026/intro.mp4");
  });
});
