export { type Random, seeded } from "../../tools/seeded-random.ts";

/** The seed of this run: `DAYPASS_SEED`, or the committed one. */
export function runSeed(): number {
  return Number(process.env["DAYPASS_SEED"] ?? 20_261_124);
}

/** How many requests each oracle gets: `DAYPASS_COUNT`, or the committed number. */
export function runCount(): number {
  return Number(process.env["DAYPASS_COUNT"] ?? 4_000);
}
