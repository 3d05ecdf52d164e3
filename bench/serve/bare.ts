import { fileURLToPath } from "node:url";
import { freePort, listening, start, stop } from "./process.ts";

/** The program `bare-server.ts` on core 0. */
export async function startBare(): Promise<{ readonly url: (key: string) => string; stop(): Promise<void> }> {
  const port = await freePort();
  const child = start("0", [process.execPath, fileURLToPath(new URL("bare-server.js", import.meta.url)), String(port)]);
  await listening(port);
  return { url: (key) => `http://127.0.0.1:${port}/b/${key}`, stop: () => stop(child) };
}
