import { onTestFinished } from "vitest";
import { type Storage, StorageError } from "../../src/storage/contract/storage.ts";
import { type S3Options, s3 } from "../../src/storage/s3/index.ts";
import { type TestGateway, type TestGatewayOptions, testGateway } from "../../src/testing/test-gateway.ts";

/** A gateway in the place of the upstream. */
export async function upstreamGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const gateway = await testGateway(options);
  onTestFinished(() => gateway.close());
  return gateway;
}

/** The driver over such a gateway. */
export function over(gateway: TestGateway, options: Partial<S3Options> = {}): Storage {
  const storage = s3({ ...gateway.clients.daypass, ...options });
  onTestFinished(() => storage.close());
  return storage;
}

/** The fault that a call ends with. */
export async function errorOf(promise: Promise<unknown>): Promise<StorageError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof StorageError) return error;
  throw new Error(`expected a StorageError, found ${String(error)}`);
}
