/**
 * A client for one large body, as a separate process: `transfer.js get URL` or `transfer.js put URL BYTES`. Prints the
 * seconds from the first byte of the request to the last of the answer. On a bare socket with one buffer, so that it is not
 * the client that is measured.
 */
import { connect } from "node:net";

const [, , direction, address = "", bytes = "0"] = process.argv;
const { hostname, port, host, pathname, search } = new URL(address);
const buffer = Buffer.alloc(512 * 1024, "x");
const length = direction === "put" ? Number(bytes) : 0;

const head =
  direction === "put"
    ? `PUT ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${length}\r\n\r\n`
    : `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

const begin = performance.now();
let text = "";
/** Bytes of the response that have not arrived, once its head has declared them. */
let left: number | undefined;

const socket = connect({
  host: hostname,
  port: Number(port),
  onread: {
    buffer: Buffer.alloc(512 * 1024),
    callback(count, received) {
      if (left === undefined) readHead(Buffer.from(received.buffer, received.byteOffset, count));
      else left -= count;
      if (left !== undefined && left <= 0) finish();
      return true;
    },
  },
});
socket.on("connect", () => {
  socket.write(head);
  if (length > 0) send(length);
});
socket.on("error", fail);
socket.on("end", () => fail(new Error("the server closed the connection")));

function readHead(part: Buffer): void {
  text += part.toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return;
  if (!text.startsWith("HTTP/1.1 200")) fail(new Error(text.slice(0, 300)));
  left = Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0) - (text.length - end - 4);
}

function send(rest: number): void {
  const part = rest < buffer.length ? buffer.subarray(0, rest) : buffer;
  socket.write(part, () => {
    if (rest > part.length) send(rest - part.length);
  });
}

function finish(): void {
  console.log((performance.now() - begin) / 1000);
  process.exit(0);
}

function fail(error: Error): void {
  console.error(error.message);
  process.exit(1);
}
