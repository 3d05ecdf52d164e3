import { once } from "node:events";
import { createServer } from "node:net";
import { listenError } from "./listen-error.ts";
import type { ServeSettings } from "./settings.ts";

/** Finds out that a port is taken before anything is made in the folder. Whether it still is free, the start itself sees. */
export async function expectFreePort(settings: Pick<ServeSettings, "host" | "port">): Promise<void> {
  const { host, port } = settings;
  const probe = createServer();
  try {
    probe.listen({ host, port });
    await once(probe, "listening");
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, settings);
  }
  probe.close();
  await once(probe, "close");
}
