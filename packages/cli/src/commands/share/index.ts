import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { basename, join, resolve } from "node:path";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { adminClient } from "../../admin/admin-client.ts";
import { parseArguments } from "../../arguments.ts";
import { type Command, CommandError, type Context, type ExitStatus, print, UsageError } from "../../command.ts";
import { makeFolder, replaceStateFile } from "../../state-folder/files.ts";
import { createLinks, linkFiles, servingOf } from "../../state-folder/link-files.ts";
import { printNotes } from "../links/hidden-note.ts";
import { linkText } from "../links/index.ts";
import { LINK_HELP, LINK_OPTIONS, newLink } from "../links/options.ts";
import { type SharedPlace, sharedPlace } from "../links/typed-target.ts";
import { serveCommand } from "../serve/index.ts";
import { expectFreePort } from "../serve/listen-address.ts";
import { qrCode } from "./qr-code.ts";

const HELP = `daypass share PATH… [options]

Prints a link to a file or a folder, or one link to several. If no gateway serves it, this command serves it until Ctrl-C.

${LINK_HELP}
  --origin URL          the address by which others reach this machine, such as https://files.example.com behind a proxy
  --lan                 listen on the local network, so that others in it can open the link
  --port N              default 8080, or the next free port
  --json                print the link as the admin API returns it`;

export const shareCommand: Command = {
  help: HELP,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, {
      ...LINK_OPTIONS,
      origin: { type: "string" },
      lan: { type: "boolean" },
      port: { type: "string" },
      json: { type: "boolean" },
    });
    if (positionals.length === 0) throw new UsageError("share takes a file or a folder, or several");
    const place = sharedPlace(positionals, context.env);
    const serving = servingOf(place.state);
    if (serving !== undefined && wantsAnother(values, serving.linksOrigin))
      throw new CommandError(
        `a gateway already serves ${serving.root} at ${serving.origin}, so --origin, --lan and --port have no effect. Leave them out, or stop that gateway.`,
      );
    const started = serving === undefined ? await startServing(place, values, context) : undefined;
    const link = await createLink().catch(async (error: unknown) => {
      if (started !== undefined) process.kill(process.pid, "SIGTERM");
      await started?.ended;
      throw error;
    });
    await print(context.stdout, values.json === true ? JSON.stringify(link) : linkText(link));
    await printNotes(link, place.root, context);
    if (values.json !== true) await explainReach(link.url, context);
    if (started === undefined) return 0;
    await print(context.stderr, "Ctrl-C ends the link, until this folder is served again.");
    return started.ended;

    async function createLink() {
      const client = await adminClient({ folder: place.state, env: context.env });
      const input = await newLink(values, place.targets, context);
      const label = place.isFolder ? basename(resolve(positionals[0] ?? "")) : undefined;
      const { body } = await client.call("POST /links", { body: { label, ...input } });
      await client.close();
      return body;
    }
  },
};

/** Whether the options ask for something other than what the running gateway has. */
function wantsAnother({ origin, lan, port }: ServingOptions, served: string): boolean {
  if (port !== undefined || (origin !== undefined && originOf(origin) !== served)) return true;
  return lan === true && isLoopback(served);
}

/** The scheme, host and port of a URL, as `URL` writes them. */
function originOf(text: string): string {
  return URL.canParse(text) ? new URL(text).origin : text;
}

/** Options for a gateway that `share` starts. */
interface ServingOptions {
  readonly origin?: string;
  readonly lan?: boolean;
  readonly port?: string;
}

async function startServing(
  { root, state }: SharedPlace,
  { origin, lan, port }: ServingOptions,
  context: Context,
): Promise<{ readonly ended: Promise<ExitStatus> }> {
  await makeFolder(state);
  const { adminSocket } = linkFiles(state);
  // The gateway starts with links if this database exists.
  await createLinks(state);
  const address = lan === true ? lanAddress() : undefined;
  if (lan === true && address === undefined)
    throw new CommandError("this machine has no address on a local network. Leave out --lan.");
  const args = [
    root,
    "--state",
    state,
    "--json",
    "--port",
    port ?? (await freePort(address ?? "127.0.0.1")),
    ...(address === undefined ? [] : ["--host", address]),
  ];
  if (origin !== undefined) {
    const config = join(state, "share.json");
    replaceStateFile(config, JSON.stringify({ publicUrl: origin }));
    args.push("--config", config);
  }
  // The announcement of `serve` ends here: this command prints the link instead.
  let listening: () => void = () => undefined;
  const announced = new Promise<void>((done) => {
    listening = done;
  });
  const stdout = new Writable({
    write(_chunk, _encoding, done) {
      listening();
      done();
    },
  });
  const ended = serveCommand.run(args, { ...context, stdout });
  await Promise.race([announced, ended]);
  for (let waited = 0; !existsSync(adminSocket) && waited < 5000; waited += 25) await sleep(25);
  return { ended };
}

/** The first free port from the default upwards. */
async function freePort(host: string): Promise<string> {
  for (let port = 8080; port < 8180; port += 1) {
    if (
      await expectFreePort({ host, port }).then(
        () => true,
        () => false,
      )
    )
      return String(port);
  }
  throw new CommandError("the ports 8080 to 8179 are in use. Choose a free one with --port.");
}

function lanAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flat();
  return all.find((one) => one !== undefined && one.family === "IPv4" && !one.internal)?.address;
}

/** Says who can open the link, and draws it if others can. */
async function explainReach(url: string, { stdout, stderr }: Context): Promise<void> {
  if (isLoopback(url)) {
    await print(
      stderr,
      "This link works on this machine only. Use --lan for your local network, or --origin behind a proxy.",
    );
  } else if (stdout.isTTY === true) {
    const drawing = qrCode(url, stdout.columns);
    if (drawing !== undefined) await print(stdout, drawing);
  }
}

/** Whether only this machine reaches an address. */
function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname.startsWith("127.") || hostname === "[::1]";
}
