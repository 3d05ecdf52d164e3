import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { surplus } from "../../src/node/balance.ts";
import { until } from "../e2e/clients.ts";
import { startCluster } from "./cluster.ts";

describe("what one worker is to give up", () => {
  const move = (...loads: readonly (readonly [busy: number, connections: number])[]) =>
    surplus(new Map(loads.map(([busy, connections], worker) => [worker, { busy, connections }])));

  it("is half of what it has more to do than the idlest", () => {
    expect(move([1, 32], [0, 0])).toEqual({ worker: 0, connections: 16 });
    expect(move([0.1, 3], [0.5, 8], [0.9, 20])).toEqual({ worker: 2, connections: 8 });
    expect(move([0, 0], [0.8, 2])).toEqual({ worker: 1, connections: 1 });
  });

  it("is nothing where all have enough to do", () => {
    expect(move([1, 31], [0.9, 1])).toBeUndefined();
  });

  it("is nothing where the fullest has time to spare", () => {
    expect(move([0.7, 40], [0, 0])).toBeUndefined();
  });

  it("is nothing where the fullest has one connection only", () => {
    expect(move([1, 1], [0, 0])).toBeUndefined();
  });

  it("is nothing where only one has said anything yet", () => {
    expect(move([1, 40])).toBeUndefined();
  });
});

describe("connections that one worker got in a burst", () => {
  it("are spread over the others, and every request is answered", { timeout: 60_000 }, async () => {
    await using cluster = await startCluster();
    const { connectionsOf, lines, port, s3 } = cluster;
    const [first = 0, second = 0] = lines(/^worker \d+$/).map((said) => Number(said.split(" ")[1]));
    const { url } = s3.sign({ bucket: "bucket", key: "hello.txt", expiresIn: 600 });
    process.kill(second, "SIGSTOP");
    await until(() => readFileSync(`/proc/${second}/stat`, "utf8").includes(") T "));
    const crowd = await visitors(port, new URL(url), 20);
    expect(await connectionsOf(first)).toBe(20);
    process.kill(second, "SIGCONT");
    crowd.run();
    // One of these clients can keep a worker busy. Looking all the time would leave them no time to ask.
    while ((await connectionsOf(second)) === 0) await sleep(100);
    // A busy machine has answered fewer by then.
    for (let i = 0; i < 100 && crowd.answers <= 1000; i++) await sleep(100);
    crowd.stop();
    expect(crowd.refused).toBeUndefined();
    expect(crowd.answers).toBeGreaterThan(1000);
  });
});

/** Requests that are under way on each connection. */
const AHEAD = 50;

/** Clients that keep their connections as long as the server does, and ask again as soon as they are answered. */
async function visitors(port: number, { pathname, search }: URL, count: number) {
  const request = `GET ${pathname}${search} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
  const sockets = new Set<Socket>();
  let answerBytes = 0;
  let bytes = 0;
  let isOver = false;
  let refused: string | undefined;
  const open = async (): Promise<Socket> => {
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    sockets.add(socket);
    await once(socket, "connect").catch(() => undefined);
    return socket;
  };
  const askOn = (socket: Socket): void => {
    let received = 0;
    let answered = 0;
    socket.on("data", (chunk: Buffer) => {
      refused ??= /HTTP\/1\.1 (?!200).{3}/.exec(chunk.toString("latin1"))?.[0];
      bytes += chunk.length;
      received += chunk.length;
      // All answers are equally long.
      const more = Math.floor(received / answerBytes) - answered;
      answered += more;
      socket.write(request.repeat(more));
    });
    socket.once("close", () => {
      sockets.delete(socket);
      if (!isOver) void open().then(askOn);
    });
    socket.write(request.repeat(AHEAD));
  };
  for (let i = 0; i < count; i++) {
    const socket = await open();
    socket.write(request);
    const [answer] = (await once(socket, "data")) as [Buffer];
    answerBytes = answer.length;
  }
  return {
    run() {
      for (const socket of sockets) askOn(socket);
    },
    get refused() {
      return refused;
    },
    get answers() {
      return bytes / answerBytes;
    },
    stop() {
      isOver = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}
