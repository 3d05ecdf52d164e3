/** A TCP proxy in front of PostgreSQL that loses answers, cuts connections or swallows everything. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface UnreliableProxy {
  readonly url: string;
  /** Where new connections go. */
  target: number;
  /** Loses the answer of every n-th commit, after the server has made it; 0: of none. */
  loseEvery: number;
  /** Swallows all bytes of both directions. */
  isSilent: boolean;
  /** Number of answers that were lost. */
  lost: number;
  /** Ends all connections. */
  cut(): void;
  close(): Promise<void>;
}

/** By default, it listens on a port that is free. */
export async function unreliableProxy(port: number, listenPort = 0): Promise<UnreliableProxy> {
  const sockets = new Set<Socket>();
  let commits = 0;
  const server = createServer((client) => {
    const upstream = connect(proxy.target, "127.0.0.1");
    let isLosing = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket
        .on("error", () => undefined)
        .on("close", () => {
          sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
    }
    client.on("data", (bytes) => {
      if (proxy.isSilent) return;
      if (bytes.includes("COMMIT")) {
        commits += 1;
        isLosing = proxy.loseEvery > 0 && commits % proxy.loseEvery === 0;
      }
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (proxy.isSilent) return;
      if (!isLosing) {
        client.write(bytes);
        return;
      }
      proxy.lost += 1;
      client.destroy();
    });
  });
  server.listen(listenPort, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const proxy: UnreliableProxy = {
    url: `postgres://daypass@127.0.0.1:${(server.address() as AddressInfo).port}/postgres`,
    target: port,
    loseEvery: 0,
    isSilent: false,
    lost: 0,
    cut,
    async close() {
      server.close();
      cut();
      await once(server, "close");
    },
  };
  return proxy;
}
