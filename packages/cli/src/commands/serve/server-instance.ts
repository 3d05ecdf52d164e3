import { setTimeout } from "node:timers/promises";
import { createGateway, type Gateway, type GatewayLinks, type HandOver, steadyClock, tally } from "@daypass/gateway";
import type { LinkPlace } from "@daypass/gateway/admin";
import { ipcIndexWriter } from "@daypass/gateway/disk";
import { type Channel, collectMetrics, type Log, listen } from "@daypass/gateway/node";
import { CommandError } from "../../command.ts";
import { type KeyStore, keyStore } from "../../state-folder/key-store.ts";
import { hasLinks } from "../../state-folder/link-files.ts";
import { sessionSecret } from "../../state-folder/master-key.ts";
import { KeysAway } from "../../state-folder/shared-rows.ts";
import { type LinkService, maxStaleMs, openLinkService } from "../../state-owner/link-service.ts";
import { untilOpen } from "../../state-owner/until-open.ts";
import { publicKeys } from "./configured-files.ts";
import { makeFirstKeys } from "./first-keys.ts";
import { openForwardAuth } from "./forward-auth.ts";
import { keyRing, pollKeys } from "./key-ring.ts";
import { listenError } from "./listen-address.ts";
import { originsOf } from "./origins.ts";
import { type LoadedSettings, logLevel, type ServeSettings } from "./settings.ts";
import { openStorage } from "./storage.ts";
import { trustedProxies } from "./trusted-proxies.ts";

/** A running server in one process. */
export interface ServerInstance {
  readonly port: number;
  /** The address, `http://host:port`. */
  readonly url: string;
  /** Whether it created the first keys. Only then may a secret be printed. */
  readonly madeKeys: boolean;
  /** The settings of the last successful reload. */
  readonly settings: LoadedSettings;
  /** Applies new settings and reads the keys again. Changes nothing if it throws. */
  reload(settings: LoadedSettings): Promise<void>;
  /**
   * Fails the readiness probe, waits for the delay of the settings, stops listening, waits for requests, and closes the storage, the links and
   * the connection to their state. All of it but the last two takes at most this many milliseconds, the delay included.
   */
  drain(timeoutMs: number): Promise<void>;
}

/** Options of {@link openInstance}. */
export interface InstanceOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** For a worker: its connection to the primary, which writes the index and adds up the metrics. */
  readonly channel?: Channel | undefined;
  /** Called before it listens: it has keys and revocations, and waits for no state any more. */
  readonly onStateOpen?: (() => void) | undefined;
}

const ANY_PORT = 65_535;
const SETTLE_CHECK_MS = 10;

