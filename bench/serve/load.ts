import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Cores, output, start } from "./process.ts";

const openLoop = fileURLToPath(new URL("open-loop.js", import.meta.url));
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

/** What wrk counted. */
export interface Counted {
  readonly requests: number;
  /** Answers a second. */
  readonly rate: number;
}

/** Has wrk walk through the URLs on connections that stay open. All answers must be 2xx. */
export async function load({ state, urls, cores, seconds, close = false }: Load): Promise<Counted> {
  const { origin, targets } = writeTargets(state, urls);
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
  return { requests: said.requests, rate: said.requests / said.seconds };
}

/** Milliseconds from the instant at which a request was due to its answer. */
export interface Latencies {
  readonly p50: number;
  readonly p99: number;
}

/** Sends `rate` requests a second, also while answers are late. All must be 200. */
export async function openLoad({ state, urls, cores, seconds, rate }: Load & { rate: number }): Promise<Latencies> {
  const { origin, targets } = writeTargets(state, urls);
  const args = [new URL(origin).port, targets, String(rate), String(seconds)];
  const said = JSON.parse(await output(start(cores, [process.execPath, openLoop, ...args]))) as Latencies & {
    refused: number;
  };
  if (said.refused > 0) throw new Error(`${said.refused} requests to ${origin} were refused`);
  return said;
}

/** Writes the targets of URLs that have one origin. */
function writeTargets(state: string, urls: readonly string[]): { readonly origin: string; readonly targets: string } {
  const [first = ""] = urls;
  const { origin } = new URL(first);
  const targets = `${state}/targets`;
  writeFileSync(targets, urls.map((url) => `${url.slice(origin.length)}\n`).join(""));
  return { origin, targets };
}
