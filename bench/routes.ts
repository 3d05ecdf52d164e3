import { writeFileSync } from "node:fs";
import { urlSigner } from "daypass/url";
import { median } from "./median.ts";
import { type Row, rounded, skipped } from "./row.ts";
import { startBareOn } from "./serve/bare.ts";
import { cliPath } from "./serve/cli.ts";
import { type Latencies, load, openLoad } from "./serve/load.ts";
import { KEY, startProxyNginx } from "./serve/nginx.ts";
import { freePort, listening, start, stop } from "./serve/process.ts";
import { temporaryFolder } from "./serve/temporary-folder.ts";
import { missingTools } from "./serve/tools.ts";
import { compete, type Server } from "./serve.ts";

/** Requests a second of the bar for latencies. */
const RATE = 5000;

/** GET of 1 KB through a route by Daypass URL, and decisions for proxies; the access log is on. */
export async function routes(): Promise<readonly Row[]> {
  const lacking = missingTools("wrk", "taskset", "nginx");
  if (lacking !== undefined) return [skipped("routes", "all servers", lacking)];
  // The app shares the core of the load, so that only the forwarding server is measured.
  const app = await startBareOn("1");
  try {
    const upstream = new URL(app.url("")).host;
    const forwarded = await compete(
      [{ work: "GET 1 KB from another server", cores: "1", close: false }],
      [
        { name: "daypass serve, a route", start: (state) => startDaypass(state, upstream) },
        {
          name: "nginx proxy_pass",
          start: (state) => startProxyNginx({ root: state, state, sendfile: true, upstream }),
          bar: { atLeast: 0.22 },
        },
      ],
    );
    const decided = await compete(
      [{ work: "forward-auth: decisions", cores: "1", close: false }],
      [{ name: "daypass serve (bar: 15,000 /s)", start: (state) => startDaypass(state, upstream, "decisions") }],
    );
    return [...forwarded, ...decided, ...(await latencies(upstream))];
  } finally {
    await app.stop();
  }
}

/** How long a decision takes at a constant rate: the median of five runs. */
async function latencies(upstream: string): Promise<readonly Row[]> {
  const folder = temporaryFolder();
  const state = folder.path;
  const server = await startDaypass(state, upstream, "decisions");
  try {
    const urls = Array.from({ length: 200 }, (_, at) => server.url(`file-${at}.bin`));
    await load({ state, urls, cores: "1", seconds: 6 });
    const runs: Latencies[] = [];
    while (runs.length < 5) runs.push(await openLoad({ state, urls, cores: "1", seconds: 5, rate: RATE }));
    const work = `forward-auth: a decision, at ${rounded(RATE)} /s`;
    const [p50 = 0, p99 = 0] = [median(runs.map((run) => run.p50)), median(runs.map((run) => run.p99))];
    const row = (contender: string, ms: number): Row => ({ work, contender, figure: `${rounded(ms)} ms` });
    return [row("p50", p50), row("p99", p99), { ...row("the bar: a p99 of 1 ms", 1), ratio: p99, bar: { atMost: 1 } }];
  } finally {
    await server.stop();
    folder.remove();
  }
}

/** `daypass serve` on core 0, with a route to the app and a listener for proxies. */
async function startDaypass(state: string, upstream: string, what: "route" | "decisions" = "route"): Promise<Server> {
  const [port, auth] = [await freePort(), await freePort()];
  const origin = `http://127.0.0.1:${what === "route" ? port : auth}`;
  writeFileSync(`${state}/keys.json`, JSON.stringify({ keys: [KEY] }));
  const config = {
    ...{ root: state, state: `${state}/.daypass`, listen: { port }, urlKeySetFile: "keys.json" },
    routes: [{ origin, prefix: "/b/", upstream: `http://${upstream}` }],
    forwardAuth: { listen: `127.0.0.1:${auth}`, hosts: [{ origin }] },
  };
  writeFileSync(`${state}/daypass.json`, JSON.stringify(config));
  const log = `exec ${process.execPath} ${cliPath} serve --config ${state}/daypass.json >/dev/null 2>${state}/access.log`;
  const child = start("0", ["sh", "-c", log]);
  await listening(what === "route" ? port : auth);
  const signer = urlSigner({ key: KEY });
  // The question of Envoy is a path, so the load needs no headers.
  const url = (key: string): string => {
    const signed = signer.sign({ url: `${origin}/b/${key}`, expiresIn: 3600 }).url;
    return what === "route" ? signed : signed.replace(origin, `${origin}/-/auth/envoy`);
  };
  return { pid: child.pid, url, stop: () => stop(child) };
}
