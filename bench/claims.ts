import { type Link, postgresState, type State } from "@daypass/gateway/state";
import { median } from "./median.ts";
import { type Row, rounded, skipped } from "./row.ts";
import { postgres } from "./serve/postgres.ts";

const WORK = "claims on one hot link, PostgreSQL";
const SECONDS = 3;
const ROUNDS = 5;
const DAY = 24 * 60 * 60_000;

const link = (id: string): Link => ({
  ...{ id, public: false, kind: "object", bucket: "media", key: "a", owner: "operator", version: 1 },
  ...{ createdAt: 1, startsAt: 1, expiresAt: Date.now() + DAY, networks: [], preview: true, follow: false },
  ...{ revokedAt: undefined, suspended: undefined },
});

/** The least that a claim can be: one statement that counts and inserts, with its own commit. It refuses no repetition and records nothing. */
const ONE = `WITH counted AS (UPDATE daypass.variant SET used = used + 1, started = started + 1 WHERE id = 'each' AND used < max RETURNING id)
  INSERT INTO daypass.delivery SELECT $1, id, id, $1, 'started', 0, $1, 0, 0, 'e', 10, 10, '[]', NULL FROM counted`;

/** Durable claims that start a delivery of one hot link: joined, and with one commit each over 8 and over 32 connections. */
export async function claims(): Promise<readonly Row[]> {
  const server = await postgres();
  if (typeof server === "string") return [skipped(WORK, "one commit each", server)];
  const open = (connections: number): Promise<State> => postgresState({ url: server.url, connections });
  const state = await open(8);
  // A state with one connection and one claim in flight has nothing to join.
  const alone = await Promise.all(Array.from({ length: 32 }, () => open(1)));
  try {
    const counters = { max: 1e9, maxBytes: undefined, used: 0, givenBack: 0, held: 0, started: 0, completed: 0 };
    for (const id of ["hot", "each"]) await state.createLink(link(id), [{ id, link: id, ...counters }]);
    const each = async (name: string): Promise<void> => void (await server.query(ONE, [name]));
    const claim = async (by: State, name: string): Promise<void> => {
      const { ok } = await by.deliver("hot", {
        ...{ type: "claim", claim: `c${name}`, token: `t${name}`, address: name },
        start: { attempt: `s${name}`, length: 10, object: { etag: "e", size: 10 } },
      });
      if (!ok) throw new Error("a claim of the bench was refused");
    };
    const rates: readonly [number[], number[], number[], number[]] = [[], [], [], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      rates[0].push(await rateOf((name) => claim(state, name), 256));
      for (const [at, lanes] of [8, 32].entries()) {
        rates[at + 1]?.push(await rateOf((name, lane) => claim(alone[lane] as State, name), lanes));
      }
      rates[3].push(await rateOf(each, 32));
    }
    const [together = 0, eight = 0, thirtyTwo = 0, bare = 0] = rates.map(median);
    const row = (contender: string, rate: number): Row => {
      return { work: WORK, contender, figure: `${rounded(rate)} /s`, ratio: together / rate };
    };
    return [
      { work: WORK, contender: "daypass, joined, 256 in flight", figure: `${rounded(together)} /s` },
      row("one commit each, 8 connections", eight),
      row("one commit each, 32 connections", thirtyTwo),
      { ...row("the better of both", Math.max(eight, thirtyTwo)), bar: { atLeast: 8 } },
      row("a bare UPDATE and INSERT with one commit each, 32 connections", bare),
    ];
  } finally {
    await Promise.all([state, ...alone].map((one) => one.close()));
    await server.stop();
  }
}

let at = 0;

async function rateOf(claim: (name: string, lane: number) => Promise<void>, inFlight: number): Promise<number> {
  const end = performance.now() + SECONDS * 1000;
  let count = 0;
  const run = async (_: unknown, lane: number): Promise<void> => {
    for (; performance.now() < end; count += 1) await claim(String(at++), lane);
  };
  await Promise.all(Array.from({ length: inFlight }, run));
  return count / SECONDS;
}
