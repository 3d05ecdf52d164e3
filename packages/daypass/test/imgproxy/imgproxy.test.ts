import { describe, expect, it } from "vitest";
import type { Verifier, WireRequest } from "../../src/index.ts";
import { type ImgproxyVerifierOptions, imgproxySigner, imgproxyVerifier } from "../../src/schemes/imgproxy/index.ts";
import { clock, get, NOW, outcome } from "../edge-fixture.ts";

const key = { key: "736563726574", salt: "68656c6c6f" };
const origins = ["https://img.example.com"];
const path = "/rs:fill:300:400:0/g:sm/aHR0cDovL2V4YW1w/bGUuY29tL2ltYWdl/cy9jdXJpb3NpdHku/anBn.png";
const url = `https://img.example.com${path}`;
const signer = imgproxySigner({ ...key, clock });
const verifier = (options: Partial<ImgproxyVerifierOptions> = {}): Verifier =>
  imgproxyVerifier({ keys: key, origins, clock, ...options });

describe("the URL of imgproxy's documentation", () => {
  // https://docs.imgproxy.net/usage/signing_url
  const published = "https://img.example.com/oKfUtW34Dvo2BGQehJFR4Nr0_rIjOtdtzJ3QFsUcXH8";

  it("signs and accepts it if withoutExpiry is set", async () => {
    const link = signer.sign({ url, withoutExpiry: "accept" });
    expect(link.url).toBe(`${published}${path}`);
    expect(link.warnings).toEqual([expect.stringContaining("never ends")]);
    const grant = await verifier({ withoutExpiry: "accept" }).verify(get(link.url));
    expect(grant).toMatchObject({ path, target: path, id: link.id, weak: ["no-expiry"] });
    expect(grant.expiresAt).toEqual(link.expiresAt);
  });

  it("refuses it by default", async () => {
    expect(await outcome(verifier(), get(`${published}${path}`))).toBe("MALFORMED");
    expect(() => signer.sign({ url })).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
  });
});

// The contract suite works on parameters of the query; these are its rows for a signature in the path.
describe("imgproxy, as the contract of all schemes asks", () => {
  const at = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);
  const link = signer.sign({ url, expiresIn: 900 });
  const signature = link.url.split("/")[3] as string;
  const replaced = (other: string): WireRequest => get(link.url.replace(signature, other));

  it("verifies what it signed, with the same id on both sides, until the instant it ends", async () => {
    const grant = await verifier().verify(get(link.url));
    expect(grant).toMatchObject({ scheme: "imgproxy", id: link.id, expiresAt: link.expiresAt });
    expect(await outcome(verifier({ clock: () => at(899) }), get(link.url))).toBe("accepted");
    expect(await outcome(verifier({ clock: () => at(900) }), get(link.url))).toBe("EXPIRED");
    expect(await outcome(verifier({ clock: () => new Date(Number.NaN) }), get(link.url))).not.toBe("accepted");
  });

  it("reports NO_SIGNATURE for unsigned URLs, and SIGNATURE_MISMATCH for other keys", async () => {
    expect(verifier().detects(get(link.url))).toBe(true);
    expect(await outcome(verifier(), get("https://img.example.com/plain"))).toBe("NO_SIGNATURE");
    expect(await outcome(verifier({ keys: { key: "00", salt: "" } }), get(link.url))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(verifier({ keys: [{ key: "00", salt: "" }, key] }), get(link.url))).toBe("accepted");
    expect(await outcome(verifier(), get(link.url, { method: "PUT" }))).toBe("METHOD_NOT_GRANTED");
    expect(await outcome(verifier(), get(link.url, { authority: "evil.example.com" }))).toBe("WRONG_ORIGIN");
  });

  it("has one spelling of its signature, and refuses `insecure`", async () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const spare = alphabet[alphabet.indexOf(signature.at(-1) as string) + 1] as string;
    for (const other of [
      `${signature}=`,
      signature.slice(0, -1) + spare,
      signature.slice(0, -1),
      "insecure",
      "unsafe",
      "_",
      "",
    ]) {
      expect(await outcome(verifier({ withoutExpiry: "accept" }), replaced(other)), other).not.toBe("accepted");
    }
  });

  it.each(["", "NaN", "0", "-1", "1e9", "1767323045.5", "99999999999999"])("refuses the end %j", async (end) => {
    expect(await outcome(verifier(), get(link.url.replace(/exp:\d+/, `exp:${end}`)))).not.toBe("accepted");
  });

  it("never gives a grant when any byte of the path changes", async () => {
    const request = get(link.url);
    for (let i = 1; i < request.target.length; i++) {
      for (const bit of [1, 2, 4, 16, 32]) {
        const byte = String.fromCharCode(request.target.charCodeAt(i) ^ bit);
        const target = request.target.slice(0, i) + byte + request.target.slice(i + 1);
        expect(await outcome(verifier({ withoutExpiry: "accept" }), { ...request, target }), target).not.toBe(
          "accepted",
        );
      }
    }
  });
});

