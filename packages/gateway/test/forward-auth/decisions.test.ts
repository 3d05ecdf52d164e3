import { connect } from "node:net";
import { urlSigner } from "daypass/url";
import { describe, expect, it, onTestFinished } from "vitest";
import { createForwardAuth, type ForwardAuthOptions, serveFastCgi } from "../../src/forward-auth/index.ts";
import type { AccessEvent } from "../../src/index.ts";
import { listen } from "../../src/node/index.ts";

const ORIGIN = "https://photos.example.com";
const KEY = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;

interface Original {
  readonly method?: string;
  readonly host?: string;
  readonly target: string;
  readonly address?: string;
}

type Question = readonly [target: string, headers: Record<string, string>, method?: string | undefined];

/** How each proxy asks: exactly these headers describe the request. */
const QUESTIONS = {
  nginx: original("nginx"),
  haproxy: original("haproxy"),
  varnish: original("varnish"),
  caddy: forwarded("caddy"),
  traefik: forwarded("traefik"),
  envoy: ({ method, host, target, address }: Required<Original>): Question => [
    `/-/auth/envoy${target}`,
    { host, "x-envoy-external-address": address },
    method,
  ],
} satisfies Readonly<Record<string, (original: Required<Original>) => Question>>;

function original(name: string) {
  return ({ method, host, target, address }: Required<Original>): Question => [
    `/-/auth/${name}`,
    { "x-original-method": method, "x-original-host": host, "x-original-uri": target, "x-real-ip": address },
  ];
}

function forwarded(name: string) {
  return ({ method, host, target, address }: Required<Original>): Question => [
    `/-/auth/${name}`,
    {
      "x-forwarded-method": method,
      "x-forwarded-host": host,
      "x-forwarded-uri": target,
      "x-forwarded-for": `203.0.113.7, ${address}`,
      "x-forwarded-proto": "https",
    },
  ];
}

async function service(options: Partial<ForwardAuthOptions> = {}) {
  const events: AccessEvent[] = [];
  const auth = createForwardAuth({
    hosts: [{ origin: ORIGIN }],
    keys: { url: [KEY] },
    accessLog: (event) => events.push(event),
    ...options,
  });
  const server = await listen(auth, { port: 0 });
  onTestFinished(() => server.drain(0));
  return { auth, events, port: server.port };
}

/** Sends bytes, because clients would correct them, and returns the status and the head of the answer. */
function send(port: number, bytes: string): Promise<readonly [status: number, head: string]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let got = "";
    socket.on("data", (chunk: Buffer) => {
      got += chunk.toString("latin1");
    });
    socket.on("close", () => resolve([Number(got.slice(9, 12)), got]));
    socket.on("error", reject);
    socket.end(bytes);
  });
}

function ask(port: number, [target, headers, method = "GET"]: Question): Promise<readonly [number, string]> {
  const { host = "127.0.0.1", ...others } = headers;
  const lines = Object.entries(others).map(([name, value]) => `${name}: ${value}\r\n`);
  return send(port, `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${lines.join("")}\r\n`);
}

const sign = (path: string, request: object = {}): string =>
  urlSigner({ key: KEY })
    .sign({ url: ORIGIN + path, expiresIn: 60, ...request })
    .url.slice(ORIGIN.length);

const DEFAULTS = { method: "GET", host: "photos.example.com", address: "192.0.2.1" };

it.each<{ who: string; page?: string; more?: Record<string, string>; method?: string }>([
  { who: "a browser whose visit is over", page: "/-/daypass/l/abc2" },
  { who: "a program", more: { "user-agent": "curl/8" } },
  { who: "a browser that sends a form", method: "POST" },
  { who: "a browser with a path in the cookie", more: { cookie: "dp-link-a=/evil" } },
])("names the page of the link to nginx for $who: $page", async ({ page, more, method = "GET" }) => {
  const { port } = await service();
  const [target, headers] = QUESTIONS.nginx({ ...DEFAULTS, method, target: "/album/7/" });
  const browser = { accept: "text/html", "user-agent": "Mozilla/5.0", cookie: "dp-link-a=abc1; dp-link-b=abc2" };
  const [status, head] = await ask(port, [target, { ...headers, ...browser, ...more }]);
  expect([status, /^daypass-link: (.*)\r$/m.exec(head)?.[1]]).toEqual([403, page]);
});

