import { s3Verifier } from "daypass/s3";
import { urlVerifier } from "daypass/url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { needs } from "../../tools/needs.ts";
import { bundle } from "./bundle.ts";
import { launchChromium } from "./chromium.ts";
import { workerd } from "./workerd.ts";

const allPassed = { passed: expect.toSatisfy((count: number) => count >= 14), failed: [] };

describe("the library's portable suite in workerd", () => {
  it("passes, on what the tarball ships", async () => {
    const worker = await workerd(await bundle("test/suite-in-a-worker.js", "workerd"), {});
    try {
      expect(JSON.parse((await worker.get("https://suite.example/")).body)).toEqual(allPassed);
    } finally {
      await worker.stop();
    }
  });
});

const reason = needs("chromium");

describe.skipIf(reason)(`the library in Chromium${reason ?? ""}`, () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await launchChromium();
    page = await browser.newPage();
    // An origin without a server: WebCrypto exists in secure contexts only.
    await page.route("https://page.example/", (route) => route.fulfill({ contentType: "text/html", body: "" }));
    await page.goto("https://page.example/");
  });
  afterAll(() => browser?.close());

  /** Imports a bundle in the page and gives what the expression makes of it. */
  const importing = (code: string, use: string): Promise<unknown> =>
    page.evaluate(`(async () => {
      const url = URL.createObjectURL(new Blob([${JSON.stringify(code)}], { type: "text/javascript" }));
      return await (${use})(url);
    })()`);

  it("passes its portable suite, on what the tarball ships", async () => {
    const code = await bundle("test/suite.js", "browser");
    expect(await importing(code, "async (url) => (await import(url)).run()")).toEqual(allPassed);
  });

  it("signs in a Web Worker what the library verifies on Node", async () => {
    const secrets = {
      accessKeyId: "AKIDEXAMPLE",
      secretAccessKey: "example-secret",
      daypassKey: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    };
    const signed = (await importing(
      await bundle("worker/web-worker.js", "browser"),
      `(url) => new Promise((resolve, reject) => {
        const worker = new Worker(url, { type: "module" });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(${JSON.stringify(secrets)});
      })`,
    )) as { readonly object: string; readonly route: string };
    const { host, pathname, search } = new URL(signed.object);
    const s3 = s3Verifier({ credentials: secrets, origins: ["https://*.s3.eu-west-1.amazonaws.com"] });
    const object = await s3.verify({ method: "GET", target: pathname + search, authority: host, headers: [] });
    expect([object.bucket, object.key]).toEqual(["media", "talks/keynote.mp4"]);

    const url = urlVerifier({
      keys: [{ kty: "oct", alg: "HS256", kid: "k1", k: secrets.daypassKey }],
      origins: ["https://api.example.com"],
    });
    const target = signed.route.replace("https://api.example.com", "");
    const route = await url.verify({ method: "GET", target, authority: "api.example.com", headers: [] });
    expect(route.keyId).toBe("k1");
  });
});
