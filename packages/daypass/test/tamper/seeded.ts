export { type Random, seeded } from "../../../../tools/seeded-random.ts";

/** `DAYPASS_TAMPER_SEED`, or the committed seed. */
export const tamperSeed = Number(process.env["DAYPASS_TAMPER_SEED"] ?? 20_261_124);

/** Tampered requests by suite. Suites that are not listed make {@link USUAL}. */
const counts: Readonly<Record<string, number>> = {
  ...{ s3: 700_000, "s3/v2": 300_000, "s3/v4a": 12_000, "s3/header": 20_000, "s3/v2/header": 20_000 },
  ...{ "s3/express": 60_000, "s3/form": 30_000, "s3/form/v2": 20_000 },
  ...{ "gcs/form, HMAC": 10_000, "gcs/form, account": 5_000 },
  ...{ "gcs, HMAC": 60_000, "gcs, account": 20_000, "gcs/v2, HMAC": 40_000, "gcs/v2, account": 20_000 },
  ...{ azure: 60_000, "azure, account": 30_000, "azure, user delegation": 30_000 },
  ...{ oss: 60_000, "oss/v1": 60_000, cos: 60_000, swift: 60_000, cloudfront: 30_000, url: 330_000 },
  ...{ "media-cdn": 3_000, "media-cdn, prefix": 3_000, "media-cdn, cookie": 3_000 },
};
const USUAL = 8_000;
/** All tampered requests of the listed suites. */
export const tamperTotal: number = Object.values(counts).reduce((sum, count) => sum + count, 0);

/** How many tampered requests a suite makes: its own number, or its share of `DAYPASS_TAMPER_COUNT`. */
export function tamperCount(suite: string): number {
  const asked = process.env["DAYPASS_TAMPER_COUNT"];
  const own = counts[suite] ?? USUAL;
  return asked === undefined ? own : Math.ceil((Number(asked) * own) / tamperTotal);
}
