/** `serve --check`: what a start would do, and everything that would prevent it. Opens no socket and creates no file. */
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { createGateway, isStorageError, openLinks } from "@daypass/gateway";
import { drivers } from "@daypass/gateway/drivers";
import { isDaypassError } from "daypass";
import { CommandError, type Context, type ExitStatus, print } from "../../command.ts";
import { expectHostName } from "../../credentials/virtual-endpoint.ts";
import { redactMessage } from "../../redact-message.ts";
import { keyStore } from "../../state-folder/key-store.ts";
import { hasLinks, linkFiles, servingOf } from "../../state-folder/link-files.ts";
import { expectStateFolder } from "../../state-folder/state-folder.ts";
import { secretOf } from "../../state-owner/open-state.ts";
import { escapeControls, table } from "../../terminal-text.ts";
import { keySetText, publicKeys, tlsFiles } from "./configured-files.ts";
import { originsOf } from "./origins.ts";
import { gatewaySettings, linkPages, loadUpstreams, stateError } from "./server-instance.ts";
import { type ServeArguments, type ServeSettings, serveSettings } from "./settings.ts";
import { driverOf, expectFlushes, storageText } from "./storage.ts";

/** Runs a check. What it throws for the operator is a fault of the settings; any other error is one of this program. */
type Attempt = <T>(check: () => T | Promise<T>) => Promise<T | undefined>;

/** Prints the plan of a start, and its faults to standard error; with `json` one object. Returns 1 if there are faults. */
export async function checkServe(
  args: ServeArguments,
  { env, stdout, stderr, json }: Pick<Context, "env" | "stdout" | "stderr"> & { readonly json: boolean },
): Promise<ExitStatus> {
  // A set, because several checks may meet the same fault.
  const faults = new Set<string>();
  const attempt: Attempt = async (check) => {
    try {
      return await check();
    } catch (error) {
      if (!(error instanceof CommandError || isDaypassError(error) || isStorageError(error))) throw error;
      faults.add(error.message);
      return undefined;
    }
  };
  const settings = await attempt(() => serveSettings(args, (fault) => faults.add(fault)));
  const plan = settings === undefined ? {} : await planOf(settings, { env, attempt });
  const texts = await Promise.all([...faults].map(redactMessage));
  if (json) await print(stdout, JSON.stringify({ ...plan, faults: texts }));
  else {
    if (settings !== undefined) await print(stdout, table(Object.entries(plan)));
    for (const fault of texts) await print(stderr, `fault: ${escapeControls(fault)}`);
    if (faults.size === 0) await print(stdout, "No faults. Nothing was opened or created.");
  }
  return faults.size === 0 ? 0 : 1;
}

interface CheckOptions {
  readonly env: Context["env"];
  readonly attempt: Attempt;
}

/** What the settings make a start do, by subject. */
async function planOf(settings: ServeSettings, { env, attempt }: CheckOptions): Promise<Record<string, string>> {
  const { root, state, storage, host, port, workers, tls, routes = [], forwardAuth, database } = settings;
  const servesFolder = driverOf(storage).servesFolder;
  if (servesFolder) await attempt(expectFlushes);
  else await attempt(() => expectHostName(storage?.endpoint, storage?.addressing));
  const buckets = servesFolder ? await attempt(() => bucketsOf(root)) : undefined;
  await attempt(() => tlsFiles(tls));
  await attempt(() => expectStateFolder(state));
  await attempt(() => expectWritable(settings));
  for (const [name, place] of Object.entries({ postgres: database?.postgres, direct: database?.direct })) {
    if (place !== undefined) await attempt(() => secretOf(`state.${name}`, place, env));
  }
  const keys = await attempt(() => keysText(settings, { env, attempt }));
  await attempt(() => expectGateway(settings));
  await attempt(() => expectForwardAuth(settings));
  const serving = servingOf(state);
  return {
    serves: `${servesFolder ? resolve(root) : storageText(root, storage)}${buckets ?? " (not asked)"}`,
    origins: originsOf(settings, port).join(", "),
    listens: `${host}, port ${port === 0 ? "of the system's choice" : port}, ${tls === undefined ? "HTTP" : "HTTPS"}, ${workers === 0 ? "one process" : `${workers} workers`}`,
    keys: keys ?? "see the faults",
    state: `${resolve(state)}${existsSync(state) ? "" : " (a start creates it)"}`,
    links: linksText(settings),
    ...Object.fromEntries(
      routes.map(({ origin, prefix, upstream }, i) => [`route ${i + 1}`, `${origin}${prefix} to ${upstream}`]),
    ),
    ...(forwardAuth && {
      proxies: `ask at ${[forwardAuth.listen, forwardAuth.fastcgi].filter(Boolean).join(" and ")}`,
    }),
    ...(serving && { running: `process ${serving.pid} serves ${serving.root} with this state` }),
  };
}

