import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Cores, output, start } from "./process.ts";

const walk = fileURLToPath(new URL("../../serve/walk.lua", import.meta.url));

export interface Load {
  /** A folder for the list of targets. */
  readonly state: string;
  readonly urls: readonly string[];
  readonly cores: Cores;
  readonly seconds: number;
  /** A new connection for each request. */
  readonly close?: boolean;
}

const CONNECTIONS = 32;

/** Has wrk walk through the URLs on connections that stay open, and returns the answers a second. All must be 2xx. */
export async function load({ state, urls, cores, seconds, close = false }: Load): Promise<number> {
  const [first = ""] = urls;
  const { origin } = new URL(first);
  const targets = `${state}/targets`;
  writeFileSync(targets, urls.map((url) => `${url.slice(origin.length)}\n`).join(""));
  const text = await output(
    start(cores, [
      "wrk",
      ...["-t", "1", "-c", String(CONNECTIONS), "-d", `${seconds}s`, "-s", walk, `${origin}/`, "--", targets],
      ...(close ? ["close"] : []),
    ]),
  );
  const said = JSON.parse(text.trim().split("\n").at(-1) ?? "") as {
    requests: number;
    seconds: number;
    refused: number;
    broken: number;
  };
  if (said.refused > 0) throw new Error(`${said.refused} of ${said.requests} requests to ${origin} were refused`);
  return said.requests / said.seconds;
}
