import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ListMultipartUploadsCommand, S3Client } from "@aws-sdk/client-s3";
import { type TestGateway, testGateway } from "@daypass/gateway/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import { allowOrigin, type UppyBrowser, uppyBrowser } from "../clients/uppy.ts";
import { temporaryFolder } from "../servers/temporary.ts";

const PART = 6 * 1024 * 1024;
const reason = needs("chromium");

describe.skipIf(reason)(`Uppy 6.3.1 in Chromium, on another origin than the gateway${reason ?? ""}`, () => {
  const folder = temporaryFolder();
  const small = join(folder.path, "small.txt");
  const large = join(folder.path, "large.bin");
  const bytes = randomBytes(25_000_000);
  let gateway: TestGateway;
  let uppy: UppyBrowser;

  beforeAll(async () => {
    writeFileSync(small, "small");
    writeFileSync(large, bytes);
    gateway = await testGateway({ files: { "media/there.txt": "there" } });
    const target = { ...gateway.clients.awsSdk };
    uppy = await uppyBrowser(target, "media");
    await allowOrigin(target, "media", uppy.origin);
  });
  afterAll(async () => {
    await uppy?.close();
    await gateway?.close();
    folder.remove();
  });

  const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");
  const openUploads = async (): Promise<number> => {
    const { Uploads = [] } = await new S3Client(gateway.clients.awsSdk).send(
      new ListMultipartUploadsCommand({ Bucket: "media" }),
    );
    return Uploads.length;
  };

  for (const signs of ["session", "server"] as const) {
    const by = signs === "session" ? "its own signer and a session of the gateway's" : "URLs of daypass/s3";

    test(`puts a small file by ${by}, and the page reads it`, async () => {
      const key = `${signs}/a b+ü&=é 50%.txt`;
      expect(await uppy.upload(small, { signs, key, partSize: undefined })).toMatchObject({
        uploaded: [expect.stringContaining(gateway.url)],
        errors: [],
      });
      expect(await uppy.download(key)).toEqual({ bytes: 5, sha256: sha256("small") });
    });

    test(`uploads 25 MB in parts by ${by}, and the page reads it`, async () => {
      const outcome = await uppy.upload(large, { signs, key: `${signs}/large.bin`, partSize: PART });
      expect(outcome).toMatchObject({ parts: 4, errors: [] });
      expect(await uppy.download(`${signs}/large.bin`)).toEqual({ bytes: bytes.length, sha256: sha256(bytes) });
    });

    test(`resumes after the uploaded parts when it was paused, by ${by}`, async () => {
      const key = `${signs}/paused.bin`;
      const puts = gateway.events.length;
      expect(await uppy.upload(large, { signs, key, partSize: PART, pauseAfter: 2 })).toMatchObject({ errors: [] });
      expect(await uppy.download(key)).toMatchObject({ sha256: sha256(bytes) });
      const since = gateway.events.slice(puts).filter(({ url }) => url.includes("paused.bin"));
      // The list of parts, which only an interrupted upload requests.
      expect(since.some(({ method, url }) => method === "GET" && url.includes("uploadId"))).toBe(true);
    });

    test(`leaves nothing behind when it is cancelled, by ${by}`, async () => {
      const outcome = await uppy.upload(large, { signs, key: `${signs}/never.bin`, partSize: PART, cancelAfter: 2 });
      expect(outcome.uploaded).toEqual([]);
      await expect.poll(openUploads, { timeout: 5000 }).toBe(0);
      await expect(uppy.download(`${signs}/never.bin`)).rejects.toThrow(/404/);
    });

    test(`does nothing from a page of an origin that no rule allows, by ${by}`, async () => {
      const stranger = await uppyBrowser({ ...gateway.clients.awsSdk }, "media");
      try {
        const wish = { signs, key: `${signs}/stranger.txt` } as const;
        // The preflight and the request itself: no page of an origin that no rule names writes, in one piece or in parts.
        for (const partSize of [undefined, PART]) {
          const { uploaded, errors } = await stranger.upload(large, { ...wish, partSize });
          expect(uploaded).toEqual([]);
          expect(errors.join()).toMatch(/network/i);
        }
        await expect(stranger.download("there.txt")).rejects.toThrow(/Failed to fetch/);
        await expect(gateway.storage.head({ bucket: "media", key: wish.key })).resolves.toBeUndefined();
        expect(await openUploads()).toBe(0);
      } finally {
        await stranger.close();
      }
    });
  }
});
