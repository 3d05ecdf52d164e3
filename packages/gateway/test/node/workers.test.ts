import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { s3Signer } from "daypass/s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../e2e/clients.ts";
import { bundledFixture } from "../storage/bundled-fixture.ts";
import { leakedTemps, removeRoot, tempRoot } from "../storage/temp-root.ts";
import { freePort } from "./free-port.ts";

let root: string;
let port: number;
let journal: string;
let primary: ChildProcess;
let exited: Promise<unknown>;

beforeAll(async () => {
  root = tempRoot();
  port = await freePort();
  journal = join(root, "..", `${process.pid}-${port}.journal`);
  writeFileSync(journal, "");
  writeFileSync(join(root, "bucket/hello.txt"), "hello");
  const program = await bundledFixture("../../node/fixtures/cluster.ts");
  primary = spawn(process.execPath, [program, root, String(port), journal], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  exited = once(primary, "exit");
  await line(/^ready$/);
});
afterAll(async () => {
  primary.kill("SIGKILL");
  await exited;
  removeRoot(root);
  removeRoot(journal);
});

const lines = (pattern: RegExp) =>
  readFileSync(journal, "utf8")
    .split("\n")
    .filter((text) => pattern.test(text));
const line = (pattern: RegExp, count = 1) => until(() => lines(pattern).length >= count && lines(pattern));
const s3 = () =>
  s3Signer({
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${port}`,
    addressing: "path",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
  });
const get = (key: string) =>
  fetch(s3().sign({ bucket: "bucket", key, expiresIn: 60 }).url, { headers: { connection: "close" } });

describe("several workers", () => {
  it("serve one port, and upload through the primary's index", async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `up/${i}.txt`);
    const stored = await Promise.all(
      keys.map((key) =>
        fetch(s3().sign({ method: "PUT", bucket: "bucket", key, expiresIn: 60 }).url, {
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

  it("are told to reload", async () => {
    primary.kill("SIGHUP");
    expect(await line(/^reload/, 2)).toHaveLength(2);
  });

  it("are replaced when one crashes, and the others go on serving", async () => {
    const [first = ""] = lines(/^worker \d+$/);
    process.kill(Number(first.split(" ")[1]), "SIGKILL");
    await line(/^exit SIGKILL 100$/);
    expect(await (await get("hello.txt")).text()).toBe("hello");
    await line(/^worker \d+$/, 3);
  });

  it("are replaced also where the primary speaks to one that has just died", async () => {
    primary.kill("SIGUSR2");
    await line(/^exit SIGKILL/, 2);
    await line(/^worker \d+$/, 4);
    expect(await (await get("hello.txt")).text()).toBe("hello");
  });

  it("finish what is under way when the primary drains, and leave", async () => {
    const { url } = s3().sign({ method: "PUT", bucket: "bucket", key: "last.txt", expiresIn: 60 });
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