/** Opens storage, keys and socket. */
export async function openInstance(
  first: LoadedSettings,
  { env, log, channel, onStateOpen }: InstanceOptions,
): Promise<ServerInstance> {
  let settings = first;
  // The clock outlives a reload, so that an expired URL stays expired.
  const clock = steadyClock(() => new Date());
  const counts = tally();
  const collect = channel === undefined ? undefined : collectMetrics(channel, counts);
  const { storage, findCredentials } = await openStorage({ ...settings, env, log, writer: writerIn(channel) });
  const store = openStore(settings, { env, clock, log });
  let secret = await sessionSecret({ folder: settings.state, env });
  const keys = await openKeyRing(store, () => settings, { clock, log });

  let isStopping = false;
  let linkService: LinkService | undefined;
  const reopening = watchLinks(log);
  let upstreams = await loadUpstreams(settings);

  const gatewayFor = (wanted: ServeSettings, port: number): Gateway => {
    const client = trustedProxies(wanted.trustedProxies ?? []);
    const gateway = createGateway({
      ...gatewaySettings(wanted),
      storage,
      origins: originsOf(wanted, port),
      keys: { s3: keys.s3, url: keys.url },
      sessionSecret: secret,
      routes: wanted.routes && upstreams?.openRoutes(wanted.routes),
      metrics: wanted.metrics === true ? (collect ?? true) : false,
      accessLog: accessLogOf(wanted, log),
      clock,
      tally: counts,
      isDraining: () => isStopping,
      linkFault: reopening.fault,
      ...(linkService === undefined ? {} : { links: { links: linkService.links, ...linkPages(wanted) } }),
    });
    return { ...gateway, handle: (request, body, signal) => gateway.handle(client(request), body, signal) };
  };

  /** Opens the links as soon as they have a database. */
  const openLinks = async (wanted: ServeSettings): Promise<void> => {
    if (!hasLinks(wanted.state)) return;
    linkService ??= await openLinkService(wanted, { clock, log, metrics: counts.metrics });
  };

  // The origins contain the port, which port 0 chooses later. This gateway only reports errors of the configuration before it listens.
  let current = gatewayFor(settings, settings.port || ANY_PORT);
  // A gateway that listens without its revocations would serve what is revoked.
  await untilOpen(() => openLinks(settings), { onFault: waitFault(log) });
  onStateOpen?.();
  current = gatewayFor(settings, settings.port || ANY_PORT);
  const server = await openSocket(settings, log, () => current).catch(async (error: NodeJS.ErrnoException) => {
    await linkService?.close();
    await storage.close();
    throw listenError(error, settings);
  });
  current = gatewayFor(settings, server.port);
  // Create keys last, because a failed start would not print their secret.
  const madeKeys = await makeFirstKeys(store).catch(async (error: unknown) => {
    await server.drain(0);
    throw stateError(error, settings);
  });
  // Another worker may have created them.
  if (secret === undefined) {
    secret = await sessionSecret({ folder: settings.state, env });
    await keys.reload();
    current = gatewayFor(settings, server.port);
  }
  /** Comes after the gateway knows the links: a command that revokes expects the next request to be refused. */
  const listenToAdmin = async (wanted: ServeSettings): Promise<void> => {
    const [first = server.url] = originsOf(wanted, server.port).filter((one) => !one.includes("*"));
    const origin = wanted.links?.origin ?? first;
    await linkService?.listen({
      storage,
      origin,
      admin: wanted.admin,
      store,
      verify: (request) => current.verify(request),
      places: () => linkPlaces(settings),
      handsOver: () => settings.links?.handOver !== undefined,
    });
  };
  await listenToAdmin(settings);
  const proxies = await openForwardAuth(settings, linkService?.links, {
    clock,
    accessLog: accessLogOf(settings, log),
    tally: counts,
    logger: log.logger,
    keys: { s3: keys.s3, url: keys.url },
  }).catch(async (error: unknown) => {
    await linkService?.close();
    await server.drain(0);
    throw error;
  });

  const stopPolling = pollKeys(keys, clock, log);

  return {
    port: server.port,
    url: server.url,
    madeKeys,
    get settings() {
      return settings;
    },
    async reload(wanted) {
      await reopening.watch(openLinks(wanted));
      upstreams = await loadUpstreams(wanted);
      const replacement = gatewayFor(wanted, server.port);
      const useHosts = proxies.prepare(wanted, linkService?.links);
      const useCredentials = await findCredentials();
      const before = settings;
      settings = wanted;
      await keys.reload().catch((error: unknown) => {
        settings = before;
        throw error;
      });
      // The certificate may have been renewed in place.
      if (wanted.files.tls !== undefined) server.setTls(wanted.files.tls);
      useCredentials();
      current = replacement;
      useHosts();
      await listenToAdmin(wanted);
      log.logger.level = logLevel(wanted);
    },
    async drain(timeoutMs) {
      isStopping = true;
      const restMs = await afterDelay(settings, timeoutMs);
      stopPolling();
      await Promise.all([proxies.close(restMs), server.drain(restMs)]);
      // A response that was cut ends after its connection, and its delivery is then settled.
      while (counts.inFlight > 0) await setTimeout(SETTLE_CHECK_MS);
      await linkService?.close();
    },
  };
}

/** The writer of the index in the primary; `undefined` in a single process, which writes itself. */
function writerIn(channel: Channel | undefined) {
  return channel && ipcIndexWriter(channel);
}

/** The keys of the folder, or of all replicas. */
function openStore(
  settings: LoadedSettings,
  { env, clock, log }: Pick<InstanceOptions, "env" | "log"> & { readonly clock: () => Date },
): KeyStore {
  return keyStore({
    folder: settings.state,
    env,
    clock,
    isGateway: true,
    maxAgeMs: maxStaleMs(settings),
    report: (message, details) => log.logger.error(details, message),
  });
}

/** Logs why a reload did not open the links: without them, everything else is served. */
export function linkFault({ logger }: Log): (error: unknown) => void {
  return (error) => logger.error({ error: String(error) }, "the links cannot open, everything else is served");
}

