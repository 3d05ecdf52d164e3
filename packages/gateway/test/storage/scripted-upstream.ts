import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type S3Options, s3 } from "../../src/storage/s3/index.ts";
import { type TestGateway, testGateway } from "../../src/testing/test-gateway.ts";

/** A gateway whose storage is the driver. */
export async function front(options: S3Options): Promise<TestGateway> {
  const storage = s3(options);
  const gateway = await testGateway({
    storage: (disk) => {
      void disk.close();
      return storage;
    },
  });
  onTestFinished(() => gateway.close());
  return gateway;
}

/** A scripted upstream on a real socket. */
export async function scripted(listener: RequestListener): Promise<S3Options & { readonly endpoint: string }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a secret that nobody may see" };
  return { endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", credentials, bucket: "bucket" };
}
