import { appendFileSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { median } from "./median.ts";
import { type Row, rounded, skipped } from "./row.ts";
import { startBareDownloads, startBareUploads } from "./serve/bare.ts";
import { startCli } from "./serve/cli.ts";
import { startHandOver } from "./serve/hand-over.ts";
import { startNginx } from "./serve/nginx.ts";
import { type Cores, forgetPeak, output, peakOf, start } from "./serve/process.ts";
import { temporaryFolder } from "./serve/temporary-folder.ts";
import { missingTools } from "./serve/tools.ts";

const MB = 1e6;
const SIZES = { small: 64 * MB, middle: 100 * MB, large: 256 * MB };
const GET_ROUNDS = 9;
const PUT_ROUNDS = 5;

const transferPath = fileURLToPath(new URL("serve/transfer.js", import.meta.url));

/** 100 MB and 256 MB down and up, and the memory that it takes. */
export async function large(): Promise<readonly Row[]> {
  const lacking = missingTools("taskset");
  if (lacking !== undefined) return [skipped("GET 256 MB", "all servers", lacking)];
  return [...(await downloads()), ...(await uploads())];
}

/** Server on core 0, client on core 1. */
async function downloads(): Promise<readonly Row[]> {
  const folder = temporaryFolder();
  const state = {
    ours: `${folder.path}/ours`,
    sendfile: `${folder.path}/sendfile`,
    copying: `${folder.path}/copying`,
    handed: `${folder.path}/handed`,
  };
  for (const path of [`${folder.path}/root/b`, ...Object.values(state)]) mkdirSync(path, { recursive: true });
  const root = `${folder.path}/root`;
  for (const [name, size] of Object.entries(SIZES)) fill(`${root}/b/${name}`, size);
  const lackingNginx = missingTools("nginx");
  const ours = await startCli({ root, state: state.ours, cores: "0" });
  const sendfile =
    lackingNginx === undefined ? await startNginx({ root, state: state.sendfile, sendfile: true }) : undefined;
  const copying =
    lackingNginx === undefined ? await startNginx({ root, state: state.copying, sendfile: false }) : undefined;
  const bare = await startBareDownloads(root);
  // A separate root: only one gateway may serve it.
  const handedRoot = `${folder.path}/handed-root`;
  mkdirSync(`${handedRoot}/b`, { recursive: true });
  fill(`${handedRoot}/b/large`, SIZES.large);
  const handed =
    lackingNginx === undefined ? await startHandOver({ root: handedRoot, state: state.handed }) : undefined;
  try {
    const get = (url: string): Promise<number> => transfer("1", ["get", url]);
    const lane = (contender: string, server: { url(key: string): string } | undefined, atLeast?: number): Lane => ({
      contender,
      seconds: server === undefined ? undefined : (size) => get(server.url(size)),
      lacking: lackingNginx,
      bar: atLeast === undefined ? undefined : { atLeast },
    });
    const race = { method: "GET", rounds: GET_ROUNDS };
    const rows = [
      ...(await rowsOf({ ...race, size: "large" }, [
        lane("daypass serve", ours),
        lane("nginx, sendfile on (Debian)", sendfile),
        lane("nginx, sendfile off", copying, 0.9),
      ])),
      ...(await rowsOf({ ...race, size: "large" }, [
        lane("a link through X-Accel-Redirect", handed),
        lane("nginx, sendfile on (Debian)", sendfile, 0.9),
      ])),
      ...(await rowsOf({ ...race, size: "middle" }, [
        lane("daypass serve", ours),
        lane("bare server, createReadStream", bare, 0.8),
      ])),
    ];
    const peak = async (size: Size): Promise<number> => {
      forgetPeak(ours.pid);
      await get(ours.url(size));
      return peakOf(ours.pid) ?? Number.NaN;
    };
    return [...rows, ...memory("GET", { small: await peak("small"), large: await peak("large") })];
  } finally {
    for (const server of [ours, sendfile, copying, bare, handed]) await server?.stop();
    folder.remove();
  }
}

/** Server and client on both cores, since the digests run on a separate thread. */
async function uploads(): Promise<readonly Row[]> {
  const folder = temporaryFolder();
  const [root, state, bareRoot] = ["root", "state", "bare"].map((name) => `${folder.path}/${name}`) as [
    string,
    string,
    string,
  ];
  for (const path of [`${root}/b`, state, `${bareRoot}/b`]) mkdirSync(path, { recursive: true });
  const ours = await startCli({ root, state, cores: "0,1" });
  const bare = await startBareUploads(bareRoot);
  try {
    const put = (url: string, size: Size): Promise<number> => transfer("0,1", ["put", url, String(SIZES[size])]);
    const ourUrl = ours.url("stored", { method: "PUT" });
    const lanes: readonly Lane[] = [
      { contender: "daypass serve", seconds: (size) => put(ourUrl, size) },
      {
        contender: "bare server, same writes, MD5, fsync",
        seconds: (size) => put(bare.url("stored"), size),
        bar: { atLeast: 0.8 },
      },
    ];
    const race = { method: "PUT", rounds: PUT_ROUNDS };
    const rows = [
      ...(await rowsOf({ ...race, size: "large" }, lanes)),
      ...(await rowsOf({ ...race, size: "middle" }, lanes)),
    ];
    const peak = async (size: Size): Promise<number> => {
      forgetPeak(ours.pid);
      await put(ourUrl, size);
      return peakOf(ours.pid) ?? Number.NaN;
    };
    return [...rows, ...memory("PUT", { small: await peak("small"), large: await peak("large") })];
  } finally {
    await bare.stop();
    await ours.stop();
    folder.remove();
  }
}

type Size = keyof typeof SIZES;

/** One server of a comparison that moves bodies. */
interface Lane {
  readonly contender: string;
  /** For one body; left out where the server could not run, for the reason in `lacking`. */
  readonly seconds?: ((size: Size) => Promise<number>) | undefined;
  readonly lacking?: string | undefined;
  readonly bar?: Row["bar"];
}

/** Runs all in turns, and compares the median of the first with each other one. */
async function rowsOf(
  { method, size, rounds }: { readonly method: string; readonly size: Size; readonly rounds: number },
  lanes: readonly Lane[],
): Promise<readonly Row[]> {
  const work = `${method} ${SIZES[size] / MB} MB`;
  const rates = lanes.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, { seconds }] of lanes.entries()) {
      if (seconds !== undefined) rates[at]?.push(SIZES[size] / (await seconds(size)));
    }
  }
  const [best = Number.NaN] = rates.map(median);
  return lanes.map(({ contender, lacking, bar }, at): Row => {
    const rate = median(rates[at] ?? []);
    if (rate === undefined) return skipped(work, contender, lacking ?? "");
    return { work, contender, figure: `${rounded(rate / MB)} MB/s`, ratio: at === 0 ? undefined : best / rate, bar };
  });
}

/** Written just now, so that it is in the page cache: what is measured is the way out, not the disk. */
function fill(path: string, size: number): void {
  const piece = Buffer.alloc(MB, "daypass ");
  for (let done = 0; done < size; done += piece.length) appendFileSync(path, piece);
}

function memory(method: string, peak: { readonly small: number; readonly large: number }): readonly Row[] {
  const work = `memory, ${method}`;
  const figure = (bytes: number): string => `${rounded(bytes / MB)} MB`;
  return [
    { work, contender: "256 MB", figure: figure(peak.large) },
    { work, contender: "64 MB", figure: figure(peak.small), ratio: peak.large / peak.small, bar: { atMost: 1.25 } },
  ];
}

/** Seconds for one body. */
async function transfer(cores: Cores, args: readonly string[]): Promise<number> {
  return Number(await output(start(cores, [process.execPath, transferPath, ...args])));
}
