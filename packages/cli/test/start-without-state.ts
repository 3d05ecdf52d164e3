/** Gateways that start while their state is away, and clients that ask from before their start. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { newAuditKey } from "@daypass/gateway/audit";
import { expect, onTestFinished } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { keyStore } from "../src/state-folder/key-store.ts";
import { linkFiles, recordServing } from "../src/state-folder/link-files.ts";
import { openState, recordDatabase } from "../src/state-owner/open-state.ts";
import { revocationCopy } from "../src/state-owner/revocation-file.ts";
import { daypass, start, temporaryFolder } from "./command.ts";
import { children } from "./serving.ts";

/** Without its state, a start waits for several calls of five seconds each. */
export const LATE = { timeout: 150_000, interval: 50 } as const;

/** The copies of revocations and keys in the state folder. */
export type Copies = "young" | "old" | "none";

/** What clients were answered: a status, or `refused` by the port. */
type Seen = Readonly<Record<"revoked" | "link" | "valid" | "ready", Set<number | "refused">>>;

/** A gateway that may wait for its state. */
export interface BegunGateway {
  readonly child: ChildProcessWithoutNullStreams;
  readonly seen: Seen;
  log(): string;
  /** Whether every process serves. */
  isAnnounced(): boolean;
}

/** The settings of a gateway. */
export interface Wanted {
  readonly copies: Copies;
  readonly workers: string;
  /** Other settings of `links`. */
  readonly links?: object;
}

/** A gateway that is not started. */
export interface PreparedGateway {
  readonly state: string;
  /** Starts it, and asks it for everything again and again, each time by a new connection. */
  begin(env?: Readonly<Record<string, string>>): BegunGateway;
}

/** Where the state of a gateway is: SQLite without `postgres`. */
interface Place {
  readonly postgres?: { readonly variable: string };
  /** The environment in which the state answers. */
  readonly env?: Readonly<Record<string, string>>;
  /** What signs the audit of all replicas. */
  readonly audit?: ReturnType<typeof newAuditKey>;
}

/** Makes a key and a link, revokes a URL, and makes copies of a certain age. */
export async function preparedGateway(
  { copies, workers, links = {} }: Wanted,
  { postgres, env = {}, audit = newAuditKey() }: Place = {},
): Promise<PreparedGateway> {
  const folder = temporaryFolder();
  const [state, root] = [join(folder, "state"), join(folder, "root")];
  mkdirSync(state, { mode: 0o700 });
  mkdirSync(join(root, "media"), { recursive: true });
  for (const name of ["a", "b"]) writeFileSync(join(root, `media/${name}.txt`), name);
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const config = { root, listen: { port }, state: { folder: state, postgres }, links };
  writeFileSync(join(folder, "daypass.json"), JSON.stringify(config));
  const { auditKey, auditPublicKey } = linkFiles(state);
  writeFileSync(auditKey, audit.privateKey, { mode: 0o600 });
  writeFileSync(auditPublicKey, audit.publicKey);
  if (postgres !== undefined) await recordDatabase(state, { postgres });
  const serving = { pid: 0, root, servesFolder: true, origin, linksOrigin: origin, origins: [origin], subjects: false };
  recordServing(state, serving, {})();

  const run = async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await daypass([...args, "--state", state], { env });
    expect([status, stderr]).toEqual([0, ""]);
    return stdout.trim();
  };
  await run("keys", "create", "--show-secret");
  const { url: link } = JSON.parse(await run("links", "create", "s3://media/a.txt", "--json"));
  const revoked = await run("sign", "s3://media/a.txt", "--endpoint", origin);
  const valid = await run("sign", "s3://media/b.txt", "--endpoint", origin);
  await run("revoke", revoked);
  const clock = (): Date => new Date(Date.now() - (copies === "old" ? 301_000 : 0));
  if (copies !== "none") {
    const opened = await openState(state, env);
    const copy = revocationCopy(opened, linkFiles(state).revocations, clock);
    await copy.update();
    await copy.close();
    await opened.close();
  }
  await keyStore({ folder: state, env, clock }).list();

  const urls = { revoked, link, valid, ready: `${origin}/-/readyz` };
  return {
    state,
    begin(startEnv = env) {
      const seen: Seen = { revoked: new Set(), link: new Set(), valid: new Set(), ready: new Set() };
      const stopping = new AbortController();
      onTestFinished(() => stopping.abort());
      const ask = async (name: keyof Seen, pauseMs: number): Promise<void> => {
        while (!stopping.signal.aborted) {
          seen[name].add(await statusOf(urls[name]));
          await setTimeout(pauseMs);
        }
      };
      for (const name of ["revoked", "link"] as const) void ask(name, 20);
      for (const name of ["valid", "ready"] as const) void ask(name, 100);
      const args = ["serve", "--config", join(folder, "daypass.json"), "--workers", workers, "--json"];
      const child = start(args, { env: startEnv });
      let log = "";
      child.stderr.on("data", (chunk: Buffer) => {
        log += chunk;
      });
      let isAnnounced = false;
      child.stdout.on("data", () => {
        isAnnounced = true;
      });
      return { child, seen, log: () => log, isAnnounced: () => isAnnounced };
    },
  };
}

