/** Uppy in a page of Debian's Chromium, on another origin than the storage. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { PutBucketCorsCommand, S3Client } from "@aws-sdk/client-s3";
import { fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import { s3Signer } from "daypass/s3";
import { build } from "esbuild";
import { chromium, type Page } from "playwright-core";
import type { UppyOutcome, UppyPage, UppyWish } from "../browser/uppy-page.ts";
import type { ClientTarget } from "./client.ts";

declare global {
  interface Window {
    readonly daypass: UppyPage;
  }
}

/** What Uppy asks to be signed. */
interface Asked {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly key: string;
  readonly uploadId?: string;
  readonly partNumber?: number;
}

export interface UppyBrowser {
  /** Where the page is. */
  readonly origin: string;
  readonly page: Page;
  /** Uploads a file of this machine from within the page. */
  upload(
    path: string,
    wish: Pick<UppyWish, "signs" | "key" | "partSize" | "cancelAfter" | "pauseAfter">,
  ): Promise<UppyOutcome>;
  /** Reads an object from within the page, by a URL of `daypass/s3`. */
  download(key: string): Promise<{ readonly bytes: number; readonly sha256: string }>;
  close(): Promise<void>;
}

/** Allows pages of an origin the requests that Uppy's documentation lists. */
export async function allowOrigin(target: ClientTarget, bucket: string, origin: string): Promise<void> {
  const client = new S3Client({
    endpoint: target.endpoint,
    region: target.region,
    forcePathStyle: true,
    credentials: { ...target.credentials },
  });
  const rule = {
    AllowedOrigins: [origin],
    AllowedMethods: ["GET", "PUT", "POST", "DELETE"],
    AllowedHeaders: ["content-type"],
    ExposeHeaders: ["ETag"],
  };
  await client.send(new PutBucketCorsCommand({ Bucket: bucket, CORSConfiguration: { CORSRules: [rule] } }));
}

/** A server of the page and of what it signs with, and a browser that has opened it. */
export async function uppyBrowser(target: ClientTarget, bucket: string): Promise<UppyBrowser> {
  const { endpoint, region, credentials } = target;
  const s3 = s3Signer({ endpoint, region, addressing: "path", credentials: { ...credentials } });
  const server = await serve({
    "/sign": async (body) => {
      const { method, key, uploadId, partNumber }: Asked = JSON.parse(body);
      const query = {
        ...(method === "POST" && uploadId === undefined ? { uploads: "" } : {}),
        ...(uploadId === undefined ? {} : { uploadId }),
        ...(partNumber === undefined ? {} : { partNumber: String(partNumber) }),
      };
      return { url: s3.sign({ method, bucket, key, bind: { query }, expiresIn: 300 }).url };
    },
    "/credentials": async () => ({ region, credentials: await session(target, bucket) }),
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });
  const page = await browser.newPage();
  await page.goto(origin);
  return {
    origin,
    page,
    async upload(path, wish) {
      await page.locator("input").setInputFiles(path);
      const all: UppyWish = { ...wish, s3Endpoint: `${endpoint}/${bucket}`, region, signer: origin };
      return page.evaluate((wish) => window.daypass.upload(wish), all);
    },
    download(key) {
      return page.evaluate((url) => window.daypass.download(url), s3.sign({ bucket, key, expiresIn: 300 }).url);
    },
    async close() {
      await browser.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Credentials for a page as Uppy's documentation wants them: of STS, for an hour, and for this bucket's objects only. */
async function session({ endpoint, region, credentials }: ClientTarget, bucket: string): Promise<unknown> {
  const provider = fromTemporaryCredentials({
    masterCredentials: { ...credentials },
    params: {
      RoleArn: "arn:aws:iam::000000000000:role/uploader",
      RoleSessionName: "uppy",
      Policy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "s3:*", Resource: `arn:aws:s3:::${bucket}/*` }],
      }),
    },
    clientConfig: { endpoint, region },
  });
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = await provider();
  return { accessKeyId, secretAccessKey, sessionToken, expiration };
}

async function serve(answers: Readonly<Record<string, (body: string) => Promise<unknown>>>): Promise<Server> {
  const script = await build({
    entryPoints: [fileURLToPath(new URL("../browser/uppy-page.ts", import.meta.url))],
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
  });
  const files: Readonly<Record<string, readonly [type: string, body: string]>> = {
    "/": [
      "text/html",
      '<!doctype html><meta charset="utf-8"><input type="file"><script type="module" src="/page.js"></script>',
    ],
    "/page.js": ["text/javascript", script.outputFiles[0]?.text ?? ""],
  };
  const server = createServer(async (request, response) => {
    const path = request.url ?? "";
    const answer = answers[path];
    const [type, body] = files[path] ?? [];
    if (answer === undefined)
      return void response.writeHead(type ? 200 : 404, { "content-type": type ?? "" }).end(body);
    try {
      response.end(JSON.stringify(await answer(await text(request))));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
