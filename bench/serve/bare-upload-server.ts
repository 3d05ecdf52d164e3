/**
 * The least that a durable upload can be on Node, to hold the gateway's against: the same write size, MD5 on a thread as the
 * piece is written, fsync, rename, fsync of the folder. No signature, no limits, no index, no log.
 */
import { closeSync, fsync, openSync, renameSync, write } from "node:fs";
import { createServer } from "node:http";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";

const PIECE = 1024 * 1024;
const [, , port, folder] = process.argv;
const flush = promisify(fsync);
const writeAt = promisify(write);

const thread = new Worker(
  `const { createHash } = require("node:crypto");
   const { parentPort } = require("node:worker_threads");
   let md5 = createHash("md5");
   parentPort.on("message", ({ buffer, length }) => {
     if (buffer) {
       md5.update(new Uint8Array(buffer, 0, length));
       parentPort.postMessage("");
     } else {
       parentPort.postMessage(md5.digest("hex"));
       md5 = createHash("md5");
     }
   });`,
  { eval: true },
);

function ask(question: { readonly buffer?: SharedArrayBuffer; readonly length?: number }): Promise<string> {
  return new Promise((resolve) => {
    thread.once("message", resolve);
    thread.postMessage(question);
  });
}

createServer({ highWaterMark: 256 * 1024 }, async (request, response) => {
  const path = `${folder}${request.url?.split("?")[0]}`;
  const fd = openSync(`${path}.part`, "w");
  let [piece, other] = [newPiece(), newPiece()];
  let filled = 0;
  let size = 0;
  let underWay: Promise<unknown> = Promise.resolve();
  const flushPiece = async (): Promise<void> => {
    await underWay;
    underWay = Promise.all([ask({ buffer: piece.buffer, length: filled }), writeAt(fd, piece, 0, filled, size)]);
    size += filled;
    filled = 0;
    [piece, other] = [other, piece];
  };
  for await (const chunk of request as AsyncIterable<Buffer>) {
    for (let offset = 0; offset < chunk.length; ) {
      if (filled === PIECE) await flushPiece();
      const part = chunk.subarray(offset, offset + PIECE - filled);
      piece.set(part, filled);
      filled += part.length;
      offset += part.length;
    }
  }
  await flushPiece();
  await underWay;
  const md5 = await ask({});
  await flush(fd);
  closeSync(fd);
  renameSync(`${path}.part`, path);
  const parent = openSync(path.slice(0, path.lastIndexOf("/")), "r");
  await flush(parent);
  closeSync(parent);
  response.writeHead(200, { etag: `"${md5}"`, "content-length": 0 }).end();
}).listen(Number(port), "127.0.0.1");

function newPiece(): Buffer & { readonly buffer: SharedArrayBuffer } {
  return Buffer.from(new SharedArrayBuffer(PIECE)) as Buffer & { readonly buffer: SharedArrayBuffer };
}
