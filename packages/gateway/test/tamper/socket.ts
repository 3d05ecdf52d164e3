import { expect } from "vitest";
import { isUnchanged, mutate } from "../../../daypass/test/tamper/mutate.ts";
import { type Random, seeded, tamperSeed } from "../../../daypass/test/tamper/seeded.ts";
import { testGateway } from "../../src/testing/index.ts";
import { rawConnection, readAll } from "../e2e/clients.ts";
import { type Base, BODY, bases, gatewayOptions } from "./bases.ts";
import { exchange, head, parseHead, withBody } from "./raw-http.ts";

const CONNECTIONS = 48;

/** Sends tampered and malformed requests over sockets. The gateway accepts none, and still serves an intact request. */
export async function tamperWithSockets(count: number): Promise<void> {
  const failures: unknown[] = [];
  const gateway = await testGateway({
    files: Object.fromEntries(
      ["media/a.txt", "media/talks/keynote.mp4", "media/a b+c.txt"].map((file) => [file, "content"]),
    ),
    gateway: () => ({
      ...gatewayOptions,
      accessLog: ({ error }) => {
        if (error !== undefined) failures.push(error);
      },
    }),
  });
  const random = seeded(tamperSeed + 2);
  const judged = new Set(bases.map(({ request, judge }) => judge(request)));
  const requests = bases.map(({ request }) => request);
  const statuses = new Set<number>();
  const wrong: string[] = [];
  let sent = 0;

  async function connection(): Promise<void> {
    while (sent < count) {
      sent += 1;
      const base = random.pick(bases);
      const bytes = random.chance(0.4) ? malformed(base, random) : mutatedHead(base, random);
      const status = await exchange(gateway.port, bytes);
      if (status !== undefined) statuses.add(status);
      if (status === undefined || status >= 400) {
        if (status !== undefined && status >= 500 && status !== 501) wrong.push(`${status}: ${JSON.stringify(bytes)}`);
        continue;
      }
      const read = parseHead(bytes);
      // One of the signatures must cover an accepted request. A preflight grants nothing.
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
  // Without the timeout of `exchange`, which a busy machine could exceed.
  const socket = await rawConnection(gateway);
  socket.write(head((intact as Base).request));
  expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 200 /);
  expect(failures.slice(0, 3)).toEqual([]);
  expect(wrong.slice(0, 5)).toEqual([]);
  expect([...statuses]).toEqual(expect.arrayContaining([200, 400, 403]));
  await gateway.close();
}

const SPLICES = [
  ...["\r\n", "\n", "\r", "\r\n\r\n", "\0", " ", "\t", ":", "%", "\u00ff", "HTTP/1.1", "HTTP/0.9", "HTTP/2.0"],
  "host: evil.example\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Content-Length: 0\r\n",
  "Content-Length: -1\r\n",
  "Content-Length: 99999999999999999999\r\n",
  "Expect: 100-continue\r\n",
  "Upgrade: h2c\r\n",
  "Range: bytes=-0\r\n",
  "a".repeat(9000),
  "Host:\r\n",
  " folded: yes\r\n",
  "x-amz-copy-source: /media/secret\r\n",
  "Connection: upgrade, keep-alive\r\n",
  "Range: bytes=0-0,2-2\r\n",
];

/** Changes bytes of a head that no HTTP client changes: line ends, names, the version, gaps between the fields. */
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
