import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { connectState, type Link, type State, serveState, sqliteState } from "@daypass/gateway/state";
import { median } from "./median.ts";
import { type Row, rounded } from "./row.ts";
import { temporaryFolder } from "./serve/temporary-folder.ts";

const IN_FLIGHT = 256;
const CLAIMS = 20_000;
const ROUNDS = 5;
const FEW = 1000;
const MANY = 1_000_000;

/** Claims by the button, and listings of the newest 100 links, in a state with few and with many links. */
export async function links(): Promise<readonly Row[]> {
  const folder = temporaryFolder();
  try {
    const inProcess = await sqliteState({ path: `${folder.path}/few.db` });
    await fill(inProcess, 0, Math.max(FEW, CLAIMS));
    const direct = await claimRate(inProcess, CLAIMS);
    await inProcess.close();
    const few = await measure(folder.path, "few", FEW);
    const many = await measure(folder.path, "many", MANY);
    const rate = (value: number): string => `${rounded(value)} /s`;
    const work = "durable claims over distinct links, 256 in flight";
    return [
      { work, contender: "SQLite, reached by a socket as from a worker", figure: rate(few.claims) },
      { work, contender: "the bar: 20,000 /s", figure: rate(20_000), ratio: few.claims / 20_000, bar: { atLeast: 1 } },
      { work, contender: "SQLite in the process of the caller", figure: rate(direct) },
      {
        work: "claims with 1,000,000 links",
        contender: "with 1,000 links",
        figure: rate(few.same),
        ratio: few.same / many.same,
        bar: { atMost: 1.5 },
      },
      {
        work: "the same, listings of 100 links",
        contender: "with 1,000 links",
        figure: rate(few.lists),
        ratio: few.lists / many.lists,
        bar: { atMost: 1.5 },
      },
    ];
  } finally {
    folder.remove();
  }
}

async function measure(
  folder: string,
  name: string,
  count: number,
): Promise<{ claims: number; same: number; lists: number }> {
  const [path, socket] = [`${folder}/${name}-${count}.db`, `${folder}/${name}.sock`];
  const filled = await sqliteState({ path });
  await fill(filled, 0, count);
  await filled.close();
  const owner = new Worker(new URL(import.meta.url), { workerData: { path, socket } });
  await once(owner, "message");
  const state = connectState({ path: socket });
  const lists: number[] = [];
  const same: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    lists.push(await rateOf(500, 16, () => state.listLinks({ limit: 100 })));
    // The same number of links in both states, spread over all of them.
    same.push(await claimRate(state, FEW, (at) => Math.floor((at * count) / FEW)));
  }
  await fill(state, count, CLAIMS);
  const claims = await claimRate(state, CLAIMS, (at) => count + at);
  await state.close();
  await owner.terminate();
  return { claims, same: median(same) ?? Number.NaN, lists: median(lists) ?? Number.NaN };
}

function claimRate(state: State, count: number, linkOf = (at: number): number => at): Promise<number> {
  return rateOf(count, IN_FLIGHT, async (at) => {
    const id = randomUUID();
    const result = await state.deliver(`link-${linkOf(at)}`, { type: "claim", claim: id, token: id, address: id });
    if (!result.ok) throw new Error(`a claim was refused: ${result.reason}`);
  });
}

async function fill(state: State, from: number, count: number): Promise<void> {
  const now = Date.now();
  await rateOf(count, 1000, (at) => state.createLink(linkAt(from + at, now), [variantOf(from + at)]));
}

function linkAt(at: number, now: number): Link {
  const times = {
    createdAt: now + at,
    startsAt: now - 1000,
    expiresAt: now + 1e9,
    revokedAt: undefined,
    suspended: undefined,
  };
  const target = { kind: "object", bucket: "files", key: `folder/file-${at}.bin`, etag: "e", size: 1000 } as const;
  const rules = { public: false, networks: [], preview: true, follow: false, maxDeliveries: 1000 };
  return { id: `link-${at}`, owner: "operator", version: 1, ...target, ...times, ...rules };
}

function variantOf(at: number) {
  const id = `link-${at}`;
  return { id, link: id, max: 1000, maxBytes: undefined, used: 0, givenBack: 0, held: 0, started: 0, completed: 0 };
}

/** Calls a second, with so many in flight. */
async function rateOf(count: number, inFlight: number, call: (at: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const begin = performance.now();
  const lane = async (): Promise<void> => {
    while (next < count) await call(next++);
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, lane));
  return count / ((performance.now() - begin) / 1000);
}

if (!isMainThread && workerData?.socket !== undefined) {
  const { path, socket } = workerData as { path: string; socket: string };
  await serveState(await sqliteState({ path }), socket);
  parentPort?.postMessage("ready");
}
