import { once } from "node:events";
import { request } from "node:https";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { expect, it, onTestFinished } from "vitest";
import { defaultLimits, type Outcome } from "../../src/index.ts";
import { type ListenOptions, listen } from "../../src/node/index.ts";
import { renewedTls, tls } from "./fixtures/tls.ts";

/** A TLS server that responds once `ready` resolves. */
async function secure(options: ListenOptions = {}, ready: Promise<unknown> = Promise.resolve()) {
  const { promise: asked, resolve: onAsked } = signal();
  const outcome: Outcome = {
    status: 200,
    headers: ["content-length", "4"],
    body: { kind: "bytes", bytes: Buffer.from("body") },
    close: false,
    delivered() {},
  };
  const handle = (): Promise<Outcome> => {
    onAsked();
    return ready.then(() => outcome);
  };
  const server = await listen({ limits: defaultLimits, handle, close: async () => {} }, { ...options, tls });
  return { server, asked };
}

function signal() {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** A client that begins a TLS handshake and then stalls. */
async function halfway(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  // The head of a TLS record of 512 bytes.
  socket.write(Buffer.from([22, 3, 1, 2, 0, 1]));
  return socket;
}

it("serves TLS only", async () => {
  const { server } = await secure();
  onTestFinished(() => server.drain(0));
  const message = request(server.url, { ca: tls.cert, agent: false }).end();
  const [response] = await once(message, "response");
  expect(await text(response)).toBe("body");
  await expect(fetch(server.url.replace("https", "http"))).rejects.toThrow();
});

it("closes a connection whose handshake takes longer than headersMs", async () => {
  const { server } = await secure({ timeouts: { headersMs: 200 } });
  onTestFinished(() => server.drain(0));
  const socket = await halfway(server.port);
  await once(socket, "close");
});

it("drains without waiting for a handshake", async () => {
  const { server } = await secure({ timeouts: { headersMs: 60_000 } });
  const socket = await halfway(server.port);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  // Once a later client is served, the server has read the handshake.
  const [response] = await once(request(server.url, { ca: tls.cert, agent: false }).end(), "response");
  await text(response);
  await server.drain(100);
  await closed;
});

it("drains without waiting for a connection without a request", async () => {
  const { server } = await secure();
  const socket = connectTls({ port: server.port, host: "127.0.0.1", ca: tls.cert }).on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  // Once another client is served, the server has finished this handshake.
  const [response] = await once(request(server.url, { ca: tls.cert, agent: false }).end(), "response");
  await text(response);
  const begun = performance.now();
  await server.drain(15_000);
  expect(performance.now() - begun).toBeLessThan(10_000);
});

it("finishes requests in progress when it drains", async () => {
  const ready = signal();
  const { server, asked } = await secure({}, ready.promise);
  const message = request(server.url, { ca: tls.cert, agent: false }).end();
  const answered = once(message, "response");
  await asked;
  const drained = server.drain(10_000);
  ready.resolve();
  const [response] = await answered;
  expect(await text(response)).toBe("body");
  await drained;
});

/** Whether a client that trusts only this certificate receives a response. */
async function answers(url: string, ca: string): Promise<boolean> {
  const message = request(url, { ca, agent: false }).end();
  const response = await once(message, "response").then(
    ([first]) => first,
    () => undefined,
  );
  return response !== undefined && (await text(response)) === "body";
}

it("uses a renewed certificate for new connections and keeps open ones", async () => {
  const ready = signal();
  const { server, asked } = await secure({}, ready.promise);
  onTestFinished(() => server.drain(0));
  const answered = once(request(server.url, { ca: tls.cert, agent: false }).end(), "response");
  await asked;
  server.setTls(renewedTls);
  ready.resolve();
  const [response] = await answered;
  expect(await text(response)).toBe("body");
  expect(await answers(server.url, renewedTls.cert)).toBe(true);
  expect(await answers(server.url, tls.cert)).toBe(false);
});

it("keeps its certificate when the new pair is invalid, and throws without TLS", async () => {
  const { server } = await secure();
  onTestFinished(() => server.drain(0));
  expect(() => server.setTls({ cert: renewedTls.cert, key: tls.key })).toThrow();
  expect(() => server.setTls({ cert: "none", key: tls.key })).toThrow();
  expect(await answers(server.url, tls.cert)).toBe(true);
  const handle = async (): Promise<Outcome> => Promise.reject(new Error("not asked"));
  const plain = await listen({ limits: defaultLimits, handle, close: async () => {} });
  onTestFinished(() => plain.drain(0));
  expect(() => plain.setTls(tls)).toThrow("expected a server that was started with tls");
});
