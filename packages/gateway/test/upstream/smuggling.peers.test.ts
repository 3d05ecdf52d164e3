import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../../../tools/free-port.ts";
import { needs } from "../../../../tools/needs.ts";
import { seeded } from "../../../../tools/seeded-random.ts";
import { createForwardAuth } from "../../src/forward-auth/index.ts";
import { visitCookies } from "../../src/links/visit.ts";
import { openRoutes } from "../../src/upstream/index.ts";
import { linkBench } from "../links/link-bench.ts";
import { removeRoot, tempRoot } from "../storage/temp-root.ts";

const missing = needs("nginx");

/** An upstream that answers each head it finds in the bytes, as a lenient server would. */
interface RawUpstream {
  readonly port: number;
  /** All bytes of each connection. */
  readonly received: string[];
  answer: string;
  close(): void;
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async function rawUpstream(): Promise<RawUpstream> {
  const sockets = new Set<Socket>();
  const upstream = { port: 0, received: [] as string[], answer: OK, close: (): void => undefined };
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    const at = upstream.received.push("") - 1;
    let answered = 0;
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      upstream.received[at] += chunk.toString("latin1");
      const heads = upstream.received[at]?.match(/\r\n\r\n/g)?.length ?? 0;
      for (; answered < heads; answered++) socket.write(Buffer.from(answered === 0 ? upstream.answer : OK, "latin1"));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  upstream.port = (server.address() as AddressInfo).port;
  upstream.close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return upstream;
}

/** Sends bytes, and returns all that comes back within a moment after the last byte. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let got = "";
    let timer: NodeJS.Timeout | undefined;
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(got);
    };
    const wait = (ms: number): void => {
      clearTimeout(timer);
      timer = setTimeout(finish, ms);
    };
    socket.on("data", (chunk: Buffer) => {
      got += chunk.toString("latin1");
      wait(150);
    });
    socket.on("close", finish).on("error", finish);
    socket.write(Buffer.from(bytes, "latin1"));
    wait(1500);
  });
}

const statuses = (text: string): readonly number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)).filter((status) => status >= 200);

/** The requests in the bytes that an upstream received: a request line at the beginning of a line. */
const requestsIn = (bytes: string): number =>
  bytes.match(/(?:^|\n|\0)(?:GET|POST|PUT) \S+ HTTP\/1\.1\r\n/g)?.length ?? 0;

describe.skipIf(missing)(`bytes that smuggle${missing ?? ""}`, () => {
  let upstream: RawUpstream;
  let nginxPort: number;
  let pathsPort: number;
  const closing: (() => unknown)[] = [];
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
  });

  beforeAll(async () => {
    upstream = await rawUpstream();
    closing.push(() => upstream.close());
    const folder = tempRoot();
    nginxPort = await freePort();
    pathsPort = await freePort();
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((n) => `${n}_temp_path ${folder}/${n};`);
    writeFileSync(
      join(folder, "nginx.conf"),
      `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http { access_log off; ${temporary.join(" ")}
server { listen 127.0.0.1:${nginxPort}; location / { proxy_pass http://127.0.0.1:${upstream.port}; proxy_http_version 1.1; } }
server { listen 127.0.0.1:${pathsPort}; location / { return 200 "other $uri"; } location /album/ { return 200 "album $uri"; } } }`,
    );
    const nginx = spawn("/usr/sbin/nginx", [
      "-p",
      folder,
      "-e",
      `${folder}/error.log`,
      "-c",
      join(folder, "nginx.conf"),
    ]);
    const exited = once(nginx, "exit");
    closing.push(async () => {
      nginx.kill("SIGTERM");
      await exited;
      removeRoot(folder);
    });
    while ((await exchange(pathsPort, "GET /album/ HTTP/1.0\r\n\r\n")) === "") await sleep(50);
  });

  const bench = linkBench(undefined, (origin) => ({
    routes: openRoutes([
      {
        origin,
        prefix: "/app/",
        upstream: `http://127.0.0.1:${upstream.port}`,
        methods: ["GET", "POST"],
        cookies: true,
      },
    ]),
  }));

  function cookie(path: string, origin: string): string {
    const { name, value } = visitCookies(bench.links.stateKey).seal({
      ...{ link: "l", variant: "v", owner: "operator", origin, path, networks: [] },
      ...{ sealedAt: bench.now, startsAt: bench.now, until: bench.now + 60_000 },
    });
    return `${name}=${value}`;
  }

  const NEXT = "GET /app/smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

