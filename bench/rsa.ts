import { fileURLToPath } from "node:url";
import { median } from "./median.ts";
import { type Row, rounded, skipped } from "./row.ts";
import { type Cores, output, start } from "./serve/process.ts";
import { missingTools } from "./serve/tools.ts";

const WORK = "sign, RSA of 2048 bits";
const ROUNDS = 5;

const jobPath = fileURLToPath(new URL("compute/rsa-job.js", import.meta.url));

interface Measured {
  readonly perSecond: number;
  readonly lateMilliseconds: number;
}

/** `gcsSigner` with the key of a service account, sixteen signatures under way, on two cores and on one of them. */
export async function rsa(): Promise<readonly Row[]> {
  const lacking = missingTools("taskset");
  if (lacking !== undefined) return [skipped(WORK, "daypass/gcs", lacking)];
  const two: Measured[] = [];
  const one: Measured[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    two.push(await measure("0,1"));
    one.push(await measure("0"));
  }
  const [twoRate, oneRate] = [two, one].map((runs) => median(runs.map(({ perSecond }) => perSecond)));
  const late = median(two.map(({ lateMilliseconds }) => lateMilliseconds));
  if (twoRate === undefined || oneRate === undefined || late === undefined) throw new Error("nothing was measured");
  return [
    { work: WORK, contender: "daypass/gcs, two cores", figure: `${rounded(twoRate)} /s` },
    {
      work: WORK,
      contender: "one core",
      figure: `${rounded(oneRate)} /s`,
      ratio: twoRate / oneRate,
      bar: { atLeast: 1.6 },
    },
    {
      work: WORK,
      contender: "event loop late meanwhile, 99 of 100",
      figure: `${rounded(late)} ms`,
    },
  ];
}

async function measure(cores: Cores): Promise<Measured> {
  return JSON.parse(await output(start(cores, [process.execPath, jobPath]))) as Measured;
}
