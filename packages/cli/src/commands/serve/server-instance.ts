import { createGateway, type Gateway, steadyClock, tally } from "@daypass/gateway";
import type { IndexWriter } from "@daypass/gateway/disk";
import { type Log, listen } from "@daypass/gateway/node";
import { CommandError } from "../../command.ts";
import { keyStore } from "../../state/key-store.ts";
import { sessionSecret } from "../../state/master-key.ts";
import { makeFirstKeys } from "./first-keys.ts";
import { keyRing } from "./key-ring.ts";
import { listenError } from "./listen-error.ts";
import { originsOf } from "./origins.ts";
import { publicKeys } from "./public-keys.ts";
import { logLevel, type ReadSettings, type ServeSettings } from "./settings.ts";
import { openStorage } from "./storage.ts";
import { trustedProxies } from "./trusted-proxies.ts";
import { watch } from "./watch.ts";

/** One process's share of a running gateway. */
export interface Site {
  readonly port: number;
  /** Where it listens, `http://host:port`. */
  readonly url: string;
  /** Whether it has made the first keys: only then may a secret be shown. */
  readonly madeKeys: boolean;
  /** What it serves by: that of the last reload which succeeded. */
  readonly settings: ReadSettings;
  /** Takes over what may change while it runs, and reads the keys again. Throws, and changes nothing, where it cannot. */
  reload(settings: ReadSettings): Promise<void>;
  /** Stops listening, lets requests finish, closes the storage. */
  drain(timeoutMs: number): Promise<void>;
}

/** What a site is given besides its settings. */
export interface SiteOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** For a worker: the index writer of the primary. */
  readonly writer?: IndexWriter | undefined;
}

const ANY_PORT = 65_535;

/** Opens storage, keys and socket. */
export async function openSite(first: ReadSettings, { env, log, writer }: SiteOptions): Promise<Site> {
  let settings = first;
  // One for all, and for as long as the process lives: a reload, too, must not open again what has ended.
  const clock = steadyClock(() => new Date());
  const counts = tally();
  const { storage, findCredentials } = await openStorage({ ...settings, env, log, writer });
  const store = keyStore({ folder: settings.state, env, clock });
  let secret = await sessionSecret({ folder: settings.state, env });
  const keys = await keyRing(store, {
    clock,
    publicKeys: (stored) => publicKeys({ path: settings.urlKeySetFile, text: settings.files.urlKeySet }, stored),
    onGone: () =>
      log.logger.error(
        { state: settings.state },
        "the key file is missing: its keys are refused until it is back (if it is on a disk, mount it)",
      ),
  });

  const gatewayFor = (wanted: ServeSettings, port: number): Gateway => {
    const client = trustedProxies(wanted.trustedProxies ?? []);
    const gateway = createGateway({
      storage,
      origins: originsOf(wanted, port),
      keys: { s3: keys.s3, url: keys.url },
      sessionSecret: secret,
      redirectOrigins: wanted.redirectOrigins,
      region: wanted.region,
      regions: wanted.regions,
      audience: wanted.audience,
      cors: wanted.cors,
      limits: wanted.limits,
      hosts: wanted.hosts,
      debugFields: wanted.debugFields,
      metrics: wanted.metrics,
      audit: wanted.log?.requests === false ? faultsOnly(log.audit) : log.audit,
      clock,
      tally: counts,
    });
    return { ...gateway, handle: (request, body, signal) => gateway.handle(client(request), body, signal) };
  };

  // A gateway is made for its origins, and which port a free one is shows only when it listens: until then it is made for
  // some port, so that a fault of the configuration shows before the socket is there. A reload replaces it as well.
  let current = gatewayFor(settings, settings.port === 0 ? ANY_PORT : settings.port);
  const server = await listen(
    {
      limits: current.limits,
      handle: (request, body, signal) => current.handle(request, body, signal),
      close: () => current.close(),
    },
    {
      host: settings.host,
      port: settings.port,
      tls: settings.files.tls,
      timeouts: settings.listen?.timeouts,
      maxConnections: settings.listen?.maxConnections,
      logger: log.logger,
    },
  ).catch(async (error: NodeJS.ErrnoException) => {
    await storage.close();
    throw listenError(error, settings);
  });
  // Not before: a start that fails would have made a secret that nobody is shown.
  const madeKeys = await makeFirstKeys(store).catch(async (error: unknown) => {
    await server.drain(0);
    throw stateError(error, settings);
  });
  // Another worker may have made them.
  if (secret === undefined) {
    secret = await sessionSecret({ folder: settings.state, env });
    await keys.reload();
  }
  current = gatewayFor(settings, server.port);

  const endWatch = watch({ keys, clock, log });

  return {
    port: server.port,
    url: server.url,
    madeKeys,
    get settings() {
      return settings;
    },
    async reload(wanted) {
      const replacement = gatewayFor(wanted, server.port);
      const useCredentials = await findCredentials();
      const before = settings;
      settings = wanted;
      await keys.reload().catch((error: unknown) => {
        settings = before;
        throw error;
      });
      // A renewed certificate lies where the old one did.
      if (wanted.files.tls !== undefined) server.setTls(wanted.files.tls);
      useCredentials();
      current = replacement;
      log.logger.level = logLevel(wanted);
    },
    async drain(timeoutMs) {
      endWatch();
      await server.drain(timeoutMs);
    },
  };
}

/** Without a line for each request an operator still has to learn why the gateway failed. */
function faultsOnly(audit: Log["audit"]): Log["audit"] {
  return (event) => {
    if (event.error !== undefined || event.status >= 500) audit(event);
  };
}

function stateError(error: unknown, { state }: ServeSettings): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  // ENOENT is what mkdir makes of a file system that cannot be written.
  if (!["EACCES", "EPERM", "EROFS", "ENOENT"].includes(code)) return error;
  return new CommandError(
    `expected a state folder that can be written, found that ${state} cannot (${code}): name another with --state`,
  );
}
