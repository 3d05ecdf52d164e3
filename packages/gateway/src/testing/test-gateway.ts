import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { UrlHmacKey } from "daypass/url";
import { createGateway, type Gateway, type GatewayOptions } from "../gateway.ts";
import { type GatewayServer, type ListenOptions, listen } from "../node/listen.ts";
import type { AuditEvent } from "../pipeline/audit.ts";
import type { S3AccessKey } from "../protocols/s3/index.ts";
import { disk } from "../storage/disk.ts";
import type { Storage } from "../storage/storage.ts";

export interface TestGatewayOptions {
  /** Files by `bucket/key`, written before the storage opens the folder. */
  readonly files?: Readonly<Record<string, string | Uint8Array>> | undefined;
  /** Replaces or wraps the storage. */
  readonly storage?: ((disk: Storage) => Storage) | undefined;
  /** Everything else that `createGateway` takes; called with the port, which origins name. */
  readonly gateway?: ((port: number) => Partial<Omit<GatewayOptions, "storage">>) | undefined;
  readonly listen?: Omit<ListenOptions, "port"> | undefined;
}

/** A gateway over a temporary folder, on a real socket. */
export interface TestGateway {
  /** `http://127.0.0.1:<port>`, the only origin unless others were given. */
  readonly url: string;
  readonly port: number;
  readonly gateway: Gateway;
  readonly server: GatewayServer;
  readonly storage: Storage;
  /** The folder that is served. */
  readonly root: string;
  readonly accessKey: S3AccessKey;
  readonly urlKey: UrlHmacKey;
  /** What was audited so far. */
  readonly events: readonly AuditEvent[];
  /** Ends the server and removes the folder. */
  close(): Promise<void>;
}

/**
 * Starts a gateway for a test, with one S3 access key and one Daypass URL key of its own.
 *
 * @example
 * ```ts
 * import { testGateway } from "@daypass/gateway/testing";
 * import { s3Signer } from "daypass/s3";
 *
 * const gateway = await testGateway({ files: { "media/hello.txt": "hello" } });
 * const s3 = s3Signer({ region: "us-east-1", endpoint: gateway.url, addressing: "path", credentials: gateway.accessKey });
 * const { url } = s3.sign({ bucket: "media", key: "hello.txt", expiresIn: 60 });
 * console.log(await (await fetch(url)).text()); // "hello"
 * await gateway.close();
 * ```
 */
export async function testGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const { files = {}, storage: wrap = (storage: Storage) => storage } = options;
  const root = mkdtempSync(join(tmpdir(), "daypass-gateway-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  const accessKey = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: randomBytes(30).toString("base64") };
  const urlKey = { kty: "oct", alg: "HS256", kid: "test-1", k: randomBytes(32).toString("base64url") } as const;
  const storage = wrap(await disk({ root }));
  const events: AuditEvent[] = [];
  const port = await freePort();
  const gateway = createGateway({
    origins: [`http://127.0.0.1:${port}`],
    keys: { s3: (id) => (id === accessKey.accessKeyId ? accessKey : undefined), url: [urlKey] },
    audit: (event) => events.push(event),
    ...options.gateway?.(port),
    storage,
  });
  const server = await listen(gateway, { ...options.listen, port });
  return {
    url: server.url,
    port,
    gateway,
    server,
    storage,
    root,
    accessKey,
    urlKey,
    events,
    async close() {
      await server.drain(1000);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Origins name a port, so it has to be known before the gateway is made. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
