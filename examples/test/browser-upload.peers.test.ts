import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createGateway } from "@daypass/gateway";
import { disk } from "@daypass/gateway/disk";
import { type GatewayServer, listen } from "@daypass/gateway/node";
import { s3Signer } from "daypass/s3";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../tools/free-port.ts";
import { needs } from "../../tools/needs.ts";
import { launchChromium } from "./chromium.ts";
import { type Program, start } from "./program.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "example-secret" };
const photo = fileURLToPath(new URL("../files/welcome/photo.png", import.meta.url));
const reason = needs("chromium");

describe.skipIf(reason)(`browser-upload in Chromium${reason ?? ""}`, () => {
  let folder: string;
  let gateway: GatewayServer;
  let program: Program;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "daypass-upload-"));
    await mkdir(join(folder, "uploads"));
    const [pagePort, port] = [await freePort(), await freePort()];
    const origin = `http://127.0.0.1:${port}`;
    gateway = await listen(
      createGateway({
        storage: await disk({ root: folder }),
        origins: [origin],
        keys: { s3: (id) => (id === credentials.accessKeyId ? credentials : undefined) },
        cors: { origins: [`http://127.0.0.1:${pagePort}`] },
      }),
      { port },
    );
    program = await start("browser-upload/server.js", {
      PORT: String(pagePort),
      S3_ENDPOINT: origin,
      ACCESS_KEY_ID: credentials.accessKeyId,
      SECRET_ACCESS_KEY: credentials.secretAccessKey,
    });
    browser = await launchChromium();
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${pagePort}/`);
  });
  afterAll(async () => {
    await browser?.close();
    await program?.stop();
    await gateway?.drain(1000);
    await rm(folder, { recursive: true, force: true });
  });

  const status = (): Promise<string | null> => page.getByRole("status").textContent();

  it("uploads a picture straight to the storage and shows it", async () => {
    // By its bytes: in the C locale Chromium opens no path with a character beyond ASCII, as a clone may have.
    const picture = { name: "photo.png", mimeType: "image/png", buffer: await readFile(photo) };
    await page.getByLabel("Picture").setInputFiles(picture);
    await page.getByText("Uploaded.").waitFor();
    const size = await page
      .locator("img")
      .evaluate((image: HTMLImageElement) => [image.naturalWidth, image.naturalHeight]);
    expect(Math.min(...size)).toBeGreaterThan(0);
    const [name = ""] = await readdir(join(folder, "uploads", "inbox"));
    expect(await readFile(join(folder, "uploads", "inbox", name))).toEqual(await readFile(photo));
  });

  it("shows the page why its server did not sign", async () => {
    await page
      .getByLabel("Picture")
      .setInputFiles({ name: "x.svg", mimeType: "image/svg+xml", buffer: Buffer.from("<svg/>") });
    await page.getByText("Not uploaded").waitFor();
    expect(await status()).toContain("Send POST /uploads");
  });

  /** Sends from within the page, so that the browser's CORS checks apply. */
  const put = (url: string, headers: Readonly<Record<string, string>>): Promise<number | string> =>
    page.evaluate(
      async (request) => {
        try {
          const sent = await fetch(request.url, { method: "PUT", headers: request.headers, body: "x" });
          return sent.status;
        } catch (error) {
          return String(error);
        }
      },
      { url, headers },
    );
  const sign = (clock = (): Date => new Date()): string =>
    s3Signer({ region: "us-east-1", endpoint: gateway.url, credentials, clock }).sign({
      bucket: "uploads",
      key: "inbox/x",
      method: "PUT",
      bind: { contentType: "image/png" },
      expiresIn: 60,
    }).url;

  it("is refused when one character of the URL is changed, and can read that it was", async () => {
    expect(await put(sign().replace("inbox/x", "inbox/y"), { "content-type": "image/png" })).toBe(403);
  });

  it("is refused with another type than was signed", async () => {
    expect(await put(sign(), { "content-type": "image/svg+xml" })).toBe(403);
  });

  it("is refused when the URL has ended", async () => {
    expect(
      await put(
        sign(() => new Date(Date.now() - 3_600_000)),
        { "content-type": "image/png" },
      ),
    ).toBe(403);
    expect(await readdir(join(folder, "uploads", "inbox"))).toHaveLength(1);
  });

  it("refuses uploads from pages of another origin", async () => {
    const stranger = await browser.newPage();
    await stranger.goto("about:blank");
    const outcome = await stranger.evaluate(
      (url) => fetch(url, { method: "PUT", headers: { "content-type": "image/png" }, body: "x" }).then(String, String),
      sign(),
    );
    expect(outcome).toContain("TypeError: Failed to fetch");
    expect(await readdir(join(folder, "uploads", "inbox"))).toHaveLength(1);
  });
});