  // RFC 9112 §2.2: a recipient "MAY recognize a single LF as a line terminator", and nginx does. RFC 9110 §5.6.3 allows a tab before a value, and
  // nginx does not.
  const OTHERWISE_IN_NGINX: Readonly<Record<string, number>> = {
    "a bare line feed in a header": 1,
    "a coding with a tab": 0,
  };

  it.each<readonly [why: string, lines: string, body: string, outcome: "refused" | "one request"]>([
    ["two lengths", "Content-Length: 4\r\nContent-Length: 0\r\n", `abcd${NEXT}`, "refused"],
    ["two equal lengths", "Content-Length: 4\r\nContent-Length: 4\r\n", "abcd", "refused"],
    ["a length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${NEXT}`, "refused"],
    ["a length list", "Content-Length: 4, 4\r\n", "abcd", "refused"],
    ["a signed length", "Content-Length: +4\r\n", "abcd", "refused"],
    ["a hexadecimal length", "Content-Length: 0x4\r\n", "abcd", "refused"],
    ["another coding", "Transfer-Encoding: xchunked\r\n", `0\r\n\r\n${NEXT}`, "refused"],
    ["two codings", "Transfer-Encoding: chunked, identity\r\n", `0\r\n\r\n${NEXT}`, "refused"],
    ["a coding with a tab", "Transfer-Encoding:\tchunked\r\nX: y\r\n", `0\r\n\r\n`, "one request"],
    ["a space before the colon", "Transfer-Encoding : chunked\r\n", `0\r\n\r\n${NEXT}`, "refused"],
    ["a folded line", "X: y\r\n Transfer-Encoding: chunked\r\n", `0\r\n\r\n${NEXT}`, "refused"],
    ["a bare line feed in a header", "X: y\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n`, "refused"],
    [
      "a bare carriage return in a header",
      "X: y\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n",
      NEXT,
      "refused",
    ],
    ["a NUL in a header", "X: y\0z\r\nContent-Length: 0\r\n", "", "refused"],
    [
      "a chunk size that overflows",
      "Transfer-Encoding: chunked\r\n",
      `100000000000000001\r\na\r\n0\r\n\r\n${NEXT}`,
      "refused",
    ],
    ["a chunk extension with a line feed", "Transfer-Encoding: chunked\r\n", `1;a\nb\r\nx\r\n0\r\n\r\n`, "refused"],
    ["a chunk without its end", "Transfer-Encoding: chunked\r\n", `1\r\nxx\r\n0\r\n\r\n${NEXT}`, "refused"],
    ["trailers", "Transfer-Encoding: chunked\r\n", "1\r\nx\r\n0\r\nX-Forwarded-User: admin\r\n\r\n", "one request"],
    ["two hosts", "Host: evil.example\r\nContent-Length: 0\r\n", "", "refused"],
    ["a connection that names a header", "Connection: content-length\r\nContent-Length: 4\r\n", "abcd", "one request"],
  ])("in a request with %s never become a second one", async (why, lines, body, outcome) => {
    const host = new URL(bench.url).host;
    const bytes = (path: string): string =>
      `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie("/app/", bench.url)}\r\n${lines}\r\n${body}`;
    upstream.received.length = 0;
    const [first = 0] = statuses(await exchange(Number(new URL(bench.url).port), bytes("/app/a")));
    const seen = upstream.received.join("\0");
    expect(requestsIn(seen)).toBeLessThanOrEqual(1);
    expect(seen).not.toMatch(/smuggled|evil|x-forwarded-user|admin/i);
    expect(seen.match(/\r\n(?:content-length|transfer-encoding):/gi)?.length ?? 0).toBeLessThanOrEqual(1);
    if (outcome === "refused")
      expect([first >= 400 || first === 0, requestsIn(seen) === 0 || !/\r\n0\r\n\r\n$/.test(seen)]).toEqual([
        true,
        true,
      ]);
    else expect([first, requestsIn(seen)]).toEqual([200, 1]);
    // nginx, on the same bytes.
    upstream.received.length = 0;
    await exchange(nginxPort, bytes("/app/a"));
    const passed = requestsIn(upstream.received.join("\0"));
    expect(passed).toBe(OTHERWISE_IN_NGINX[why] ?? (outcome === "one request" ? 1 : 0));
  });

  it.each<readonly [why: string, answer: string, status: number]>([
    ["no HTTP", "hello\r\n\r\n", 502],
    ["a length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 502],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nokmor", 502],
    [
      "an upgrade that nobody asked for",
      "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nraw",
      502,
    ],
    ["a second response behind the first", `${OK}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray`, 200],
    ["a folded header", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok", 502],
    ["a line feed in a header", "HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: b=1\r\nContent-Length: 2\r\n\r\nok", 502],
    ["early hints", `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${OK}`, 200],
    ["orders to a proxy", "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /etc/passwd\r\nContent-Length: 2\r\n\r\nok", 200],
    ["a head without end", `HTTP/1.1 200 OK\r\nX: ${"y".repeat(100_000)}`, 502],
  ])("in a response with %s reach no client", async (_, answer, status) => {
    upstream.answer = answer;
    const port = Number(new URL(bench.url).port);
    const request = `GET /app/a HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie("/app/", bench.url)}\r\n\r\n`;
    const text = await exchange(port, request);
    upstream.answer = OK;
    expect(statuses(text)).toEqual([status]);
    expect(text).not.toMatch(/stray|\r\nset-cookie: b|x-accel|passwd|raw$/i);
    // The next request gets its own answer.
    expect(statuses(await exchange(port, request))).toEqual([200]);
  });

  it("in a path are refused, or nginx and the gateway read the same path", { timeout: 300_000 }, async () => {
    const origin = "https://photos.example.com";
    const auth = createForwardAuth({
      ...{ hosts: [{ origin }], keys: { url: [] }, links: { links: bench.links }, clock: bench.clock },
    });
    const headers = [["cookie", cookie("/album/", origin)]] as const;
    const paths = generatedPaths(10_000);
    let passed = 0;
    const asked = await askAll(pathsPort, paths);
    for (const [i, target] of paths.entries()) {
      const original = { method: "GET", host: "photos.example.com", target, remoteAddress: "192.0.2.1" };
      const outcome = await auth.decide(original, headers);
      outcome.delivered(0, true);
      if (outcome.status !== 200) continue;
      passed += 1;
      // nginx chooses the location by its own reading of the path, which is in $uri.
      const read = Buffer.from(decodeURIComponent(target)).toString("latin1");
      expect([target, asked[i]]).toEqual([target, `album ${read}`]);
    }
    expect(passed).toBeGreaterThan(500);
    expect(passed).toBeLessThan(9000);
  });
});

const PIECES = [
  ...[
    "a",
    "b.jpg",
    "7",
    "..",
    ".",
    "%2e",
    "%2E%2e",
    ".%2e",
    "%2f",
    "%2F",
    "%5c",
    "%5C",
    "\\",
    ";",
    ";a=b",
    "%3b",
    "%00",
    "%0a",
  ],
  ...[
    "%25",
    "%252e",
    "%252f",
    "%61",
    "%41",
    "%7e",
    "~",
    "%20",
    "%C3%BC",
    "%c3%bc",
    "%C3",
    "%C0%AF",
    "%E2%80%AE",
    "ü",
    "+",
    "&",
    "@",
    ":",
  ],
  ...[
    "album",
    "ALBUM",
    "%61lbum",
    "...",
    "..;",
    "%2e%2e%2f",
    "a%2520b",
    "%23",
    "%3F",
    "=",
    "$",
    "!",
    "'",
    "(",
    "*",
    ",",
  ],
];
const SLASHES = ["/", "/", "/", "/", "//", "/./", "/../"];

/** Paths below an album, with pieces that servers read differently. */
function generatedPaths(count: number): readonly string[] {
  const { chance, pick, below } = seeded(25);
  return Array.from({ length: count }, () => {
    let path = chance(0.9) ? "/album" : pick(["", "/x/../album", "//album", "/./album", "/album/../x", "/%61lbum"]);
    for (let left = 1 + below(3); left > 0; left--) {
      path += pick(SLASHES) + (chance(0.6) ? pick(["a", "7", "b.jpg", "%20c", "%C3%BC"]) : pick(PIECES));
    }
    return chance(0.2) ? `${path}/` : path;
  });
}

/** The body of nginx's answer to each path, or its status; 20 at a time. */
async function askAll(port: number, paths: readonly string[]): Promise<readonly string[]> {
  const results = new Array<string>(paths.length).fill("");
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < paths.length) {
      const at = next++;
      const bytes = `GET ${paths[at]} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
      const text = await closedExchange(port, bytes);
      results[at] = text.split("\r\n\r\n")[1] ?? text.slice(9, 12);
    }
  };
  await Promise.all(Array.from({ length: 20 }, work));
  return results;
}

function closedExchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let got = "";
    socket.on("data", (chunk: Buffer) => {
      got += chunk.toString("latin1");
    });
    socket.on("close", () => resolve(got)).on("error", () => undefined);
    socket.write(Buffer.from(bytes, "latin1"));
  });
}
