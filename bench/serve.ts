import { mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "./median.ts";
import { type Bar, type Row, rounded, skipped } from "./row.ts";
import { startBare, startBareCluster } from "./serve/bare.ts";
import { type CliServerOptions, startCli } from "./serve/cli.ts";
import { load } from "./serve/load.ts";
import { NJS, startEdgeNginx, startNginx } from "./serve/nginx.ts";
import { type Cores, processorTime } from "./serve/process.ts";
import { startRadosgw } from "./serve/radosgw.ts";
import { temporaryFolder } from "./serve/temporary-folder.ts";
import { missingTools } from "./serve/tools.ts";

const KEYS = Array.from({ length: 200 }, (_, at) => `file-${at}.bin`);
const BYTES = Buffer.alloc(1024, "x");
const ROUNDS = 5;
const SECONDS = 2;
/** The same load, not counted: a program with a JIT compiler is half as fast in its first seconds. */
const WARM_UP_SECONDS = 6;
// What changed within two seconds is not kept in memory yet.
const SETTLE_MS = 2500;

export interface Server {
  readonly pid: number | undefined;
  readonly url: (key: string) => string;
  stop(): Promise<void>;
}

export interface Entrant {
  readonly name: string;
  /** Where its load runs, if not where the course says. */
  readonly loadCores?: Cores;
  readonly needs?: readonly string[];
  readonly bar?: Bar;
  readonly start: (state: string) => Promise<Server>;
}

/** How the load comes. */
export interface Course {
  readonly work: string;
  readonly cores: Cores;
  /** A new connection for each request. */
  readonly close: boolean;
}

/** GET of 1 KB by presigned URL, 200 URLs in turn, the access log on. */
export async function serve(): Promise<readonly Row[]> {
  const lacking = missingTools("wrk", "taskset");
  if (lacking !== undefined) return [skipped("GET 1 KB", "all servers", lacking)];
  // The server on one core and the load on the other.
  const apart = await compete(
    [{ work: "GET 1 KB", cores: "1", close: false }],
    [
      { name: "daypass serve", start: cli({}) },
      { name: "the same, verification off", start: cli({ unverified: true }), bar: { atLeast: 0.75 } },
      { name: "nginx secure_link (MD5)", needs: ["nginx"], start: nginx, bar: { atLeast: 0.28 } },
      { name: "node:http, 1 KB from memory", start: startBare },
      { name: "radosgw (SQLite)", needs: ["radosgw", "radosgw-admin"], start: radosgw, bar: { atLeast: 10 } },
    ],
  );
  // Two workers need both cores, so the load has to share them.
  const shared = await compete(
    [
      { work: "GET 1 KB, cores shared with the load", cores: "0,1", close: false },
      { work: "the same, a connection each", cores: "0,1", close: true },
    ],
    [
      { name: "daypass serve --workers 2", start: cli({ workers: 2, cores: "0,1" }) },
      { name: "--workers 1", start: cli({ workers: 1, cores: "0,1" }), bar: { atLeast: 1.5 } },
      { name: "--workers 1, one core for it and the load", start: cli({ workers: 1 }), loadCores: "0" },
    ],
  );
  // How much of that the machine and Node have to give: what two workers gain where a request costs nothing but node:http.
  const bare = await compete(
    [{ work: "1 KB from memory, a connection each", cores: "0,1", close: true }],
    [
      { name: "node:http, a cluster of 2 workers", start: () => startBareCluster(2) },
      { name: "of 1 worker", start: () => startBareCluster(1) },
    ],
  );
  const plain = await compete(
    [{ work: "GET 1 KB, verified in nginx", cores: "1", close: false }],
    [
      { name: "daypass edge nginx", needs: ["nginx", NJS], start: edge() },
      { name: "nginx secure_link (MD5)", needs: ["nginx"], start: nginx, bar: { atLeast: 0.35 } },
    ],
  );
  const any = await compete(
    [{ work: "the same, a URL with a prefix, a network and a header", cores: "1", close: false }],
    [
      { name: "daypass edge nginx", needs: ["nginx", NJS], start: edge(CONSTRAINTS) },
      { name: "nginx secure_link (MD5)", needs: ["nginx"], start: nginx, bar: { atLeast: 0.2 } },
    ],
  );
  return [...apart, ...shared, ...bare, ...plain, ...any];
}

const CONSTRAINTS = { prefix: 1, bind: { ip: "127.0.0.0/8" }, response: { cacheControl: "private" } };

/** Starts all entrants, runs them in turns, and compares the first with each other one. */
export async function compete(courses: readonly Course[], entrants: readonly Entrant[]): Promise<readonly Row[]> {
  const folder = temporaryFolder();
  const servers: Server[] = [];
  try {
    const lanes = [];
    for (const [at, { name, needs = [], bar, start, loadCores }] of entrants.entries()) {
      const lacking = missingTools(...needs);
      const state = `${folder.path}/${at}`;
      mkdirSync(state);
      const server = lacking === undefined ? await start(state) : undefined;
      if (server !== undefined) servers.push(server);
      const urls = server === undefined ? [] : KEYS.map((key) => server.url(key));
      lanes.push({ name, bar, lacking, state, urls, loadCores, pid: server?.pid });
    }
    await sleep(SETTLE_MS);
    const rows: Row[] = [];
    for (const { work, cores, close } of courses) {
      const medians = await rounds(lanes, { cores, close });
      const ours = medians[0]?.rate;
      for (const [at, { name, bar, lacking }] of lanes.entries()) {
        const measured = medians[at];
        if (measured === undefined) rows.push(skipped(work, name, lacking ?? ""));
        else {
          const ratio = at === 0 || ours === undefined ? undefined : ours / measured.rate;
          const figure = `${rounded(measured.rate)} /s, ${rounded(measured.time)} µs`;
          rows.push({ work, contender: name, figure, ratio, bar });
        }
      }
    }
    return rows;
  } finally {
    for (const server of servers) await server.stop();
    folder.remove();
  }
}

interface Lane {
  readonly state: string;
  readonly urls: readonly string[];
  readonly loadCores: Cores | undefined;
  readonly pid: number | undefined;
}

interface Measured {
  readonly rate: number;
  /** Processor time of the server for each request, microseconds. It moves less with other load of the machine than the rate does. */
  readonly time: number;
}

/** The medians of each lane; nothing for one without URLs. */
async function rounds(
  lanes: readonly Lane[],
  course: { readonly cores: Cores; readonly close: boolean },
): Promise<readonly (Measured | undefined)[]> {
  const runs = lanes.map((): Measured[] => []);
  const measure = async ({ state, urls, pid, loadCores = course.cores }: Lane, seconds: number): Promise<Measured> => {
    const before = processorTime(pid);
    const { requests, rate } = await load({ state, urls, seconds, cores: loadCores, close: course.close });
    return { rate, time: (processorTime(pid) - before) / requests };
  };
  for (const lane of lanes) if (lane.urls.length > 0) await measure(lane, WARM_UP_SECONDS);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, lane] of lanes.entries()) {
      if (lane.urls.length > 0) runs[at]?.push(await measure(lane, SECONDS));
    }
  }
  return runs.map((list) => {
    const [rate, time] = [median(list.map((run) => run.rate)), median(list.map((run) => run.time))];
    return rate === undefined || time === undefined ? undefined : { rate, time };
  });
}

/** A separate folder for each server: only one gateway may serve it. */
function filledRoot(state: string): string {
  const root = `${state}/root`;
  mkdirSync(`${root}/b`, { recursive: true });
  for (const key of KEYS) writeFileSync(`${root}/b/${key}`, BYTES);
  return root;
}

function cli(options: Partial<CliServerOptions>): Entrant["start"] {
  return (state) => startCli({ root: filledRoot(state), state, cores: "0", ...options });
}

function nginx(state: string): Promise<Server> {
  return startNginx({ root: filledRoot(state), state, sendfile: true });
}

function edge(constraints?: Parameters<typeof startEdgeNginx>[1]): Entrant["start"] {
  return (state) => startEdgeNginx({ root: filledRoot(state), state, sendfile: true }, constraints);
}

function radosgw(state: string): Promise<Server> {
  return startRadosgw({ state, files: new Map(KEYS.map((key) => [key, BYTES])) });
}
