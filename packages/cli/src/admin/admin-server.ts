/** The admin API on its sockets. */
import { chmodSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AdminApi } from "@daypass/gateway/admin";
import { getRequestListener } from "@hono/node-server";
import { consoleFiles } from "./console-files.ts";

/** Listens on a Unix socket that only this user can open, or on a TCP address, which also has the console. */
export async function adminServer(
  api: AdminApi,
  place: { readonly path: string } | { readonly host: string; readonly port: number },
): Promise<Server> {
  const pages = "path" in place ? () => undefined : consoleFiles();
  const listener = getRequestListener(
    (request, { incoming }) => pages(request) ?? api.fetch(request, incoming.socket.remoteAddress ?? undefined),
    { overrideGlobalObjects: false },
  );
  const server = createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    if ("path" in place) server.listen({ path: place.path }, resolve);
    else server.listen(place.port, place.host, resolve);
  });
  if ("path" in place) chmodSync(place.path, 0o600);
  return server;
}
