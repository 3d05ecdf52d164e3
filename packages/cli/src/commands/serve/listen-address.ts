import { once } from "node:events";
import { createServer } from "node:net";
import { CommandError } from "../../command.ts";
import type { ServeSettings } from "./settings.ts";

type ListenAddress = Pick<ServeSettings, "host" | "port">;

/** Throws if the port is in use, before the start creates any file. */
export async function expectFreePort({ host, port }: ListenAddress): Promise<void> {
  const probe = createServer();
  try {
    probe.listen({ host, port });
    await once(probe, "listening");
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, { host, port });
  }
  probe.close();
  await once(probe, "close");
}

/** Explains an error of `listen()`. */
export function listenError(error: NodeJS.ErrnoException, { host, port }: ListenAddress): Error {
  if (error.code === "EADDRINUSE") {
    return new CommandError(`another program uses port ${port}. Choose another --port, or stop that program`);
  }
  if (error.code === "EACCES")
    return new CommandError(`this user may not open port ${port}. Choose a --port above 1023`);
  const isUnresolved = error.syscall === "getaddrinfo";
  if (!isUnresolved && error.code !== "EADDRNOTAVAIL") return error;
  return new CommandError(
    `${host} is ${isUnresolved ? `a name that does not resolve (${error.code})` : "not an address of this machine"}. Correct --host or listen.host`,
  );
}
