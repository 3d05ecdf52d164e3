import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import {
  auditKey,
  auditLines,
  newAuditKey,
  publicKeys,
  type SealerOptions,
  sealer,
  verifyAudit,
} from "@daypass/gateway/audit";
import { type State, sqliteState } from "@daypass/gateway/state";
import { type Row, rounded } from "./row.ts";
import { cliPath } from "./serve/cli.ts";
import { run } from "./serve/process.ts";
import { temporaryFolder } from "./serve/temporary-folder.ts";

const RECORDS = 1_000_000;
const AT_ONCE = 10_000;
const FLIPPED = 654_321;
const BAR_SECONDS = 20;

/** `daypass audit verify` over a million records, and the search for one flipped byte. */
export async function audit(): Promise<readonly Row[]> {
  const folder = temporaryFolder();
  try {
    const place = `${folder.path}/.daypass`;
    mkdirSync(place);
    const { privateKey, publicKey } = newAuditKey();
    writeFileSync(`${place}/audit.key`, privateKey);
    writeFileSync(`${place}/audit.pub`, publicKey);
    const macKey = randomBytes(32);
    writeFileSync(`${place}/audit.mac`, macKey.toString("base64url"));
    const state = await sqliteState({ path: `${place}/state.db`, mac: { key: macKey } });
    // The history begins here, so no heads are kept from before.
    const kept = { load: async () => [], save: async () => undefined };
    const [key, keys] = [auditKey(privateKey), publicKeys(publicKey)];
    const sealSeconds = await fill(state, { state, writer: "main", key, keys, macKey, kept, clock: () => new Date() });
    const flippedSeconds = await findFlipped(state, publicKey);
    await state.close();
    const { seconds, peakBytes } = await run(process.execPath, [cliPath, "audit", "verify", "--state", place]);
    const work = "audit of 1,000,000 records";
    const figure = (value: number): string => `${rounded(value)} s`;
    return [
      { work, contender: "daypass audit verify, from the database", figure: figure(seconds) },
      {
        work,
        contender: "the bar: 20 s",
        figure: figure(BAR_SECONDS),
        ratio: seconds / BAR_SECONDS,
        bar: { atMost: 1 },
      },
      { work, contender: "one flipped byte located, in process", figure: figure(flippedSeconds) },
      { work, contender: "signing them", figure: figure(sealSeconds) },
      { work, contender: "memory of the verification", figure: `${rounded(peakBytes / 1e6)} MB` },
    ];
  } finally {
    folder.remove();
  }
}

async function fill(state: State, options: SealerOptions): Promise<number> {
  const facts = {
    by: "holder",
    result: "ok",
    link: "5dydZz2wBb1PmmEb6U7tsC",
    target: "files/report.pdf",
    bytes: 1000,
  } as const;
  for (let at = 0; at < RECORDS; at += AT_ONCE) {
    const batch = Array.from({ length: AT_ONCE }, (_, one) =>
      state.record({ action: "delivery.started", ...facts, delivery: `delivery-${at + one}`, address: "192.0.2.1" }),
    );
    await Promise.all(batch);
  }
  const { seal } = sealer(options);
  const begin = performance.now();
  await seal();
  return (performance.now() - begin) / 1000;
}

async function findFlipped(state: State, publicKey: string): Promise<number> {
  async function* flipped(): AsyncGenerator<string> {
    for await (const line of auditLines(state, { now: new Date() })) {
      yield line.includes(`"sequence":${FLIPPED},`) ? line.replace("report.pdf", "reporu.pdf") : line;
    }
  }
  const begin = performance.now();
  const { faults } = await verifyAudit(flipped(), { keys: publicKeys(publicKey) });
  const [fault, more] = faults;
  if (fault?.kind !== "changed" || fault.first !== FLIPPED || more !== undefined)
    throw new Error(`expected record ${FLIPPED} to be found, found ${JSON.stringify(faults)}`);
  return (performance.now() - begin) / 1000;
}