describe.each(Object.entries(QUESTIONS))("forward-auth for %s", (name, question) => {
  it("passes a signed request with its identity, and logs the original request", async () => {
    const { port, events } = await service();
    const target = sign("/album/7/a.jpg?size=2", { bind: { ip: "192.0.2.0/24" } });
    const [status, head] = await ask(port, question({ ...DEFAULTS, target }));
    expect(status).toBe(200);
    expect(head).toMatch(/\r\ndaypass-grant: [\w-]{22}\r\ndaypass-key: k1\r\n/);
    expect(events).toMatchObject([
      { status: 200, method: "GET", host: "photos.example.com", keyId: "k1", remoteAddress: "192.0.2.1" },
    ]);
    expect(events[0]?.url).toMatch(/^\/album\/7\/a\.jpg\?/);
  });

  it.each<readonly [why: string, original: Original, status: number]>([
    ["without a signature", { target: "/album/7/" }, 403],
    ["with a changed signature", { target: sign("/album/7/").replace(/signature=../, "signature=xx") }, 403],
    ["for another host", { target: sign("/a"), host: "other.example.com" }, 403],
    ["for another path", { target: sign("/a").replace("/a", "/b") }, 403],
    ["from another network", { target: sign("/a", { bind: { ip: "198.51.100.0/24" } }) }, 403],
    [
      "with a method that the host does not list",
      { target: sign("/a", { methods: ["DELETE"] }), method: "DELETE" },
      405,
    ],
    ["that counts uses, without a state", { target: sign("/a", { uses: 1 }) }, 403],
    ["for a path of the gateway's own probes", { target: "/-/healthz" }, 403],
    ["that is a preflight", { target: "/a", method: "OPTIONS" }, 403],
    ["with a path that can be read in two ways", { target: sign("/a").replace("/a", "/x/../a") }, 400],
  ])("denies a request %s", async (_, original, status) => {
    const { port } = await service();
    const [denied] = await ask(port, question({ ...DEFAULTS, ...original }));
    expect(denied).toBe(name === "nginx" ? 403 : status);
  });

  it("denies a question without the method, the URI or the host, or with one of them twice", async () => {
    const { port } = await service();
    const [target, headers, method] = question({ ...DEFAULTS, target: sign("/a") });
    for (const missing of Object.keys(headers).filter((header) => /method|uri|host/.test(header))) {
      const { [missing]: value = "", ...others } = headers;
      if (missing !== "host") expect((await ask(port, [target, others, method]))[0]).toBe(name === "nginx" ? 403 : 400);
      const twice = { ...headers, [missing.toUpperCase()]: value };
      expect((await ask(port, [target, twice, method]))[0]).toBe(name === "nginx" ? 403 : 400);
    }
  });
});

describe("forward-auth", () => {
  it.each(["caddy", "envoy"] as const)(
    "answers %s with an empty subject, which replaces that of a client",
    async (name) => {
      const { port } = await service();
      const [, head] = await ask(port, QUESTIONS[name]({ ...DEFAULTS, target: sign("/a") }));
      expect(head).toMatch(/\r\ndaypass-subject: ?\r\n/);
    },
  );

  it("answers no question of an unknown proxy, and none without a name", async () => {
    const { port } = await service();
    const [, headers] = QUESTIONS.nginx({ ...DEFAULTS, target: sign("/a") });
    for (const target of ["/", "/-/auth/", "/-/auth/constructor", "/-/auth/nginx2", "/-/Auth/nginx"])
      expect((await ask(port, [target, headers]))[0]).toBe(400);
    expect((await ask(port, ["/-/healthz", {}]))[0]).toBe(200);
  });

  it("reads the headers of one proxy only", async () => {
    const { port } = await service();
    const [, asNginx] = QUESTIONS.nginx({ ...DEFAULTS, target: sign("/a") });
    const [target, asCaddy] = QUESTIONS.caddy({ ...DEFAULTS, target: "/a" });
    expect((await ask(port, [target, { ...asNginx, ...asCaddy }]))[0]).toBe(403);
  });
});

describe("forward-auth for Apache, by FastCGI", () => {
  const pair = (key: string, value: string): Buffer => {
    const size = (length: number): Buffer => {
      if (length < 128) return Buffer.from([length]);
      const long = Buffer.alloc(4);
      long.writeUInt32BE((length | 0x80000000) >>> 0);
      return long;
    };
    return Buffer.concat([size(key.length), size(value.length), Buffer.from(key + value, "latin1")]);
  };
  const record = (type: number, content: Buffer): Buffer =>
    Buffer.concat([Buffer.from([1, type, 0, 1, content.length >> 8, content.length & 255, 0, 0]), content]);
  const bytesOf = (params: readonly (readonly [string, string])[]): string =>
    Buffer.concat([
      record(1, Buffer.from([0, 2, 0, 0, 0, 0, 0, 0])),
      record(4, Buffer.concat(params.map(([key, value]) => pair(key, value)))),
      record(4, Buffer.alloc(0)),
      record(5, Buffer.alloc(0)),
    ]).toString("latin1");
  const asked = (target: string) =>
    [
      ["REQUEST_METHOD", "GET"],
      ["HTTP_HOST", "photos.example.com"],
      ["REQUEST_URI", target],
      ["REMOTE_ADDR", "192.0.2.1"],
    ] as const;

  it.each<readonly [why: string, params: readonly (readonly [string, string])[], answer: RegExp]>([
    ["lets a signed request pass", asked(sign("/album/7/")), /Status: 200\r\nVariable-DAYPASS_GRANT: [\w-]{22}\r\n/],
    ["denies an unsigned one", asked("/album/7/"), /Status: 403\r\n/],
    ["denies one without a method", asked(sign("/a")).slice(1), /Status: 4\d\d\r\n/],
    ["denies one without a URI", asked(sign("/a")).filter(([name]) => name !== "REQUEST_URI"), /Status: 4\d\d\r\n/],
    ["closes at a repeated variable", [...asked("/a"), ["REQUEST_URI", sign("/a")]], /^$/],
  ])("%s", async (_, params, answer) => {
    const { auth } = await service();
    const server = await serveFastCgi(auth);
    onTestFinished(() => server.close());
    const socket = connect(server.port, "127.0.0.1");
    let got = "";
    socket.on("data", (chunk: Buffer) => {
      got += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.write(Buffer.from(bytesOf(params), "latin1"));
    await new Promise((resolve) => socket.once("close", resolve));
    expect(got).toMatch(answer);
  });
});