/** The buckets of a folder, as text. */
function bucketsOf(root: string): string {
  if (!existsSync(root)) return "";
  try {
    const entries = readdirSync(root, { withFileTypes: true }).filter(({ name }) => !name.startsWith("."));
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const names = new Set([...folders, ...(folders.length < entries.length ? ["files"] : [])]);
    return names.size > 10 ? `, ${names.size} buckets` : `, buckets: ${[...names].sort().join(", ") || "none yet"}`;
  } catch (error) {
    throw new CommandError(
      `this user may not read the folder to serve, ${root} (${(error as NodeJS.ErrnoException).code}). Change its owner to the gateway's user`,
    );
  }
}

/** Throws if a start could not write its state. */
function expectWritable(settings: ServeSettings): void {
  let folder = resolve(settings.state);
  while (!existsSync(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw stateError(error, settings);
  }
}

/** The ids of the active keys: of the state folder, and of the key set of other signers. */
async function keysText(settings: ServeSettings, { env, attempt }: CheckOptions): Promise<string> {
  const { state, urlKeySetFile: path, database } = settings;
  const isShared = database !== undefined || existsSync(linkFiles(state).postgres);
  const store = keyStore({ folder: state, env, clock: () => new Date() });
  const stored = isShared ? [] : await store.list();
  const others = await attempt(async () => {
    const text = path === undefined ? undefined : await keySetText(path);
    return publicKeys({ path, text }, new Set(stored.map(({ id }) => id))).map(({ kid }) => kid);
  });
  const active = isShared ? [] : (await store.active()).map(({ record }) => record.id);
  const own = isShared
    ? ["those in PostgreSQL, which was not asked"]
    : stored.length === 0
      ? ["a start creates one for S3 and one for Daypass URLs"]
      : active;
  return [...own, ...(others ?? [])].join(", ") || "none is active";
}

function linksText(settings: ServeSettings): string {
  const { state, database, links, port } = settings;
  const origin = links?.origin ?? originsOf(settings, port).find((one) => !one.includes("*"));
  const { postgres, database: file } = linkFiles(state);
  if (database !== undefined || existsSync(postgres)) return `on ${origin}, in PostgreSQL, which was not asked`;
  return hasLinks(state) ? `on ${origin}, in ${file}` : `on ${origin}, from the first daypass share`;
}

/** Throws for settings that a gateway refuses. Its storage is asked nothing, and its state is in memory. */
async function expectGateway(settings: ServeSettings): Promise<void> {
  const { region, routes, port } = settings;
  const upstreams = await loadUpstreams(settings);
  const { sqliteState } = await import("@daypass/gateway/state");
  const credentials = { accessKeyId: "unused", secretAccessKey: "unused" };
  const clock = (): Date => new Date();
  const state = await sqliteState({ path: ":memory:", clock });
  const links = await openLinks({ state, clock });
  try {
    const gateway = createGateway({
      ...gatewaySettings(settings),
      storage: await drivers.s3({ region, credentials }),
      origins: originsOf(settings, port === 0 ? 65_535 : port),
      keys: { s3: () => undefined, url: () => undefined },
      routes: routes && upstreams?.openRoutes(routes),
      links: { links, ...linkPages(settings) },
      clock,
    });
    await gateway.close();
  } finally {
    await state.close();
  }
}

/** Throws for hosts of proxies that cannot be protected. */
async function expectForwardAuth({ forwardAuth, audience, limits }: ServeSettings): Promise<void> {
  if (forwardAuth === undefined) return;
  const { createForwardAuth } = await import("@daypass/gateway/forward-auth");
  await createForwardAuth({ hosts: forwardAuth.hosts, keys: { url: [] }, audience, limits }).close();
}
