import { once } from "node:events";
import {
  appendFileSync,
  closeSync,
  fstatSync,
  openSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { defaultLimits } from "../../src/index.ts";
import { toNodeHandler } from "../../src/node/index.ts";
import { readWhole } from "../../src/storage/disk/objects/find-object.ts";
import { withDisk } from "../storage/temp-root.ts";

// More than the kernel buffers for a client that does not read.
const SIZE = 32 * 1024 * 1024;
const ref = { bucket: "bucket", key: "a.bin" };

function overwrite(path: string): void {
  const fd = openSync(path, "r+");
  writeSync(fd, "new", SIZE / 2);
  closeSync(fd);
  // The clock of the file system may not have advanced since the file was created.
  utimesSync(path, 1_000_000_000, 1_000_000_000);
}

it.each([
  ["written over", overwrite, false],
  ["cut short", (path: string) => truncateSync(path, SIZE / 2), false],
  ["cut short and written anew", (path: string) => writeFileSync(path, Buffer.alloc(SIZE, "n")), false],
  ["appended to", (path: string) => appendFileSync(path, "more"), true],
])("sends a file that is %s during the download, whole or truncated", async (_title, change, isWhole) => {
  await withDisk(async (storage, root) => {
    const path = join(root, "bucket/a.bin");
    writeFileSync(path, Buffer.alloc(SIZE, "o"));
    utimesSync(path, 900_000_000, 900_000_000);
    const reports: unknown[][] = [];
    const handle = async () => {
      const body = (await storage.get(ref))?.body();
      const headers = ["content-length", String(SIZE)];
      return {
        status: 200,
        headers,
        body,
        close: true,
        delivered: (...report: unknown[]) => void reports.push(report),
      };
    };
    const server = createServer(toNodeHandler({ limits: defaultLimits, handle, close: async () => {} }));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await once(socket, "readable");
    change(path);
    let got = 0;
    try {
      for await (const piece of socket) got += piece.length;
    } catch {
      // The download was truncated.
    }
    expect(got > SIZE).toBe(isWhole);
    await expect.poll(() => reports).toHaveLength(1);
    // For the operator: the client sees only the closed connection.
    const fault = isWhole
      ? undefined
      : { error: expect.objectContaining({ message: expect.stringContaining("while it was sent") }), status: 200 };
    expect(reports[0]?.slice(1)).toEqual([isWhole, fault]);
  });
});

it("reads a small file again when it changes during the read", async () => {
  await withDisk(async (_storage, root) => {
    const path = join(root, "bucket/a.bin");
    const read = (change: () => void) => {
      writeFileSync(path, "old");
      const fd = openSync(path, "r");
      const stats = fstatSync(fd, { bigint: true });
      change();
      return readWhole({ fd, stats, path, tiedTo: undefined, info: { size: 3 } as never });
    };
    expect(read(() => utimesSync(path, 1_000_000_000, 1_000_000_000))).toBe(undefined);
    expect(read(() => truncateSync(path, 2))).toBe(undefined);
    expect(String(read(() => appendFileSync(path, "er")))).toBe("old");
    expect(String(read(() => {}))).toBe("old");
  });
});

it("refuses the copy of a part when its source changes meanwhile", async () => {
  await withDisk(async (storage, root) => {
    const path = join(root, "bucket/source.bin");
    writeFileSync(path, Buffer.alloc(SIZE, "o"));
    const upload = await storage.createUpload(ref);
    const source = { bucket: "bucket", key: "source.bin" };
    const copy = async () => {
      const { etag: sourceEtag = "" } = (await storage.head(source)) ?? {};
      return storage.copyPart(upload, 1, source, { sourceEtag });
    };
    const copying = copy().then(
      () => "copied",
      (error: { code?: string }) => error.code,
    );
    const begun = () => statSync(join(root, ".daypass/uploads", upload.uploadId, "data"), { throwIfNoEntry: false });
    while ((begun()?.size ?? 0) === 0) await new Promise((resolve) => setImmediate(resolve));
    overwrite(path);
    expect(await copying).toBe("UNAVAILABLE");
    const { parts } = await storage.listParts(upload, { after: 0, limit: 10 });
    expect(parts).toEqual([]);
    expect((await copy())?.size).toBe(SIZE);
  });
});
