import { CommandError } from "../../command.ts";
import type { ServeSettings } from "./settings.ts";

/** Why nobody can listen there, and what to do. */
export function listenError(error: NodeJS.ErrnoException, { host, port }: Pick<ServeSettings, "host" | "port">): Error {
  if (error.code === "EADDRINUSE") {
    return new CommandError(
      `expected port ${port} to be free, found another program using it: choose another --port, or stop that program`,
    );
  }
  if (error.code === "EACCES")
    return new CommandError(`expected a port that this user may open, found ${port}: choose a --port above 1023`);
  if (error.code === "EADDRNOTAVAIL")
    return new CommandError(`expected an address of this machine, found ${host}: correct --host or listen.host`);
  if (error.syscall === "getaddrinfo") {
    return new CommandError(
      `expected an address of this machine, found ${host}, a name that does not resolve (${error.code}): correct --host or listen.host`,
    );
  }
  return error;
}
