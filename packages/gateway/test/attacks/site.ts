import type { s3Signer } from "daypass/s3";
import { afterAll, afterEach, beforeAll } from "vitest";
import type { KeyScope, S3AccessKey } from "../../src/index.ts";
import { type RecordingStorage, recordingStorage, type TestGateway, testGateway } from "../../src/testing/index.ts";
import { type Reply, s3For, send } from "../e2e/clients.ts";

// A gateway with files of two owners, and a storage that counts its calls.

export const SECRET = "the secret of another tenant";
export let gateway: TestGateway;
export let storage: RecordingStorage;
let scoped: S3AccessKey | undefined;
let lookups = Number.POSITIVE_INFINITY;

/** The operator's side: a key with this scope, until the end of the test or until it has another one. */
export function scopedKey(scope?: KeyScope): S3AccessKey {
  scoped = { accessKeyId: "AKIDSCOPED", secretAccessKey: "s3cret", scope };
  return scoped;
}

export function revokeScopedKey(): void {
  scoped = undefined;
}

/** Takes the key back once it has been looked up so often: while the request that asked for it is under way. */
export function revokeScopedKeyAfter(count: number): void {
  lookups = count;
}

function lookUpScoped(): S3AccessKey | undefined {
  lookups -= 1;
  return lookups < 0 ? undefined : scoped;
}

/** For the tests of one file: other files share the process and its loaded modules. */
export function openSite(): void {
  beforeAll(async () => {
    gateway = await testGateway({
      files: {
        "media/hello.txt": "hello",
        "media/merchants/123/a.txt": "123",
        "media/merchants/1234/a.txt": "1234",
        "media/page.svg": "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "private/secret.txt": SECRET,
      },
      storage: (disk) => {
        storage = recordingStorage(disk);
        return storage;
      },
      gateway: (port) => ({
        keys: {
          s3: (id) =>
            id === "AKIDSCOPED" ? lookUpScoped() : id === gateway.accessKey.accessKeyId ? gateway.accessKey : undefined,
          url: (kid) => (kid === gateway.urlKey.kid ? gateway.urlKey : undefined),
        },
        origins: [`http://127.0.0.1:${port}`, `http://other.localhost:${port}`],
      }),
    });
  });
  afterAll(() => gateway.close());
  afterEach(() => {
    scoped = undefined;
    lookups = Number.POSITIVE_INFINITY;
  });
}

export const host = () => `127.0.0.1:${gateway.port}`;
export const targetOf = (url: string) => url.slice(gateway.url.length);
export const sign = (request: Parameters<ReturnType<typeof s3Signer>["sign"]>[0]) =>
  targetOf(s3For(gateway).sign(request).url);
export const get = (key = "hello.txt", bucket = "media") => sign({ bucket, key, expiresIn: 60 });
export const put = (key: string, bucket = "media") => sign({ method: "PUT", bucket, key, expiresIn: 60 });

/** Sends a request and counts the storage calls that it caused. */
export async function attack(sent: Parameters<typeof send>[1]): Promise<Reply & { readonly calls: number }> {
  const before = storage.calls.length;
  const length = sent.body === undefined ? {} : { "content-length": String(Buffer.byteLength(sent.body)) };
  const reply = await send(gateway, { ...sent, headers: { host: host(), ...length, ...sent.headers } });
  return { ...reply, calls: storage.calls.length - before };
}
