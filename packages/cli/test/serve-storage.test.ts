import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { testGateway } from "@daypass/gateway/testing";
import { s3Signer } from "daypass/s3";
import { expect, onTestFinished, test } from "vitest";
import { daypass, start, temporaryFolder } from "./command.ts";

interface Said {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly storage: string;
  readonly presignedUrl?: string;
}

async function serving(
  storage: object,
  options: { readonly env: Record<string, string>; readonly workers: string; readonly config?: object },
) {
  const folder = temporaryFolder();
  const config = join(folder, "config.json");
  mkdirSync(join(folder, "root"));
  writeFileSync(config, JSON.stringify({ root: "root", storage, ...options.config }));
  const args = ["serve", "--config", config, "--port", "0", "--workers", options.workers, "--show-secret", "--json"];
  const child = start(args, { env: options.env });
  onTestFinished(() => void child.kill("SIGTERM"));
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk;
  });
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    once(child, "close").then(() => {
      throw new Error(`serve ended: ${log}`);
    }),
  ]);
  return { said: JSON.parse(String(line)) as Said, log: () => log, child };
}

test.each(["0", "2"])(
  "serves the buckets of an S3 server with the credentials of the environment (%s workers)",
  async (workers) => {
    const upstream = await testGateway({ files: { "production/hello.txt": "hello", "hidden/a": "secret" } });
    onTestFinished(() => upstream.close());
    const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = upstream.clients.environment;
    const storage = { driver: "s3", endpoint: upstream.url, buckets: { media: "production" } };
    const { said, log, child } = await serving(storage, { env: { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY }, workers });
    expect(said.storage).toBe(`the bucket production of ${upstream.url}`);
    expect(said.presignedUrl).toBeUndefined();
    const signer = s3Signer({ endpoint: said.url, region: "us-east-1", credentials: said });
    const sign = (method: string, bucket: string, key: string) =>
      signer.sign({ method, bucket, key, expiresIn: 60 }).url;
    expect(await (await fetch(sign("GET", "media", "hello.txt"))).text()).toBe("hello");
    expect((await fetch(sign("GET", "hidden", "a"))).status).toBe(404);
    expect((await fetch(sign("PUT", "media", "new.txt"), { method: "PUT", body: "new" })).status).toBe(200);
    expect(await (await fetch(sign("GET", "media", "new.txt"))).text()).toBe("new");
    child.kill("SIGTERM");
    expect((await once(child, "close"))[0]).toBe(0);
    expect(log()).not.toContain(AWS_SECRET_ACCESS_KEY);
  },
);

test.each(["0", "2"])("reloads the credentials of the storage at SIGHUP (%s workers)", async (workers) => {
  const upstream = await testGateway({ files: { "media/a": "a" } });
  onTestFinished(() => upstream.close());
  const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = upstream.clients.environment;
  const file = join(temporaryFolder(), "credentials");
  const write = (text: string) => writeFileSync(file, `[default]\n${text}`);
  const key = (secret: string) => `aws_access_key_id = ${AWS_ACCESS_KEY_ID}\naws_secret_access_key = ${secret}\n`;
  write(key("another"));
  const storage = { driver: "s3", endpoint: upstream.url, bucket: "media" };
  const { said, log, child } = await serving(storage, { env: { AWS_SHARED_CREDENTIALS_FILE: file }, workers });
  const processes = Math.max(1, Number(workers));
  const signer = s3Signer({ endpoint: said.url, region: "us-east-1", credentials: said });
  const { url } = signer.sign({ bucket: "media", key: "a", expiresIn: 60 });
  const reload = async (what: string): Promise<void> => {
    child.kill("SIGHUP");
    await expect.poll(() => log().split(what).length - 1, { timeout: 5000 }).toBe(processes);
  };
  expect((await fetch(url)).status).toBe(503);
  write("region = us-east-1\n");
  await reload("reload failed");
  write(key(AWS_SECRET_ACCESS_KEY));
  await reload("were reloaded");
  const asked = Array.from({ length: 8 }, () => fetch(url, { headers: { connection: "close" } }));
  expect(new Set((await Promise.all(asked)).map(({ status }) => status))).toEqual(new Set([200]));
});

test("logs failed requests even if request logs are off", async () => {
  const upstream = await testGateway({ files: { "media/a": "a" } });
  await upstream.close();
  const env = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };
  const storage = { driver: "s3", endpoint: upstream.url, bucket: "media" };
  const { said, log } = await serving(storage, { env, workers: "0", config: { log: { requests: false } } });
  const signer = s3Signer({ endpoint: said.url, region: "us-east-1", credentials: said });
  const { url } = signer.sign({ bucket: "media", key: "a", expiresIn: 60 });
  expect((await fetch(`${url}0`)).status).toBe(403);
  expect((await fetch(url)).status).toBe(503);
  await expect.poll(log).toContain("ECONNREFUSED");
  expect(log()).not.toContain('"status":403');
});

test.each(["0", "1"])("stops in time during an endless copy of the storage (%s workers)", async (workers) => {
  let copies = 0;
  const upstream = createServer((request, response) => {
    if (request.method !== "PUT") response.writeHead(200, { etag: '"e"', "content-length": 1 }).end();
    // S3 sends white space during a copy.
    else {
      copies += 1;
      response.writeHead(200).write(" ");
      const timer = setInterval(() => response.write(" "), 100);
      response.once("close", () => clearInterval(timer));
    }
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  onTestFinished(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  const endpoint = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const env = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };
  const storage = { driver: "s3", endpoint, bucket: "media" };
  const { said, log, child } = await serving(storage, { env, workers, config: { drainSeconds: 0 } });
  const signer = s3Signer({ endpoint: said.url, region: "us-east-1", credentials: said });
  const headers = { "x-amz-copy-source": "/media/a" };
  const { url } = signer.sign({ method: "PUT", bucket: "media", key: "b", headers, expiresIn: 60 });
  fetch(url, { method: "PUT", headers }).catch(() => undefined);
  await expect.poll(() => copies).toBe(1);
  child.kill("SIGTERM");
  expect((await once(child, "close"))[0]).toBe(0);
  expect(log()).toContain("a change was still in progress and is cut off");
});

test("rejects missing or conflicting storage settings before it listens", async () => {
  const folder = temporaryFolder();
  const config = join(folder, "config.json");
  const run = async (storage: object, env: Record<string, string> = {}) => {
    writeFileSync(config, JSON.stringify({ storage }));
    const { status, stderr } = await daypass(["serve", "--config", config, "--state", folder, "--port", "0"], { env });
    return [status === 0, stderr];
  };
  expect(await run({ driver: "s3" })).toEqual([false, expect.stringContaining("there are no AWS credentials")]);
  expect(await run({ driver: "disk", bucket: "media" })).toEqual([false, expect.stringContaining("storage.driver")]);
  const both = { driver: "s3", bucket: "media", buckets: { a: "media" } };
  expect(await run(both)).toEqual([false, expect.stringContaining("are both set")]);
  const keys = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };
  const [ok, stderr] = await run({ driver: "s3", endpoint: "https://user:pw@host" }, keys);
  expect([ok, String(stderr).includes("endpoint")]).toEqual([false, true]);
});
