import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { UrlHmacKey } from "daypass/url";
import { createGateway, type Gateway } from "../gateway.ts";
import { callback, expectForms, type FormsOf, listOf, object, text } from "../http/validate-options.ts";
import { type GatewayServer, type ListenOptions, listen } from "../node/listen.ts";
import type { GatewayOptions } from "../options.ts";
import type { AccessEvent } from "../pipeline/access-log.ts";
import type { S3AccessKey } from "../protocols/s3/verifiers.ts";
import type { Storage } from "../storage/contract/storage.ts";
import { disk } from "../storage/disk/index.ts";

/** Options of {@link testGateway}. */
export interface TestGatewayOptions {
  /** Files by `bucket/key`, written before the storage opens the folder. For keys that cannot be file paths, use `PUT`. */
  readonly files?: Readonly<Record<string, string | Uint8Array>> | undefined;
  /** Replaces or wraps the storage. */
  readonly storage?: ((disk: Storage) => Storage) | undefined;
  /** All other options of `createGateway`; a function is called with the port, which origins contain. */
  readonly gateway?: ((port: number) => Partial<Omit<GatewayOptions, "storage">>) | undefined;
  readonly listen?: Omit<ListenOptions, "port"> | undefined;
  /**
   * Headers that code for the cloud sends and this gateway refuses, to be accepted without effect: `encryption` for
   * `x-amz-server-side-encryption: AES256`, `acl` for canned access control lists. None by default.
   */
  readonly tolerate?: GatewayOptions["tolerate"];
}

const OPTIONS: FormsOf<TestGatewayOptions> = {
  files: object,
  storage: callback,
  gateway: callback,
  listen: object,
  tolerate: listOf(text),
};

