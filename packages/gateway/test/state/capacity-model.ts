/** The model behind the table of docs/guide/replicas.md. */

/** The life of an average link. */
export const life = {
  days: 7,
  /** Share of links with a limit of deliveries. */
  counted: 0.5,
  /** Deliveries of a counted link, each with the page before it. */
  deliveries: 3,
  /** Plain reads of another link. */
  reads: 10,
  /** Share of links that are revoked. */
  revoked: 0.01,
} as const;

/** Bytes on disk of one row with its indexes, as the simulation measures them. */
export const bytes = { link: 900, delivery: 850, record: 500, revocation: 400 } as const;

/** What one link causes in its life. */
export const each = {
  requests: life.counted * life.deliveries * 2 + (1 - life.counted) * life.reads,
  claims: life.counted * life.deliveries,
  // Created, revoked; started and completed for each delivery; plain reads.
  records: 1 + life.revoked + life.counted * life.deliveries * 2 + (1 - life.counted) * life.reads,
  revocations: life.revoked,
} as const;

/** A day with this many open links. */
export function day(links: number) {
  const made = links / life.days;
  const grown =
    made *
    (bytes.link + each.claims * bytes.delivery + each.records * bytes.record + each.revocations * bytes.revocation);
  return {
    requests: made * each.requests,
    claims: made * each.claims,
    records: made * each.records,
    revocations: made * each.revocations,
    bytes: grown,
    /** Five times the average. */
    peakClaims: (made * each.claims * 5) / 86_400,
  };
}

/** The rows of the documented table. */
export function documentedTable(): string {
  const number = (value: number): string =>
    Number(value.toPrecision(2)).toLocaleString("en", { maximumFractionDigits: 3 });
  const size = (value: number): string => {
    const unit = Math.max(0, Math.min(4, Math.floor(Math.log10(value) / 3)));
    return `${number(value / 1000 ** unit)} ${["B", "kB", "MB", "GB", "TB"][unit]}`;
  };
  return [1e3, 1e6, 1e9]
    .map((links) => {
      const { requests, claims, records, revocations, bytes: grown, peakClaims } = day(links);
      const cells = [requests, claims, records, revocations].map(number);
      return `| ${links.toLocaleString("en")} | ${[...cells, size(grown), `${number(peakClaims)} /s`].join(" | ")} |`;
    })
    .join("\n");
}
