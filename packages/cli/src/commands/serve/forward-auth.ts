import type { Links } from "@daypass/gateway";
import type { FastCgiServer, ForwardAuth, ForwardAuthOptions } from "@daypass/gateway/forward-auth";
import { type GatewayServer, type ListenOptions, listen } from "@daypass/gateway/node";
import { CommandError } from "../../command.ts";
import { listenError } from "./listen-address.ts";
import type { ServeSettings } from "./settings.ts";

/** The decisions for proxies of one process. */
export interface ForwardAuthService {
  /** Uses other hosts, or links that were opened meanwhile. Changes nothing if it throws. */
  prepare(wanted: ServeSettings, links: Links | undefined): () => void;
  close(timeoutMs: number): Promise<void>;
}

type Shared = Pick<ForwardAuthOptions, "keys" | "clock" | "tally" | "accessLog"> & Pick<ListenOptions, "logger">;

const NONE: ForwardAuthService = { prepare: () => () => undefined, close: async () => undefined };

/** Listens for proxies, if the configuration asks for it. */
export async function openForwardAuth(
  settings: ServeSettings,
  links: Links | undefined,
  { logger, ...shared }: Shared,
): Promise<ForwardAuthService> {
  const { forwardAuth } = settings;
  if (forwardAuth === undefined) return NONE;
  const { createForwardAuth, serveFastCgi } = await import("@daypass/gateway/forward-auth");
  const make = ({ audience, limits, ...wanted }: ServeSettings, opened: Links | undefined): ForwardAuth =>
    createForwardAuth({
      ...shared,
      audience,
      limits,
      hosts: wanted.forwardAuth?.hosts ?? forwardAuth.hosts,
      links: opened && { links: opened },
    });
  let current = make(settings, links);
  const [host, port] = addressOf(forwardAuth.listen);
  const server: GatewayServer = await listen(
    {
      limits: current.limits,
      handle: (request, body, signal) => current.handle(request, body, signal),
      close: () => current.close(),
    },
    { host, port, logger },
  ).catch((error: NodeJS.ErrnoException) => {
    throw listenError(error, { host, port });
  });
  const fastcgi = await fastCgi();
  return {
    prepare(wanted, opened) {
      const replacement = make(wanted, opened);
      return () => {
        current = replacement;
      };
    },
    async close(timeoutMs) {
      await fastcgi?.close();
      await server.drain(timeoutMs);
    },
  };

  async function fastCgi(): Promise<FastCgiServer | undefined> {
    if (forwardAuth?.fastcgi === undefined) return undefined;
    const [fastcgiHost, fastcgiPort] = addressOf(forwardAuth.fastcgi);
    const decide: ForwardAuth["decide"] = (original, headers) => current.decide(original, headers);
    return serveFastCgi({ decide }, { host: fastcgiHost, port: fastcgiPort }).catch(async (error: Error) => {
      await server.drain(0);
      throw new CommandError(`forwardAuth.fastcgi cannot listen on ${forwardAuth.fastcgi}: ${error.message}`);
    });
  }
}

function addressOf(text: string): readonly [host: string, port: number] {
  const [host = "", port = ""] = text.split(/:(?=\d+$)/);
  return [host.replace(/[[\]]/g, ""), Number(port)];
}
