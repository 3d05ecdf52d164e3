import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { request } from "node:https";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { defaultLimits, type Outcome } from "../../src/index.ts";
import { type ListenOptions, listen } from "../../src/node/index.ts";
import { renewedTls, tls } from "./fixtures/tls.ts";
import { bytesOf, connected, gate } from "./raw-request.ts";

/** A TLS server that responds once `ready` resolves. */
async function secure(options: ListenOptions = {}, ready: Promise<unknown> = Promise.resolve()) {
  const asked = gate();
  const handle = async (): Promise<Outcome> => {
    asked.open();
    await ready;
    return bytesOf(Buffer.from("body"));
  };
  const server = await listen({ limits: defaultLimits, handle, close: async () => {} }, { ...options, tls });
  onTestFinished(() => server.drain(0));
  return { server, asked: asked.opened };
}

/** The body of a response to a client that trusts only this certificate. */
async function get(url: string, ca: string = tls.cert): Promise<string> {
  const [response] = await once(request(url, { ca, agent: false }).end(), "response");
  return text(response);
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
  expect(await get(server.url)).toBe("body");
  await expect(fetch(server.url.replace("https", "http"))).rejects.toThrow();
});

it("closes a connection whose handshake takes longer than headersMs", async () => {
  const { server } = await secure({ timeouts: { headersMs: 200 } });
  const socket = await halfway(server.port);
  await once(socket, "close");
});

it("drains without waiting for a handshake", async () => {
  const { server } = await secure({ timeouts: { headersMs: 60_000 } });
  const socket = await halfway(server.port);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  // Once a later client is served, the server has read the handshake.
  await get(server.url);
  await server.drain(100);
  await closed;
});

it("drains without waiting for a connection without a request", async () => {
  const { server } = await secure();
  await connected(server.port, { tls });
  // Once another client is served, the server has finished this handshake.
  await get(server.url);
  // The time limit of the test is shorter.
  await server.drain(60_000);
});

it("finishes requests in progress when it drains", async () => {
  const ready = gate();
  const { server, asked } = await secure({}, ready.opened);
  const answer = get(server.url);
  await asked;
  const drained = server.drain(10_000);
  ready.open();
  expect(await answer).toBe("body");
  await drained;
});

it("uses a renewed certificate for new connections and keeps open ones", async () => {
  const ready = gate();
  const { server, asked } = await secure({}, ready.opened);
  const answer = get(server.url);
  await asked;
  server.setTls(renewedTls);
  ready.open();
  expect(await answer).toBe("body");
  expect(await get(server.url, renewedTls.cert)).toBe("body");
  await expect(get(server.url)).rejects.toThrow();
});

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" });

it.each([
  ["a key of another type than the certificate's", { cert: tls.cert, key: String(rsa) }],
  ["a key of another certificate", { cert: renewedTls.cert, key: tls.key }],
  ["an empty certificate", { cert: "", key: tls.key }],
  ["an empty key", { cert: tls.cert, key: "\n" }],
])("refuses %s at the start and for a running server, which keeps its pair", async (_, pair) => {
  const handle = async (): Promise<Outcome> => bytesOf(Buffer.from("body"));
  const gateway = { limits: defaultLimits, handle, close: async () => {} };
  await expect(listen(gateway, { tls: pair })).rejects.toThrow();
  const { server } = await secure();
  expect(() => server.setTls(pair)).toThrow();
  expect(await get(server.url)).toBe("body");
});

it("accepts a chain, whose first certificate the key belongs to", async () => {
  const { server } = await secure();
  server.setTls({ cert: renewedTls.cert + tls.cert, key: renewedTls.key });
  expect(await get(server.url, renewedTls.cert)).toBe("body");
});

it("keeps its certificate when the new pair is invalid, and throws without TLS", async () => {
  const { server } = await secure();
  expect(() => server.setTls({ cert: renewedTls.cert, key: tls.key })).toThrow();
  expect(() => server.setTls({ cert: "none", key: tls.key })).toThrow();
  expect(await get(server.url)).toBe("body");
  const handle = async (): Promise<Outcome> => Promise.reject(new Error("not asked"));
  const plain = await listen({ limits: defaultLimits, handle, close: async () => {} });
  onTestFinished(() => plain.drain(0));
  expect(() => plain.setTls(tls)).toThrow("the server was started without tls. Pass tls to listen()");
});
