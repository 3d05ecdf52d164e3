import { expect, test } from "vitest";
import { isUnchanged, mutate } from "../../../daypass/test/tamper/mutate.ts";
import { type Random, seeded, tamperSeed } from "../../../daypass/test/tamper/seeded.ts";
import { testGateway } from "../../src/testing/index.ts";
import { rawConnection, readAll } from "../e2e/clients.ts";
import { type Base, BODY, bases, gatewayOptions } from "./bases.ts";
import { exchange, head, parseHead, withBody } from "./raw-http.ts";

const COUNT = Math.min(Number(process.env["DAYPASS_TAMPER_COUNT"] ?? 52_000), 52_000);
const CONNECTIONS = 48;

test("over real sockets no tampered or malformed request is accepted, and the gateway goes on", async () => {
  const failures: unknown[] = [];
  const gateway = await testGateway({
    files: Object.fromEntries(
      ["media/a.txt", "media/talks/keynote.mp4", "media/a b+c.txt"].map((file) => [file, "content"]),
    ),
    gateway: () => ({
      ...gatewayOptions,
      audit: ({ error }) => {
        if (error !== undefined) failures.push(error);
      },
    }),
  });
  const random = seeded(tamperSeed + 2);
  const judged = new Set(bases.map(({ request, judge }) => judge(request)));
  const requests = bases.map(({ request }) => request);
  const statuses = new Map<string, number>();
  const wrong: string[] = [];
  let sent = 0;

  async function connection(): Promise<void> {
    while (sent < COUNT) {
      sent += 1;
      const base = random.pick(bases);
      const bytes = random.chance(0.4) ? malformed(base, random) : mutatedHead(base, random);
      const { status, waiting } = await exchange(gateway.port, bytes);
      const name = status === undefined ? (waiting ? "waits for more" : "closed") : String(status);
      statuses.set(name, (statuses.get(name) ?? 0) + 1);
      if (status === undefined || status >= 400) {
        if (status !== undefined && status >= 500 && status !== 501) wrong.push(`${status}: ${JSON.stringify(bytes)}`);
        continue;
      }
      const read = parseHead(bytes);
      // Accepted is what one of the signatures covers; a preflight grants nothing.
      if (read === undefined || (read.method !== "OPTIONS" && !judged.has(base.judge(read)) && !isCovered(read)))
        wrong.push(`${status}: ${JSON.stringify(bytes)}`);
    }
  }

  function isCovered(read: Base["request"]): boolean {
    return bases.some(({ judge }) => judged.has(judge(read)));
  }

  function mutatedHead({ request }: Base, source: Random): string {
    let mutant = mutate(request, source, requests).request;
    while (isUnchanged(mutant, request)) mutant = mutate(request, source, requests).request;
    return withBody(head(mutant), BODY);
  }

  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  const intact = bases.find(
    ({ request }) => request.method === "GET" && request.target.startsWith("/media/a.txt?X-Amz"),
  );
  // Once, and without the patience of an exchange, which is over where the processor was away for as long.
  const socket = await rawConnection(gateway);
  socket.write(head((intact as Base).request));
  expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 200 /);
  const rows = [...statuses].sort(([a], [b]) => (a < b ? -1 : 1)).map(([status, times]) => `${times} × ${status}`);
  process.stdout.write(`sockets, seed ${tamperSeed + 2}: ${sent} requests; ${rows.join(", ")}\n`);
  expect(failures.slice(0, 3)).toEqual([]);
  expect(wrong.slice(0, 5)).toEqual([]);
  await gateway.close();
}, 600_000);

const SPLICES = [
  ...[
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "\0",
    " ",
    "\t",
    ":",
    "HTTP/1.1",
    "HTTP/0.9",
    "HTTP/2.0",
    "\u00ff",
    "%",
    "host: evil.example\r\n",
  ],
  ...[
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: -1\r\n",
  ],
  ...[
    "Content-Length: 99999999999999999999\r\n",
    "Expect: 100-continue\r\n",
    "Upgrade: h2c\r\n",
    "Range: bytes=-0\r\n",
    "a".repeat(9000),
  ],
  ...[
    "Host:\r\n",
    " folded: yes\r\n",
    "x-amz-copy-source: /media/secret\r\n",
    "Connection: upgrade, keep-alive\r\n",
    "Range: bytes=0-0,2-2\r\n",
  ],
] as const;

/** Changes the bytes of a head where no HTTP client could: in line ends, names, the version, between the fields. */
function malformed({ request }: Base, random: Random): string {
  let bytes = head(request);
  for (let left = 1 + random.below(3); left > 0; left--) {
    const at = random.chance(0.4) ? lineStart(bytes, random) : random.below(bytes.length);
    switch (random.below(5)) {
      case 0:
        bytes =
          bytes.slice(0, at) + String.fromCharCode(bytes.charCodeAt(at) ^ (1 << random.below(8))) + bytes.slice(at + 1);
        break;
      case 1:
        bytes = bytes.slice(0, at) + bytes.slice(at + 1 + random.below(3));
        break;
      case 2:
        bytes = bytes.slice(0, at) + bytes.slice(bytes.indexOf("\r\n", at) + 2);
        break;
      default:
        bytes = bytes.slice(0, at) + random.pick(SPLICES) + bytes.slice(at);
    }
  }
  return withBody(bytes, BODY);
}

function lineStart(bytes: string, random: Random): number {
  const starts = [...bytes.matchAll(/\r\n/g)].map(({ index }) => index + 2);
  return starts.length === 0 ? 0 : random.pick(starts);
}
