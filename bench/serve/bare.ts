import { fileURLToPath } from "node:url";
import { type Cores, freePort, listening, start, stop } from "./process.ts";

export interface BareServer {
  readonly pid: number | undefined;
  readonly url: (key: string) => string;
  stop(): Promise<void>;
}

/** The program `bare-server.ts` on core 0. */
export const startBare = (): Promise<BareServer> => startProgram("bare-server.js", "0");

/** The same on other cores. */
export const startBareOn = (cores: Cores): Promise<BareServer> => startProgram("bare-server.js", cores);

/** The same as a cluster of so many workers, on both cores. */
export const startBareCluster = (workers: number): Promise<BareServer> =>
  startProgram("bare-server.js", "0,1", String(workers));

/** The program `bare-download-server.ts` on core 0, over a folder with a bucket `b`. */
export const startBareDownloads = (folder: string): Promise<BareServer> =>
  startProgram("bare-download-server.js", "0", folder);

/** The program `bare-upload-server.ts` on both cores, into a folder with a bucket `b`. */
export const startBareUploads = (folder: string): Promise<BareServer> =>
  startProgram("bare-upload-server.js", "0,1", folder);

async function startProgram(name: string, cores: Cores, ...options: readonly string[]): Promise<BareServer> {
  const port = await freePort();
  const program = fileURLToPath(new URL(name, import.meta.url));
  const child = start(cores, [process.execPath, program, String(port), ...options]);
  await listening(port);
  return { pid: child.pid, url: (key) => `http://127.0.0.1:${port}/b/${key}`, stop: () => stop(child) };
}
