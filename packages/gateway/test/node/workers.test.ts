import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { until } from "../e2e/clients.ts";
import { leakedTemps } from "../storage/temp-root.ts";
import { startCluster } from "./cluster.ts";

const cluster = await startCluster();
const { exited, line, lines, primary, root, s3 } = cluster;
afterAll(() => cluster[Symbol.asyncDispose]());

const get = (key: string) =>
  fetch(s3.sign({ bucket: "bucket", key, expiresIn: 60 }).url, { headers: { connection: "close" } });

describe("several workers", () => {
  it("share one port and the index of the primary", async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `up/${i}.txt`);
    const stored = await Promise.all(
      keys.map((key) =>
        fetch(s3.sign({ method: "PUT", bucket: "bucket", key, expiresIn: 60 }).url, {
          method: "PUT",
          body: key,
          headers: { connection: "close" },
        }),
      ),
    );
    expect(new Set(stored.map(({ status }) => status))).toEqual(new Set([200]));
    const read = await Promise.all(keys.map(async (key) => (await get(key)).text()));
    expect(read).toEqual(keys);
  });

  it("reload when the primary asks", async () => {
    primary.kill("SIGHUP");
    expect(await line(/^reload/, 2)).toHaveLength(2);
  });

  it("continue serving while a crashed worker is replaced", async () => {
    const [first = ""] = lines(/^worker \d+$/);
    process.kill(Number(first.split(" ")[1]), "SIGKILL");
    await line(/^exit SIGKILL 100$/);
    expect(await (await get("hello.txt")).text()).toBe("hello");
    await line(/^worker \d+$/, 3);
  });

  it("are replaced when the primary sends to a worker that has just died", async () => {
    primary.kill("SIGUSR2");
    await line(/^exit SIGKILL/, 2);
    await line(/^worker \d+$/, 4);
    expect(await (await get("hello.txt")).text()).toBe("hello");
  });

  it("finish requests in progress and exit when the primary drains", async () => {
    const { url } = s3.sign({ method: "PUT", bucket: "bucket", key: "last.txt", expiresIn: 60 });
    let release: () => void = () => {};
    const wait = new Promise<void>((resolve) => {
      release = resolve;
    });
    const body = new ReadableStream({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode("la"));
        await wait;
        controller.enqueue(new TextEncoder().encode("st"));
        controller.close();
      },
    });
    const put = fetch(url, { method: "PUT", body, duplex: "half", headers: { "content-length": "4" } } as RequestInit);
    await until(() => leakedTemps(root).length > 0);
    primary.kill("SIGTERM");
    release();
    expect((await put).status).toBe(200);
    await exited;
    expect(lines(/^drained$/)).toHaveLength(1);
    expect(readFileSync(join(root, "bucket/last.txt"), "utf8")).toBe("last");
  });
});