describe("the end as an option", () => {
  it("puts the expiry before the options of the URL", async () => {
    const link = signer.sign({ url: "https://img.example.com/rs:fit:300/plain/s3://b/exp:1/a.jpg@png", expiresIn: 60 });
    expect(link.url).toContain(`/exp:${NOW.getTime() / 1000 + 60}/rs:fit:300/plain/`);
    expect(await outcome(verifier(), get(link.url))).toBe("accepted");
  });

  it("refuses a repeated expiry, and one in the URL to sign", async () => {
    expect(() => signer.sign({ url: "https://img.example.com/rs:fit:300/exp:1/plain/a", expiresIn: 60 })).toThrowError(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
    const twice = signer.sign({ url: "https://img.example.com/plain/a", expiresIn: 60 });
    expect(await outcome(verifier(), get(twice.url.replace("/plain/", "/expires:9999999999/plain/")))).toBe(
      "MALFORMED",
    );
  });

  it("ignores an expiry inside a source", async () => {
    const link = signer.sign({
      url: "https://img.example.com/rs:fit:300/plain/exp:9999999999/a",
      withoutExpiry: "accept",
    });
    expect(await outcome(verifier(), get(link.url))).toBe("MALFORMED");
  });
});

describe("set-ups", () => {
  it("a path prefix, which is not signed", async () => {
    const link = imgproxySigner({ ...key, pathPrefix: "/img", clock }).sign({
      url: "https://img.example.com/img/plain/a",
      expiresIn: 60,
    });
    expect(await outcome(verifier({ pathPrefix: "/img" }), get(link.url))).toBe("accepted");
    expect(await outcome(verifier(), get(link.url))).toBe("NO_SIGNATURE");
    expect(() => imgproxySigner({ ...key, pathPrefix: "/img" }).sign({ url, expiresIn: 60 })).toThrowError(
      /below \/img\//,
    );
  });

  it("a signature that is cut short says so", async () => {
    const short = imgproxySigner({ ...key, signatureSize: 8, clock });
    const link = short.sign({ url, expiresIn: 60 });
    expect(short.weak).toEqual(["no-expiry", "short-signature"]);
    expect(link.warnings).toEqual([expect.stringContaining("guessed")]);
    expect(await outcome(verifier({ signatureSize: 8 }), get(link.url))).toBe("accepted");
    expect(await outcome(verifier(), get(link.url))).toBe("NO_SIGNATURE");
    for (const signatureSize of [0, 33, 1.5, Number.NaN]) {
      expect(() => imgproxySigner({ ...key, signatureSize })).toThrowError(
        expect.objectContaining({ code: "INVALID_INPUT" }),
      );
    }
  });

  it("the query is not signed, so its parameters are refused unless they are allowed", async () => {
    const link = signer.sign({ url, expiresIn: 60 });
    expect(await outcome(verifier(), get(`${link.url}?x=1`))).toBe("UNSIGNED_PARAMETER");
    expect(await outcome(verifier({ allowUnsigned: ["x"] }), get(`${link.url}?x=1`))).toBe("accepted");
  });
});

it.each([
  [{ bind: { ip: "10.0.0.1" } }, "UNSUPPORTED_CONSTRAINT"],
  [{ bind: { query: { w: "1" } } }, "UNSUPPORTED_CONSTRAINT"],
  [{ prefix: "/a/" }, "UNSUPPORTED_CONSTRAINT"],
  [{ notBefore: NOW }, "UNSUPPORTED_CONSTRAINT"],
  [{ url: "https://img.example.com/plain/http://x/../y" }, "DOT_SEGMENTS"],
])("refuses to sign %j with %s", (wish, code) => {
  expect(() => signer.sign({ url, expiresIn: 60, ...wish } as never)).toThrowError(expect.objectContaining({ code }));
});

it.each([{ key: "" }, { key: "xyz" }, { salt: "abc" }])("refuses the key %j", (part) => {
  expect(() => imgproxySigner({ ...key, ...part })).toThrowError(expect.objectContaining({ code: "INVALID_KEY" }));
});
