import { closeSync, mkdirSync, openSync } from "node:fs";
import { median } from "./median.ts";
import { type Row, rounded } from "./row.ts";
import { type CliServer, startCli } from "./serve/cli.ts";
import { peakOf } from "./serve/process.ts";
import { temporaryFolder } from "./serve/temporary-folder.ts";

const SMALL = 10_000;
const LARGE = 1_000_000;
const ROUNDS = 15;
const BAR = { atMost: 3 } as const;

interface Page {
  readonly work: string;
  readonly shape: "flat" | "tree";
  /** The parameters of the listing, for a bucket of so many keys. */
  readonly query: (keys: number) => Readonly<Record<string, string>>;
}

const PAGES: readonly Page[] = [
  { work: "list 1000 keys, first page", shape: "flat", query: () => ({}) },
  {
    work: "list 1000 keys, from the middle",
    shape: "flat",
    query: (keys) => ({ "start-after": nameOf(keys / 2 - 1) }),
  },
  { work: "list 1000 keys of a tree, first page", shape: "tree", query: () => ({}) },
  { work: "list 5 folders, from the middle", shape: "tree", query: (keys) => middleFolders(keys) },
];

/** Compares pages of a bucket of a million real files with pages of ten thousand, through the socket, with a warm index. */
export async function listing(): Promise<readonly Row[]> {
  const folder = temporaryFolder();
  let server: CliServer | undefined;
  try {
    const root = `${folder.path}/root`;
    for (const shape of ["flat", "tree"] as const) {
      for (const keys of [SMALL, LARGE]) fill(`${root}/${bucketOf(shape, keys)}`, shape, keys);
    }
    server = await startCli({ root, state: folder.path, cores: "0,1" });
    const rows: Row[] = [];
    const first = await milliseconds(server, bucketOf("flat", LARGE), {});
    rows.push({
      work: "first listing of a folder of 1,000,000 files",
      contender: "daypass serve",
      figure: `${rounded(first)} ms`,
    });
    for (const page of PAGES) rows.push(...(await compare(server, page)));
    const peak = (peakOf(server.pid) ?? Number.NaN) / 2 ** 20;
    rows.push({ work: "memory at its peak", contender: "daypass serve", figure: `${rounded(peak)} MB` });
    return rows;
  } finally {
    await server?.stop();
    folder.remove();
  }
}

/** Both buckets in turn, so that what else the machine does meets both. */
async function compare(server: CliServer, { work, shape, query }: Page): Promise<readonly Row[]> {
  const times = new Map([LARGE, SMALL].map((keys) => [keys, [] as number[]]));
  // What changed within two seconds is read again each time; by now it has not.
  for (let round = -2; round < ROUNDS; round++) {
    for (const [keys, measured] of times) {
      const time = await milliseconds(server, bucketOf(shape, keys), query(keys));
      if (round >= 0) measured.push(time);
    }
  }
  const [ours = Number.NaN, theirs = Number.NaN] = [...times.values()].map(median);
  return [
    { work, contender: "of 1,000,000 keys", figure: `${rounded(ours)} ms` },
    { work, contender: "of 10,000 keys", figure: `${rounded(theirs)} ms`, ratio: ours / theirs, bar: BAR },
  ];
}

async function milliseconds(
  server: CliServer,
  bucket: string,
  query: Readonly<Record<string, string>>,
): Promise<number> {
  const url = server.listUrl(bucket, query);
  const start = performance.now();
  const response = await fetch(url);
  const body = await response.text();
  const took = performance.now() - start;
  if (response.status !== 200) throw new Error(`expected a listing, found ${response.status}: ${body}`);
  return took;
}

function bucketOf(shape: Page["shape"], keys: number): string {
  return `${shape}-${keys}`;
}

function nameOf(index: number): string {
  return `${String(index).padStart(7, "0")}.txt`;
}

/** A thousand files in each folder. */
function folderOf(index: number): string {
  return `${String(Math.floor(index / 1000)).padStart(4, "0")}/`;
}

function middleFolders(keys: number): Readonly<Record<string, string>> {
  return { delimiter: "/", "max-keys": "5", "start-after": `${folderOf(keys / 2 - 1)}zzz` };
}

function fill(path: string, shape: Page["shape"], keys: number): void {
  mkdirSync(path, { recursive: true });
  for (let index = 0; index < keys; index++) {
    const folder = shape === "flat" ? "" : folderOf(index);
    if (shape === "tree" && index % 1000 === 0) mkdirSync(`${path}/${folder}`);
    closeSync(openSync(`${path}/${folder}${nameOf(index)}`, "w"));
  }
}
