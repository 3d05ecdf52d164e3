import { appendFileSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { median } from "./median.ts";
import { type Row, rounded, skipped } from "./row.ts";
import { startCli } from "./serve/cli.ts";
import { startNginx } from "./serve/nginx.ts";
import { type Cores, forgetPeak, freePort, listening, output, peakOf, start, stop } from "./serve/process.ts";
import { temporaryFolder } from "./serve/temporary-folder.ts";
import { missingTools } from "./serve/tools.ts";

const MB = 1e6;
const LARGE = 256 * MB;
const SMALL = 64 * MB;
const GET_ROUNDS = 9;
const PUT_ROUNDS = 5;

const transferPath = fileURLToPath(new URL("serve/transfer.js", import.meta.url));
const uploadServerPath = fileURLToPath(new URL("serve/bare-upload-server.js", import.meta.url));

/** 256 MB down and up, and the memory that it takes. */
export async function large(): Promise<readonly Row[]> {
  const lacking = missingTools("taskset");
  if (lacking !== undefined) return [skipped("GET 256 MB", "all servers", lacking)];
  return [...(await downloads()), ...(await uploads())];
}

/** Server on core 0, client on core 1. */
async function downloads(): Promise<readonly Row[]> {
  const work = "GET 256 MB";
  const folder = temporaryFolder();
  const state = { ours: `${folder.path}/ours`, sendfile: `${folder.path}/sendfile`, copying: `${folder.path}/copying` };
  for (const path of [`${folder.path}/root/b`, ...Object.values(state)]) mkdirSync(path, { recursive: true });
  const root = `${folder.path}/root`;
  for (const [name, size] of [
    ["large", LARGE],
    ["small", SMALL],
  ] as const)
    fill(`${root}/b/${name}`, size);
  const lackingNginx = missingTools("nginx");
  const ours = await startCli({ root, state: state.ours, cores: "0" });
  const sendfile =
    lackingNginx === undefined ? await startNginx({ root, state: state.sendfile, sendfile: true }) : undefined;
  const copying =
    lackingNginx === undefined ? await startNginx({ root, state: state.copying, sendfile: false }) : undefined;
  try {
    const lanes = [
      { contender: "daypass serve", server: ours },
      { contender: "nginx, sendfile on (Debian)", server: sendfile },
      { contender: "nginx, sendfile off", server: copying, bar: { atLeast: 0.9 } },
    ];
    const rates = lanes.map((): number[] => []);
    for (let round = 0; round < GET_ROUNDS; round++) {
      for (const [at, { server }] of lanes.entries()) {
        if (server !== undefined) rates[at]?.push(LARGE / (await transfer("1", ["get", server.url("large")])));
      }
    }
    const [best = Number.NaN] = rates.map(median);
    const rows = lanes.map(({ contender, bar }, at): Row => {
      const rate = median(rates[at] ?? []);
      if (rate === undefined) return skipped(work, contender, lackingNginx ?? "");
      return { work, contender, figure: `${rounded(rate / MB)} MB/s`, ratio: at === 0 ? undefined : best / rate, bar };
    });
    const peak = async (name: string): Promise<number> => {
      forgetPeak(ours.pid);
      await transfer("1", ["get", ours.url(name)]);
      return peakOf(ours.pid) ?? Number.NaN;
    };
    return [...rows, ...memory("GET", { small: await peak("small"), large: await peak("large") })];
  } finally {
    for (const server of [ours, sendfile, copying]) await server?.stop();
    folder.remove();
  }
}

/** Server and client on both cores, since the digests run on a thread of their own. */
async function uploads(): Promise<readonly Row[]> {
  const work = "PUT 256 MB";
  const folder = temporaryFolder();
  const [root, state, bareRoot] = ["root", "state", "bare"].map((name) => `${folder.path}/${name}`) as [
    string,
    string,
    string,
  ];
  for (const path of [`${root}/b`, state, bareRoot]) mkdirSync(path, { recursive: true });
  const ours = await startCli({ root, state, cores: "0,1" });
  const port = await freePort();
  const bare = start("0,1", [process.execPath, uploadServerPath, String(port), bareRoot]);
  try {
    await listening(port);
    const put = (url: string, size: number): Promise<number> => transfer("0,1", ["put", url, String(size)]);
    const ourUrl = ours.url("large", { method: "PUT" });
    const bareUrl = `http://127.0.0.1:${port}/large`;
    const rates = { ours: [] as number[], bare: [] as number[] };
    for (let round = 0; round < PUT_ROUNDS; round++) {
      rates.ours.push(LARGE / (await put(ourUrl, LARGE)));
      rates.bare.push(LARGE / (await put(bareUrl, LARGE)));
    }
    const [oursRate = Number.NaN, bareRate = Number.NaN] = [median(rates.ours), median(rates.bare)];
    const peak = async (size: number): Promise<number> => {
      forgetPeak(ours.pid);
      await put(ourUrl, size);
      return peakOf(ours.pid) ?? Number.NaN;
    };
    return [
      { work, contender: "daypass serve", figure: `${rounded(oursRate / MB)} MB/s` },
      {
        work,
        contender: "bare server, same writes, MD5, fsync",
        figure: `${rounded(bareRate / MB)} MB/s`,
        ratio: oursRate / bareRate,
        bar: { atLeast: 0.8 },
      },
      ...memory("PUT", { small: await peak(SMALL), large: await peak(LARGE) }),
    ];
  } finally {
    await stop(bare);
    await ours.stop();
    folder.remove();
  }
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
