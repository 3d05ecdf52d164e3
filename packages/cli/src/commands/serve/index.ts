import cluster from "node:cluster";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { basename, relative, resolve } from "node:path";
import { isStorageError, type StorageError } from "@daypass/gateway";
import { openLog } from "@daypass/gateway/node";
import { mapped, parseArguments, wholeNumber } from "../../arguments.ts";
import { type Command, CommandError, type ExitStatus, print, UsageError } from "../../command.ts";
import { expectUnserved, ownFolder } from "../../state-folder/gateway-socket.ts";
import { keyStore } from "../../state-folder/key-store.ts";
import { createLinks, linkFiles, recordServing, stateOfOrigin } from "../../state-folder/link-files.ts";
import { secretOutput } from "../../state-folder/secret-output.ts";
import { expectStateFolder, expectStateOption } from "../../state-folder/state-folder.ts";
import { announcement, announcementText } from "./announcement.ts";
import { startKeys } from "./first-keys.ts";
import { expectFreePort } from "./listen-address.ts";
import { originsOf } from "./origins.ts";
import { runCluster } from "./run-cluster.ts";
import { type Listening, runSingle } from "./run-single.ts";
import { runWorker, settingsOfPrimary } from "./run-worker.ts";
import { stateError } from "./server-instance.ts";
import {
  type LoadedSettings,
  logLevel,
  reloadedSettings,
  type ServeArguments,
  serveSettings,
  withFiles,
} from "./settings.ts";
import { driverOf, expectFlushes } from "./storage.ts";

const HELP = `daypass serve [DIR] [--config FILE] [--port 8080] [--workers N]

Serves a folder through presigned URLs. Each folder in DIR is a bucket; loose files form the bucket "files".
No configuration is needed: the first start creates keys and prints a working presigned URL, to a terminal
only: the output of a service is a journal that many can read.

  DIR                   the folder to serve (default: the current one)
  --config FILE         JSON configuration, see config.schema.json of @daypass/cli; options given here override it
  --port N              default 8080; 0 chooses a free port       --host ADDRESS   default 127.0.0.1
  --workers N           processes that share the port (default 0)
  --state DIR           where keys are stored (default DIR/.daypass)
  --show-url            print the presigned URL even if standard output is not a terminal
  --show-secret         print the secret of the first key, too
  --check               print what it would serve, where and with which keys, and every fault of the settings; exit
                        status 1 with faults. Opens no socket and creates no file
  --json                print one JSON object once it listens: url, s3Endpoint, accessKeyId, …

SIGHUP reloads configuration and keys. SIGTERM and SIGINT let requests finish, then stop; a second signal stops at once.
The log goes to standard error, one JSON object per request.`;