/** By a new connection, which any worker may accept. */
function statusOf(url: string): Promise<number | "refused"> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response) => resolve(response.resume().statusCode ?? 0)).on("error", () =>
      resolve("refused"),
    );
  });
}

/** Kills a worker, and waits until its replacement has answered. */
export async function replaceWorker({ child, log }: BegunGateway): Promise<void> {
  const before = children(child.pid).workers;
  process.kill(before[0] ?? 0, "SIGKILL");
  const answered = () =>
    children(child.pid).workers.some(
      (id) => !before.includes(id) && new RegExp(`"pid":${id},"hostname":"[^"]*","msg":"request"`).test(log()),
    );
  await expect.poll(answered, LATE).toBe(true);
}

/** Waits until a process reads no request, because it does not know the revocations. */
export const untilWaiting = ({ log }: BegunGateway): Promise<void> =>
  expect.poll(log, LATE).toContain("no request is read until it does");

/** Checks that a waiting gateway has read no request. */
export function expectUnread({ seen, log }: BegunGateway): void {
  expect(log()).not.toContain('"msg":"request"');
  for (const answers of Object.values(seen)) expect([...answers]).toEqual(["refused"]);
}

/** Checks that a gateway serves by its copies while its state is away. */
export async function expectServed(gateway: BegunGateway, { links }: Pick<Wanted, "links">): Promise<void> {
  await expect.poll(gateway.isAnnounced, LATE).toBe(true);
  // A link that waits for the state answers after five seconds, so only its wrong answers count, at the end.
  const expected = { revoked: links === undefined ? 403 : 200, valid: 200, ready: 200 };
  for (const [name, status] of Object.entries(expected))
    await expect.poll(() => [...gateway.seen[name as keyof Seen]].sort(), LATE).toEqual([status, "refused"]);
}

/** Checks that a gateway serves everything once its state is back, and that no client got a wrong answer before. Then stops it. */
export async function expectRecovery({ child, seen }: BegunGateway, { links }: Pick<Wanted, "links"> = {}) {
  await expect.poll(() => seen.link.has(200) && seen.valid.has(200) && seen.revoked.has(403), LATE).toBe(true);
  expect([...seen.link].filter((one) => ![200, 503, "refused"].includes(one))).toEqual([]);
  if (links === undefined) expect([...seen.revoked].filter((one) => ![403, 503, "refused"].includes(one))).toEqual([]);
  await expectEnd(child);
}

/** Sends SIGTERM, and expects a stop without an error. */
export async function expectEnd(child: ChildProcessWithoutNullStreams): Promise<void> {
  const ended = once(child, "close");
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
}
