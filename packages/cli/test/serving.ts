import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { type RunOptions, start, temporaryFolder } from "./command.ts";

export const EXAMPLES = fileURLToPath(new URL("../../../examples/files", import.meta.url));

/** The output of `serve --json`. */
export interface Said {
  readonly url: string;
  readonly s3Endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey?: string;
  readonly urlKeyId: string;
  readonly presignedUrl: string;
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly said: Said;
  /** The first line of standard output. */
  readonly line: string;
  log(): string;
  stop(signal?: NodeJS.Signals): Promise<unknown>;
}

/** The example files, without the state that another run may have left there. */
export function exampleFiles(): string {
  const root = join(temporaryFolder(), "files");
  cpSync(EXAMPLES, root, { recursive: true, filter: (path) => !path.endsWith(".daypass") });
  return root;
}

/** Starts a gateway, and waits until it listens. */
export function serve(...args: readonly string[]): Promise<Running> {
  return serveWith({}, ...args);
}

/** The same in another environment. */
export async function serveWith(options: RunOptions, ...args: readonly string[]): Promise<Running> {
  const child = start(["serve", ...args, "--json", "--show-url"], options);
  // Stop the gateway of a failed test.
  onTestFinished(() => void child.kill("SIGTERM"));
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk;
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, "line"),
    once(child, "close").then(() => {
      throw new Error(`serve ended: ${log}`);
    }),
  ]);
  return {
    child,
    said: JSON.parse(line),
    line,
    log: () => log,
    async stop(signal = "SIGTERM") {
      const closed = once(child, "close");
      child.kill(signal);
      return (await closed)[0];
    },
  };
}

/** The processes below the primary, by what they are. */
export function children(primary: number | undefined): { owner: number; workers: number[] } {
  const ids = readFileSync(`/proc/${primary}/task/${primary}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  const isOwner = (id: number): boolean => readFileSync(`/proc/${id}/cmdline`, "utf8").includes("state-owner");
  return { owner: ids.find(isOwner) ?? 0, workers: ids.filter((id) => !isOwner(id)) };
}

/** The status of an answer that was read to its end. */
export const status = async (url: string, init?: RequestInit): Promise<number> => {
  const response = await fetch(url, init);
  await response.arrayBuffer();
  return response.status;
};
