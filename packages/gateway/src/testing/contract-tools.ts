/** Helpers of the storage contract. */
import { createHash } from "node:crypto";
import { read } from "node:fs";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { runningChecksum } from "../http/checksum.ts";
import {
  type Body,
  type ChecksumAlgorithm,
  isStorageError,
  type Storage,
  type StorageError,
} from "../storage/contract/storage.ts";

/** The part of vitest, Jest or Bun's runner that the suite uses. */
export interface TestFunctions {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: (name: string, body: () => Promise<void>) => void;
  readonly expect: (actual: unknown) => { toBe(expected: unknown): void; toEqual(expected: unknown): void };
}

/** A test that receives storage with one empty bucket. */
export type StorageTest = (title: string, body: (storage: Storage, bucket: string) => Promise<void>) => void;

/** The parameters of a part of the contract. */
export interface ContractTools extends Pick<TestFunctions, "expect"> {
  readonly test: StorageTest;
}

export async function* chunks(...parts: readonly (string | Buffer)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === "string" ? Buffer.from(part) : part;
}

export async function* failing(error: Error): AsyncGenerator<Uint8Array> {
  yield Buffer.from("a beginning");
  throw error;
}

export function checksumOf(algorithm: ChecksumAlgorithm, bytes: Buffer): string {
  const running = runningChecksum(algorithm, createHash);
  running.update(bytes);
  return Buffer.from(running.digest()).toString("base64");
}

export function md5(bytes: string | Buffer): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** The code of the error that a promise rejects with; the text of another error; `undefined` if it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return isStorageError(error) ? error.code : String(error);
  }
}

/** The code and details of the storage error that a promise rejects with; `undefined` if it resolves. */
export async function refusalOf(
  promise: Promise<unknown>,
): Promise<readonly [string, StorageError["details"]] | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return [error.code, error.details];
  }
}

const readFile = promisify(read);

/** All bytes of a body. Throws for a redirect, whose bytes are elsewhere. */
export async function readBody(body: Body | undefined): Promise<Buffer> {
  if (body === undefined) throw new Error("the object is missing");
  if (body.kind === "bytes") return Buffer.from(body.bytes);
  if (body.kind === "stream") return buffer(body.stream);
  if (body.kind === "redirect") throw new Error("the object is elsewhere");
  const bytes = Buffer.alloc(body.length);
  try {
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await readFile(body.fd, bytes, done, bytes.length - done, body.start + done);
      if (bytesRead === 0) throw new Error("the file is shorter than the body");
      done += bytesRead;
    }
    return bytes;
  } finally {
    body.close();
  }
}

/** The text of an object; `undefined` if absent. */
export async function contents(storage: Storage, bucket: string, key: string): Promise<string | undefined> {
  const object = await storage.get({ bucket, key });
  return object === undefined ? undefined : (await readBody(object.body())).toString();
}
