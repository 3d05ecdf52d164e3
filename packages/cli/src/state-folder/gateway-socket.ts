/** The socket by which one gateway owns a state folder. Not a process id, because the gateway of every container may have the id 1. */
import { once } from "node:events";
import { chmodSync, lstatSync, rmSync, statSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { basename, dirname, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../command.ts";
import { linkFiles } from "./link-files.ts";
import { withLock } from "./lock.ts";

/** The request for a database of links. */
const OPEN_LINKS = "links";
/** A gateway that indexes a large folder is ready late. */
const READY_MS = 30_000;
const NAME_MS = 1000;
/** How long the processes of a killed gateway may take to end. */
const END_MS = 5000;
const RETRY_MS = 50;

/** A gateway's ownership of its state folder. */
export interface OwnedFolder {
  /** Answers requests for links, which wait until now. `openLinks` resolves when every process has links. */
  ready(openLinks: () => Promise<void>): void;
  release(): Promise<void>;
}

/**
 * Connects to a socket of a state folder. `undefined` if no process listens on it.
 *
 * @throws {CommandError} if this user may not, or if another user made the socket
 */
export async function reach(path: string, folder: string): Promise<Socket | undefined> {
  expectTrusted(path, folder);
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return socket.on("error", () => socket.destroy());
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ECONNREFUSED") return undefined;
    throw new CommandError(
      `this user may not read and write ${dirname(path)}, where ${basename(path)} is (${code}). Run the command as the gateway's user; if no gateway runs, remove the file`,
    );
  }
}

/** The socket of a long path is where every user can make one: only root, this user and the owner of the state folder are trusted. */
function expectTrusted(path: string, folder: string): void {
  if (dirname(path) === resolve(folder)) return;
  const owner = lstatSync(path, { throwIfNoEntry: false })?.uid;
  const trusted = [0, process.geteuid?.(), statSync(folder, { throwIfNoEntry: false })?.uid];
  if (owner === undefined || trusted.includes(owner)) return;
  throw new CommandError(`${path} belongs to another user (${owner}), not to a gateway of ${folder}. Remove it`);
}

/** The next line of a socket. `undefined` at its end or after this many milliseconds: the process may be stopped. */
async function nextLine(socket: Socket, ms: number): Promise<string | undefined> {
  const timer = setTimeout(() => socket.destroy(), ms);
  for await (const line of createInterface({ input: socket, crlfDelay: 0 })) {
    clearTimeout(timer);
    return line;
  }
  clearTimeout(timer);
  return undefined;
}

/** @throws {CommandError} that names the gateway of the folder, if one answers */
export async function expectUnserved(folder: string): Promise<void> {
  const socket = await reach(linkFiles(folder).gatewaySocket, folder);
  if (socket === undefined) return;
  const name = (await nextLine(socket, NAME_MS)) ?? "a process that does not say its name";
  socket.destroy();
  throw new CommandError(
    `another gateway serves with the state folder ${folder}: ${name}. Stop it, or give this one another --state`,
  );
}

/**
 * Takes a folder that no gateway owns, and removes the sockets that a killed gateway left there. Does not see a gateway of another machine, so
 * the file system of the folder must be local.
 *
 * @throws {CommandError} that names the other gateway
 */
export async function ownFolder(folder: string, name: string): Promise<OwnedFolder> {
  const { gatewaySocket: path, stateSocket, adminSocket } = linkFiles(folder);
  const sockets = new Set<Socket>();
  let waiting: (() => void)[] = [];
  let openLinks: (() => Promise<void>) | undefined;
  const answer = async (socket: Socket): Promise<void> => {
    if (openLinks === undefined) await new Promise<void>((resolve) => waiting.push(resolve));
    const result = await openLinks?.().then(
      () => "ready",
      (error: unknown) => (error as Error).message,
    );
    if (socket.writable) socket.end(`${result}\n`);
  };
  // Windows has no files of sockets. A gateway there has no links, and may share its folder of keys.
  if (process.platform === "win32") return { ready: () => undefined, release: async () => undefined };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
    socket.write(`${name}\n`);
    createInterface({ input: socket, crlfDelay: 0 })
      .on("line", (line) => line === OPEN_LINKS && void answer(socket))
      .on("error", () => undefined);
  });
  await withLock(`${path}.lock`, async () => {
    await expectUnserved(folder);
    for (const left of [stateSocket, adminSocket]) await removeUnanswered(left, folder);
    rmSync(path, { force: true });
    await listenOn(server, path);
  });
  return {
    ready(open) {
      openLinks = open;
      for (const resume of waiting) resume();
      waiting = [];
    },
    async release() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function listenOn(server: Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, "listening");
  chmodSync(path, 0o600);
}

/** Removes a socket file. Waits for the processes of a killed gateway, and keeps a socket that still answers. */
async function removeUnanswered(path: string, folder: string): Promise<void> {
  for (let waited = 0; ; waited += RETRY_MS) {
    const socket = await reach(path, folder);
    if (socket === undefined) break;
    socket.destroy();
    if (waited >= END_MS)
      throw new CommandError(`a process of another gateway still answers on ${path}. Stop that gateway`);
    await sleep(RETRY_MS);
  }
  rmSync(path, { force: true });
}

/**
 * Asks the gateway of a folder to make and open its database of links, which then belongs to the gateway's user. Waits until the gateway is
 * ready. `false` if none runs.
 *
 * @throws {CommandError} if the gateway cannot open its links
 */
export async function askForLinks(folder: string): Promise<boolean> {
  const socket = await reach(linkFiles(folder).gatewaySocket, folder);
  if (socket === undefined) return false;
  socket.write(`${OPEN_LINKS}\n`);
  const timer = setTimeout(() => socket.destroy(), READY_MS);
  const lines: string[] = [];
  for await (const line of createInterface({ input: socket, crlfDelay: 0 })) lines.push(line);
  clearTimeout(timer);
  const [name, result = "it did not become ready in time, or it stopped"] = lines;
  if (result !== "ready") throw new CommandError(`the gateway (${name}) did not open its links: ${result}`);
  return true;
}
