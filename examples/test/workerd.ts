import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";

// The package exports the path of the binary for this machine.
const { default: binary } = createRequire(import.meta.url)("workerd") as { readonly default: string };

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface Workerd {
  /** Asks the Worker for this URL as a proxy in front would: the authority in `Host`, the target byte for byte. */
  get(url: string): Promise<Answer>;
  stop(): Promise<void>;
}

/** Runs a bundled Worker in workerd, the runtime of Cloudflare Workers, on a free port of 127.0.0.1. */
export async function workerd(code: string, bindings: Readonly<Record<string, string>>): Promise<Workerd> {
  const folder = await mkdtemp(join(tmpdir(), "daypass-workerd-"));
  await writeFile(join(folder, "worker.js"), code);
  await writeFile(join(folder, "config.capnp"), config(bindings));
  const child = spawn(binary, ["serve", "--control-fd=3", join(folder, "config.capnp")], {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  const port = await listeningPort(child.stdio[3] as Readable);
  return {
    get: (url) => send(url, port),
    async stop() {
      const ended = once(child, "exit");
      child.kill();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

function config(bindings: Readonly<Record<string, string>>): string {
  const texts = Object.entries(bindings).map(([name, text]) => `(name = "${name}", text = "${text}")`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "2026-04-01",
  bindings = [${texts.join(", ")}],
);
`;
}

/** workerd reports on the control channel: `{"event":"listen","socket":"http","port":…}`. */
async function listeningPort(control: Readable): Promise<number> {
  let report = "";
  for await (const chunk of control.setEncoding("utf8")) {
    report += chunk;
    const port = /"port":([0-9]+)/.exec(report)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error("workerd ended before it listened");
}

async function send(url: string, port: number): Promise<Answer> {
  const [, host = "", path = ""] = /^https:\/\/([^/]+)(.*)$/.exec(url) ?? [];
  const request = get({ host: "127.0.0.1", port, path, headers: { host } });
  const [response] = await once(request, "response");
  return { status: response.statusCode, body: await text(response) };
}
