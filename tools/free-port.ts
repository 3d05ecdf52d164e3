import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

// Below the ephemeral ports, so no other connection takes the port before the process listens on it.
const FIRST = 20_000;
const LAST = 32_767;
/** Two that are asked for before either is taken have to differ. */
const given = new Set<number>();

/** A port that is free at this moment, for a process whose origins have to name it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST + 1);
    if (given.has(port)) continue;
    given.add(port);
    const server = createServer();
    const isFree = once(server, "listening").then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "EADDRINUSE" || error.code === "EACCES") return false;
        throw error;
      },
    );
    server.listen(port, "127.0.0.1");
    if (!(await isFree)) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}