/** Ready-made options for the constructors of S3 clients. */
export interface TestClients {
  /** `new S3Client(gateway.clients.awsSdk)` of `@aws-sdk/client-s3`, and anything else that accepts its options. */
  readonly awsSdk: {
    readonly endpoint: string;
    readonly region: string;
    readonly forcePathStyle: true;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /** `s3Signer(gateway.clients.daypass)` of `daypass/s3`. */
  readonly daypass: {
    readonly endpoint: string;
    readonly region: string;
    readonly addressing: "path";
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /** `new Client(gateway.clients.minio)` of `minio`. */
  readonly minio: {
    readonly endPoint: string;
    readonly port: number;
    readonly useSSL: false;
    readonly accessKey: string;
    readonly secretKey: string;
    readonly region: string;
    readonly pathStyle: true;
  };
  /** For programs that read their settings from the environment: boto3, the AWS CLI, rclone. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A gateway over a temporary folder, on a real socket. */
export interface TestGateway extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, the only origin unless others were given. */
  readonly url: string;
  /** The port on 127.0.0.1. */
  readonly port: number;
  readonly gateway: Gateway;
  readonly server: GatewayServer;
  readonly storage: Storage;
  /** The folder that is served. */
  readonly root: string;
  readonly accessKey: S3AccessKey;
  readonly urlKey: UrlHmacKey;
  readonly clients: TestClients;
  /** The events of the access log so far, in order. */
  readonly events: readonly AccessEvent[];
  /**
   * The gateway's clock, for signers that should agree with it: the system time, plus what {@link TestGateway.advance}
   * has added. Clients that use their own clock sign with the current time, and are refused once the gateway is far
   * enough ahead.
   */
  readonly clock: () => Date;
  /** Moves the gateway's clock forward, so that URLs expire without waiting. */
  advance(seconds: number): void;
  /** Sets the gateway's clock to the system time again, for the next test. URLs that `advance` let expire are valid again. */
  resetClock(): void;
  /**
   * Returns the URL with one character of its signature changed, for every scheme. A URL that worked before is then refused.
   * Throws for a URL without a signature.
   */
  tamper(url: string): string;
  /** Ends the server and removes the folder. */
  close(): Promise<void>;
}

/**
 * Starts a strict endpoint for a test: it verifies every request, as the cloud would. It has its own S3 access key and Daypass URL
 * key. `PUT` further buckets, if `files` has too few. Works with any test runner.
 *
 * @example
 * ```ts
 * import { testGateway } from "@daypass/gateway/testing";
 * import { s3Signer } from "daypass/s3";
 *
 * const gateway = await testGateway({ files: { "media/hello.txt": "hello" } });
 * const s3 = s3Signer({ ...gateway.clients.daypass, clock: gateway.clock });
 * const { url } = s3.sign({ bucket: "media", key: "hello.txt", expiresIn: 60 });
 * console.log((await fetch(url)).status); // 200
 * console.log((await fetch(gateway.tamper(url))).status); // 403
 * gateway.advance(61);
 * console.log((await fetch(url)).status); // 403
 * await gateway.close();
 * ```
 *
 * @throws {DaypassError} `INVALID_INPUT` for a misspelt or invalid option
 */
export async function testGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  expectForms(options, OPTIONS);
  const { files = {}, storage: wrap = (storage: Storage) => storage } = options;
  for (const path of Object.keys(files)) expectPath(path);
  const root = mkdtempSync(join(tmpdir(), "daypass-gateway-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  const accessKey = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: randomBytes(30).toString("base64") };
  const urlKey = { kty: "oct", alg: "HS256", kid: "test-1", k: randomBytes(32).toString("base64url") } as const;
  const storage = wrap(await disk({ root }));
  const events: AccessEvent[] = [];
  const port = await freePort();
  let ahead = 0;
  // A steady clock by its own word: the gateway would not follow another one back.
  const clock = Object.assign(() => new Date(Date.now() + ahead), { lag: () => 0 });
  const gateway = createGateway({
    origins: [`http://127.0.0.1:${port}`],
    keys: { s3: (id) => (id === accessKey.accessKeyId ? accessKey : undefined), url: [urlKey] },
    sessionSecret: randomBytes(32),
    accessLog: (event) => events.push(event),
    clock,
    // A list, even an empty one, makes refusals name this option.
    tolerate: options.tolerate ?? [],
    ...options.gateway?.(port),
    storage,
  });
  const server = await listen(gateway, { ...options.listen, port });
  const close = async (): Promise<void> => {
    await server.drain(1000);
    rmSync(root, { recursive: true, force: true });
  };
  return {
    url: server.url,
    port,
    gateway,
    server,
    storage,
    root,
    accessKey,
    urlKey,
    clients: clients(port, accessKey),
    events,
    clock,
    advance(seconds) {
      if (!(seconds >= 0)) throw new RangeError(`advance() got ${seconds}. Pass seconds of at least 0`);
      ahead += seconds * 1000;
    },
    resetClock() {
      ahead = 0;
    },
    tamper: tamperSignature,
    close,
    [Symbol.asyncDispose]: close,
  };
}

// Others would be written beside the folder, and stay there, or below another name than was asked for.
function expectPath(path: string): void {
  if (!path.split("/").some((segment) => ["", ".", ".."].includes(segment))) return;
  throw new TypeError(`files has the path ${JSON.stringify(path)}. Write it as bucket/key, such as media/hello.txt`);
}

const REGION = "us-east-1";

function clients(port: number, { accessKeyId, secretAccessKey }: S3AccessKey): TestClients {
  const endpoint = `http://127.0.0.1:${port}`;
  const credentials = { accessKeyId, secretAccessKey };
  return {
    awsSdk: { endpoint, region: REGION, forcePathStyle: true, credentials },
    daypass: { endpoint, region: REGION, addressing: "path", credentials },
    minio: {
      endPoint: "127.0.0.1",
      port,
      useSSL: false,
      accessKey: accessKeyId,
      secretKey: secretAccessKey,
      region: REGION,
      pathStyle: true,
    },
    environment: {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: REGION,
      AWS_DEFAULT_REGION: REGION,
      AWS_ENDPOINT_URL: endpoint,
      AWS_ENDPOINT_URL_S3: endpoint,
    },
  };
}

const SIGNATURE = /([?&](?:X-Amz-Signature|X-Goog-Signature|Signature|sig|dp-signature)=)([^&#])/;

/** Changes the first character: it carries all of its bits in every encoding. */
function tamperSignature(url: string): string {
  const changed = url.replace(SIGNATURE, (_, name: string, first: string) => {
    const other = /[0-9]/.test(first) ? (first === "0" ? "1" : "0") : first === "a" ? "b" : "a";
    return name + other;
  });
  if (changed === url) throw new RangeError("the URL has no parameter with a signature. Pass a presigned URL");
  return changed;
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
