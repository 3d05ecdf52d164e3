import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { job } from "./compute/job.ts";
import { peerSigners } from "./peers/signers.ts";
import { type Row, rounded } from "./row.ts";
import { cliPath } from "./serve/cli.ts";
import { run } from "./serve/process.ts";
import { temporaryFolder } from "./serve/temporary-folder.ts";

// Both are past the point up to which the heap of a young process grows by itself: what is left is what the lines hold.
const LINES = { few: 250_000, many: 1_000_000 } as const;
const ROUNDS = 3;
/** The AWS SDK would take minutes for all of them. */
const SDK_URLS = 20_000;

interface Measured {
  readonly seconds: number;
  readonly peakBytes: number;
}

/** `daypass sign --batch FILE --out FILE`, the start of the process included, from a file and to a file. */
export async function batch(): Promise<readonly Row[]> {
  const folder = temporaryFolder();
  try {
    await writeLines(`${folder.path}/few.jsonl`, LINES.few);
    await writeLines(`${folder.path}/many.jsonl`, LINES.many);
    const alone: Measured[] = [];
    const two: Measured[] = [];
    // As often as the many: a peak is the highest of all rounds.
    const fewAlone: Measured[] = [];
    const fewTwo: Measured[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      alone.push(await signBatch(folder.path, "many", 0));
      two.push(await signBatch(folder.path, "many", 2));
      fewAlone.push(await signBatch(folder.path, "few", 0));
      fewTwo.push(await signBatch(folder.path, "few", 2));
    }
    const [oneRate, twoRate] = [alone, two].map((runs) => LINES.many / Math.min(...runs.map(({ seconds }) => seconds)));
    if (oneRate === undefined || twoRate === undefined) throw new Error("nothing was measured");
    return [
      { work: "batch sign", contender: "daypass sign --batch, 2 workers", figure: `${rounded(twoRate)} lines/s` },
      {
        work: "batch sign",
        contender: "in process",
        figure: `${rounded(oneRate)} lines/s`,
        ratio: twoRate / oneRate,
        bar: { atLeast: 1.6 },
      },
      await millionRow(LINES.many / twoRate),
      ...memoryRows("in process", alone, fewAlone),
      ...memoryRows("2 workers", two, fewTwo),
    ];
  } finally {
    folder.remove();
  }
}

/** The same million by the AWS SDK: the time for some of them, on one thread, as many times as it takes. */
async function millionRow(ourSeconds: number): Promise<Row> {
  const contender = peerSigners().find(({ name }) => name === "@aws-sdk/s3-request-presigner");
  if (contender === undefined) throw new Error("expected the AWS SDK among the peers");
  const begin = performance.now();
  for (let turn = 0; turn < SDK_URLS; turn++) await contender.call(turn);
  const seconds = ((performance.now() - begin) / 1000) * (LINES.many / SDK_URLS);
  return {
    work: "batch sign",
    contender: `${contender.name}, ${SDK_URLS.toLocaleString("en")} × ${LINES.many / SDK_URLS}`,
    figure: `${rounded(LINES.many / seconds)} URLs/s`,
    ratio: seconds / ourSeconds,
    bar: { atLeast: 60 },
  };
}

function memoryRows(how: string, many: readonly Measured[], few: readonly Measured[]): readonly Row[] {
  const work = `batch memory, ${how}`;
  const peak = (runs: readonly Measured[]): number => Math.max(...runs.map(({ peakBytes }) => peakBytes));
  const figure = (runs: readonly Measured[]): string => `${rounded(peak(runs) / 1e6)} MB`;
  return [
    { work, contender: `${LINES.many.toLocaleString("en")} lines`, figure: figure(many) },
    {
      work,
      contender: `${LINES.few.toLocaleString("en")} lines`,
      figure: figure(few),
      ratio: peak(many) / peak(few),
      bar: { atMost: 1.25 },
    },
  ];
}

async function signBatch(folder: string, name: string, workers: number): Promise<Measured> {
  const out = `${folder}/out.jsonl`;
  const args = ["sign", "--batch", `${folder}/${name}.jsonl`, "--out", out, "--workers", String(workers)];
  try {
    return await run(process.execPath, [cliPath, ...args, "--strict"]);
  } catch (error) {
    // A batch answers each line; what was refused stands there.
    throw new Error(`the first answer was ${await firstLine(out)}`, { cause: error });
  }
}

async function writeLines(path: string, count: number): Promise<void> {
  const { bucket, region, endpoint, expiresIn, credentials } = job;
  const file = createWriteStream(path);
  for (let line = 0; line < count; line++) {
    const key = `talks/keynote-${line}.mp4`;
    const request = { scheme: "s3", region, endpoint, addressing: "path", bucket, key, expiresIn, credentials };
    if (!file.write(`${JSON.stringify(request)}\n`)) await once(file, "drain");
  }
  file.end();
  await once(file, "finish");
}

async function firstLine(path: string): Promise<string> {
  for await (const line of createInterface({ input: createReadStream(path) })) return line;
  return "none";
}