/** Remembers for the probe whether the links opened at the last reload. */
function watchLinks(log: Log) {
  let fault: string | undefined;
  return {
    fault: () => fault,
    async watch(opened: Promise<void>): Promise<void> {
      fault = undefined;
      await opened.catch((error: unknown) => {
        fault = "the links cannot open";
        linkFault(log)(error);
      });
    },
  };
}

/** Logs why a process that has not listened yet still waits. */
function waitFault({ logger }: Log): (error: string) => void {
  return (error) => logger.error({ error }, "the state does not answer, and no request is read until it does");
}

/** The keys of the folder and of the key set. */
function openKeyRing(
  store: KeyStore,
  settings: () => LoadedSettings,
  { clock, log }: { readonly clock: () => Date; readonly log: Log },
) {
  const open = () =>
    keyRing(store, {
      clock,
      publicKeys: (stored) => publicKeys({ path: settings().urlKeySetFile, text: settings().files.urlKeySet }, stored),
      onGone: () =>
        log.logger.error(
          { state: settings().state },
          "the key file is missing: its keys are refused until it is back (if it is on a disk, mount it)",
        ),
    });
  return untilOpen(open, { onFault: waitFault(log), mayPass: (error) => error instanceof KeysAway });
}

/** The HTTP client of the upstreams is loaded only with the first route. */
export async function loadUpstreams({ routes }: ServeSettings) {
  return routes === undefined ? undefined : import("@daypass/gateway/upstream");
}

/** What the gateway takes from the settings as it stands there. */
export function gatewaySettings({
  redirectOrigins,
  region,
  regions,
  audience,
  cors,
  limits,
  hosts,
  debugFields,
}: ServeSettings) {
  return { redirectOrigins, region, regions, audience, cors, limits, hosts, debugFields };
}

/** Listens for the gateway of the moment, which a reload replaces. */
function openSocket({ host, port, files, listen: limits }: LoadedSettings, log: Log, current: () => Gateway) {
  return listen(
    {
      limits: current().limits,
      handle: (request, body, signal) => current().handle(request, body, signal),
      upgrades: (request) => current().upgrades?.(request) === true,
      close: () => current().close(),
    },
    {
      host,
      port,
      tls: files.tls,
      timeouts: limits?.timeouts,
      maxConnections: limits?.maxConnections,
      logger: log.logger,
    },
  );
}

/** Waits while load balancers notice the failed probe. Returns what remains of the time. */
async function afterDelay({ drainDelayMs }: ServeSettings, timeoutMs: number): Promise<number> {
  const delayMs = Math.min(drainDelayMs, timeoutMs);
  if (delayMs > 0) await setTimeout(delayMs);
  return timeoutMs - delayMs;
}

/** Logs requests, or only those that failed. */
function accessLogOf({ log: wanted }: ServeSettings, { accessLog }: Log): Log["accessLog"] {
  if (wanted?.requests !== false) return accessLog;
  return (event) => {
    if (event.error !== undefined || event.status >= 500) accessLog(event);
  };
}

/** Explains why a state folder cannot be written. */
export function stateError(error: unknown, { state }: ServeSettings): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  // mkdir reports ENOENT on some read-only file systems.
  if (!["EACCES", "EPERM", "EROFS", "ENOENT"].includes(code)) return error;
  return new CommandError(
    `this user cannot write the state folder ${state} (${code}). Grant write permission, or mount a writable folder there, or name another with --state`,
  );
}

/** Routes and protected hosts, which links may open too. */
function linkPlaces({ routes = [], forwardAuth }: ServeSettings): readonly LinkPlace[] {
  const hosts = forwardAuth?.hosts ?? [];
  return [
    ...routes.map(({ origin, prefix }) => ({ origin, prefix, countsBytes: true })),
    ...hosts.map(({ origin, prefix = "/" }) => ({ origin, prefix, countsBytes: false })),
  ];
}

/** The settings of links. */
export function linkPages({
  links: { origin, sharedBy, handOver } = {},
  forwardAuth,
}: ServeSettings): Omit<GatewayLinks, "links"> {
  // The gateway refuses a missing prefix.
  const via = handOver as HandOver | undefined;
  return { origin, sharedBy, handOver: via, hosts: forwardAuth?.hosts.map((host) => host.origin) };
}