export const serveCommand: Command = {
  help: HELP,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, {
      config: { type: "string" },
      port: { type: "string" },
      host: { type: "string" },
      workers: { type: "string" },
      state: { type: "string" },
      "show-secret": { type: "boolean" },
      "show-url": { type: "boolean" },
      json: { type: "boolean" },
      check: { type: "boolean" },
    });
    const [root, second] = positionals;
    if (second !== undefined) throw new UsageError(`serve takes one folder, not ${positionals.length}`);
    expectStateOption(values.state);
    // An unset variable. Node would listen on all addresses.
    if (values.host === "") throw new UsageError("--host is empty. Pass an address");
    const serveArguments: ServeArguments = {
      root,
      config: values.config,
      state: values.state,
      host: values.host,
      port: mapped(values.port, (text) => wholeNumber("--port", text, { min: 0, max: 65_535 })),
      workers: mapped(values.workers, (text) => wholeNumber("--workers", text, { min: 0, max: 64 })),
    };
    const { env, stdout } = context;
    if (values.check === true) {
      const { checkServe } = await import("./check.ts");
      return checkServe(serveArguments, { ...context, json: values.json === true });
    }
    const settings = await (cluster.isWorker ? settingsOfPrimary() : serveSettings(serveArguments).then(withFiles));
    const reread = async () => withFiles(reloadedSettings(settings, await serveSettings(serveArguments)));
    // Standard output is for the announcement.
    const log = openLog({ destination: 2, level: logLevel(settings) });
    try {
      return await (cluster.isWorker ? runWorker({ settings, reread, env, log }) : serve());
    } catch (error) {
      throw isStorageError(error) ? storageFault(error) : error;
    } finally {
      await log.close();
    }

    async function serve(): Promise<ExitStatus> {
      if (driverOf(settings.storage).servesFolder) expectFlushes();
      const secret = secretOutput({ "show-secret": values["show-secret"] }, stdout);
      const { state, root: served, host, port } = settings;
      expectStateFolder(state);
      await expectUnserved(state);
      await expectFreePort(settings);
      const name = `process ${process.pid} on ${hostname()}, of ${resolve(served)} on ${host}, port ${port}`;
      const owned = await ownFolder(state, name).catch((error: unknown) => {
        throw stateError(error, settings);
      });
      let removeRecord = (): void => undefined;
      let listening = settings.port;
      /** For commands on this machine. Returns the first origin. */
      const record = (current: LoadedSettings, port: number): string => {
        const origins = originsOf(current, port);
        const [origin = ""] = origins.filter((one) => !one.includes("*"));
        const subjects = current.routes?.some((route) => route.subjects === true) === true;
        const linksOrigin = current.links?.origin ?? origin;
        const { servesFolder } = driverOf(current.storage);
        const root = resolve(current.root);
        const serving = { pid: process.pid, root, servesFolder, origin, linksOrigin, origins, subjects };
        removeRecord = recordServing(current.state, serving, env);
        return origin;
      };
      const onListening = async ({ port, madeKeys }: Listening, reload: () => Promise<void>): Promise<void> => {
        listening = port;
        const origin = record(settings, port);
        // The gateway has decided whether its copy of the keys is young enough.
        const maxAgeMs = Number.POSITIVE_INFINITY;
        const store = keyStore({ folder: state, env, clock: () => new Date(), isGateway: true, maxAgeMs });
        const keys = await startKeys(store, { areNew: madeKeys });
        owned.ready(linkOpener(state, reload));
        const showsUrl = secret.kind === "print" || values["show-url"] === true;
        const { data, path } = await announcement({ settings, port, keys, secret, showsUrl });
        // Without a home, sign finds no state.
        const findsState = stateOfOrigin(origin, env) === resolve(settings.state);
        const text = announcementText(data, { command: programName(), areNew: keys.areNew, path, findsState });
        await print(stdout, values.json === true ? JSON.stringify(data) : text);
      };
      const run = settings.workers === 0 ? runSingle : runCluster;
      const onReloaded = (current: LoadedSettings): void => {
        try {
          record(current, listening);
        } catch {
          // The folder is away or full. The gateway continues, and commands see the record of the start.
        }
      };
      await run({ settings, reread, env, log, onListening, onReloaded }).finally(async () => {
        removeRecord();
        await owned.release();
      });
      return 0;
    }
  },
};

/** Makes and opens the links of a gateway that has none. Calls run one after another: a later one finds the links in every process. */
function linkOpener(folder: string, reload: () => Promise<void>): () => Promise<void> {
  const { adminSocket } = linkFiles(folder);
  const open = async (): Promise<void> => {
    if (existsSync(adminSocket)) return;
    await createLinks(folder);
    await reload();
    if (!existsSync(adminSocket)) throw new CommandError("its log says why");
  };
  let last = Promise.resolve();
  return () => {
    last = last.then(open, open);
    return last;
  };
}

/** Adds the path that belongs to another user. */
function storageFault({ message, cause }: StorageError): CommandError {
  const { code, path } = (cause ?? {}) as NodeJS.ErrnoException;
  if (code !== "EACCES" || path === undefined) return new CommandError(message);
  return new CommandError(
    `${message}: this user may not read and write ${path}. Change its owner to the gateway's user`,
  );
}

/** The name of this program for commands to paste. */
function programName(): string {
  const script = process.argv[1] ?? "";
  if (basename(script) === "daypass") return script.includes("node_modules") ? "npx @daypass/cli" : "daypass";
  return `node ${relative(process.cwd(), script)}`;
}
