/** The links of one process of a gateway: its connection to the state, and its part of the admin API. */
import type { Server } from "node:http";
import { type Links, type Metrics, openLinks, type Storage } from "@daypass/gateway";
import { adminApi, adminSessions, type LinkPlace } from "@daypass/gateway/admin";
import type { Log } from "@daypass/gateway/node";
import { dispatcher, targetGuard } from "@daypass/gateway/notify";
import { connectState, measuredState, type Revocation } from "@daypass/gateway/state";
import type { Grant, WireRequest } from "daypass";
import { adminKeys } from "../admin/admin-keys.ts";
import { adminServer } from "../admin/admin-server.ts";
import type { ServeSettings } from "../commands/serve/settings.ts";
import type { KeyStore } from "../state-folder/key-store.ts";
import { linkFiles } from "../state-folder/link-files.ts";
import { wireRequestOf } from "../url-request.ts";
import { revocationFile } from "./revocation-file.ts";

/** How often a process asks for revocations that no message has brought. */
const POLL_MS = 5000;
/** The methods that a revoked URL may have been signed for. */
const METHODS = ["GET", "PUT", "HEAD", "DELETE", "POST"] as const;

/** Links with what ends with the process. */
export interface LinkService {
  readonly links: Links;
  /** Listens on the sockets of the admin API, once. */
  listen(options: {
    readonly storage: Pick<Storage, "head" | "list" | "buckets">;
    readonly origin: string;
    readonly verify: (request: WireRequest) => Promise<Grant>;
    readonly places: () => readonly LinkPlace[];
    readonly admin: ServeSettings["admin"];
    /** Whether the present configuration hands over. */
    readonly handsOver: () => boolean;
    readonly store: KeyStore;
  }): Promise<void>;
  close(): Promise<void>;
}

/** Connects to the process that owns the state. */
export async function openLinkService(
  { state: folder, links: config = {}, webhooks = {} }: ServeSettings,
  { clock, log, metrics }: { readonly clock: () => Date; readonly log: Log; readonly metrics: Metrics },
): Promise<LinkService> {
  const { stateSocket, adminSocket, revocations } = linkFiles(folder);
  let links: Links | undefined;
  const connected = connectState({
    path: stateSocket,
    onRevocations: (changes: readonly Revocation[]) => links?.apply(changes),
    onRevision: (revision) => links?.follow(revision),
    onConnect: () => void links?.catchUp().catch(() => undefined),
  });
  const state = measuredState(connected, ({ name, seconds, result, isDelivery }) => {
    metrics.observe("state_duration_seconds", seconds, `method="${name}"`);
    if (isDelivery) metrics.add("deliveries_total", 1, `command="${name}",result="${result}"`);
  });
  const opened = await openLinks({
    state,
    clock,
    maxRevocationAge: maxStaleMs({ links: config }),
    snapshot: revocationFile(revocations),
  }).catch(async (error: unknown) => {
    await state.close();
    throw error;
  });
  links = opened;
  const { allowNetworks = [] } = webhooks;
  const { stateKey } = opened;
  const sender = dispatcher({ state, stateKey, guard: targetGuard({ allowNetworks }), clock });
  sender.start();
  const poll = async (): Promise<void> => {
    await opened.catchUp().catch(() => undefined);
    metrics.set("revocations_age_seconds", opened.age() / 1000);
    metrics.set("state_unavailable", opened.obstacle() === undefined ? 0 : 1);
    metrics.set("audit_stopped", state.auditFault?.() === undefined ? 0 : 1);
    const { waiting, dead } = await state.outboxDepth();
    metrics.set("outbox_waiting", waiting);
    metrics.set("outbox_dead", dead);
  };
  const timer = setInterval(() => void poll().catch(() => undefined), POLL_MS);
  let servers: readonly Server[] = [];
  return {
    links: opened,
    async listen({ storage, origin, verify, places, admin, handsOver, store }) {
      if (servers.length > 0) return;
      const identify = async (url: string): Promise<Grant> => {
        const attempts = await Promise.allSettled(METHODS.map((method) => verify(wireRequestOf(url, method))));
        const [found] = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
        if (found === undefined) throw (attempts[0] as PromiseRejectedResult).reason;
        return found;
      };
      const options = {
        links: opened,
        storage,
        origin,
        identify,
        places,
        clock,
        handsOver,
        sessions: admin && adminSessions(clock),
        keys: adminKeys(store),
        webhookNetworks: allowNetworks,
        onError: (error: unknown) => log.logger.error({ error: String(error) }, "a call of the admin API failed"),
      };
      const [host = "", port = ""] = admin?.listen.split(/:(?=\d+$)/) ?? [];
      const origins = admin?.origins ?? [`http://${admin?.listen}`];
      const local = adminApi({ ...options, origins: [], consoleOrigin: origins[0], isLocal: true });
      servers = await Promise.all([
        adminServer(local, { path: adminSocket }),
        ...(admin === undefined
          ? []
          : [
              adminServer(adminApi({ ...options, origins, isLocal: false }), {
                host: host.replace(/[[\]]/g, ""),
                port: Number(port),
              }),
            ]),
      ]).catch((error: unknown) => {
        log.logger.error({ error: String(error) }, "the admin API could not listen");
        return [];
      });
    },
    async close() {
      clearInterval(timer);
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
      await sender.close();
      await opened.counts.flush();
      await state.close();
    },
  };
}

/** How old may be what this replica knows of revocations and keys, in milliseconds. */
export function maxStaleMs({
  links: { onStale, maxRevocationAgeSeconds = 300 } = {},
}: Pick<ServeSettings, "links">): number {
  return onStale === "serve" ? Number.POSITIVE_INFINITY : maxRevocationAgeSeconds * 1000;
}
