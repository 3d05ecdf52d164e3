import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { S3ObjectRequest, S3SignRequest } from "daypass/s3";
import { onTestFinished } from "vitest";
import { defaultLimits, type Gateway, type Outcome, type Storage } from "../../src/index.ts";
import { type GatewayServer, type ListenOptions, listen } from "../../src/node/index.ts";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { s3For } from "../e2e/clients.ts";
import { tls } from "./fixtures/tls.ts";

/** Both transports, for `it.each`. */
export const transports: readonly (readonly [string, ListenOptions])[] = [
  ["TCP", {}],
  ["TLS", { tls }],
];

/** The head of a request that is signed for an object in `media`, with further fields. */
export function headOf(
  gateway: Pick<TestGateway, "url" | "port" | "accessKey">,
  asked: Partial<S3ObjectRequest> = {},
  ...fields: readonly string[]
): string {
  const whole = asked.key === undefined ? { resource: "bucket" } : {};
  const request = { bucket: "media", expiresIn: 60, ...whole, ...asked } as S3SignRequest;
  const { url, method } = s3For(gateway).sign(request);
  const target = url.slice(gateway.url.length);
  return [`${method} ${target} HTTP/1.1`, `Host: 127.0.0.1:${gateway.port}`, ...fields, "", ""].join("\r\n");
}

/** The statuses in what a client has read. */
export const statusesOf = (text: string): readonly string[] => text.match(/(?<=HTTP\/1\.1 )\d+/g) ?? [];

/** A promise and the function that resolves it. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A gateway whose uploads wait until they are released. */
export async function withHeldUploads(listenOptions: ListenOptions = {}) {
  const release = gate();
  let begun = 0;
  const gateway = await testGateway({
    files: { "media/hello.txt": "hello" },
    listen: listenOptions,
    storage: (disk): Storage => ({
      ...disk,
      async put(...given) {
        begun += 1;
        await release.opened;
        return disk.put(...given);
      },
    }),
  });
  onTestFinished(() => gateway.close());
  return { gateway, release: release.open, begun: () => begun };
}

/** A server over a function in place of a gateway, and a client that is connected to it. */
export async function served(
  handle: Gateway["handle"],
  options: ListenOptions = {},
): Promise<{ readonly server: GatewayServer; readonly socket: Socket }> {
  const server = await listen({ limits: defaultLimits, handle, close: async () => {} }, options);
  onTestFinished(() => server.drain(0));
  return { server, socket: await connected(server.port, options) };
}

export async function connected(port: number, options: ListenOptions = {}): Promise<Socket> {
  const to = { port, host: "127.0.0.1" };
  const socket = (options.tls ? connectTls({ ...to, ca: tls.cert }) : connect(to)).on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, options.tls ? "secureConnect" : "connect");
  return socket;
}

/** A 200 with these bytes. */
export const bytesOf = (bytes: Buffer): Outcome => ({
  status: 200,
  headers: ["content-length", `${bytes.length}`],
  body: { kind: "bytes", bytes },
  close: false,
  delivered() {},
});
