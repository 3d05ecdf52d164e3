import type { AuditEvent } from "./audit.ts";

/** Upper bounds of the duration's buckets, seconds. */
const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];

/** Counts of this process, in the text format that Prometheus reads. */
export interface Metrics {
  /** Adds a request that is over. */
  count(event: AuditEvent): void;
  /** All counts in the text format of Prometheus. */
  text(now: { readonly inFlight: number }): string;
}

/** No label comes from what a client can write freely: each would be a series of its own. */
export function metrics(): Metrics {
  const requests = new Map<string, number>();
  const refusals = new Map<string, number>();
  const durations = new Array<number>(BUCKETS.length + 1).fill(0);
  let seconds = 0;
  let bytes = 0;
  let incomplete = 0;

  return {
    count(event) {
      increment(
        requests,
        `scheme="${event.scheme ?? "none"}",method="${methodLabel(event.method)}",status="${event.status}"`,
      );
      if (event.code !== undefined) increment(refusals, `code="${event.code}"`);
      const duration = event.duration / 1000;
      const bucket = BUCKETS.findIndex((bound) => duration <= bound);
      const at = bucket < 0 ? BUCKETS.length : bucket;
      durations[at] = (durations[at] ?? 0) + 1;
      seconds += duration;
      bytes += event.bytes;
      if (!event.complete) incomplete += 1;
    },
    text({ inFlight }) {
      let total = 0;
      const histogram = durations.map((count, i) => {
        total += count;
        return `daypass_request_duration_seconds_bucket{le="${BUCKETS[i] ?? "+Inf"}"} ${total}\n`;
      });
      return [
        family("daypass_requests_total", "counter", "Requests answered.", series("daypass_requests_total", requests)),
        family(
          "daypass_refusals_total",
          "counter",
          "Requests refused, by code.",
          series("daypass_refusals_total", refusals),
        ),
        family("daypass_sent_bytes_total", "counter", "Bytes of bodies sent.", `daypass_sent_bytes_total ${bytes}\n`),
        family("daypass_cut_total", "counter", "Responses that were cut.", `daypass_cut_total ${incomplete}\n`),
        family("daypass_in_flight", "gauge", "Requests under way.", `daypass_in_flight ${inFlight}\n`),
        family(
          "daypass_request_duration_seconds",
          "histogram",
          "From the head of a request to the last byte of its answer.",
          `${histogram.join("")}daypass_request_duration_seconds_sum ${seconds}\ndaypass_request_duration_seconds_count ${total}\n`,
        ),
      ].join("");
    },
  };
}

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]);

function methodLabel(method: string): string {
  return METHODS.has(method) ? method : "other";
}

function increment(counts: Map<string, number>, labels: string): void {
  counts.set(labels, (counts.get(labels) ?? 0) + 1);
}

function series(name: string, counts: ReadonlyMap<string, number>): string {
  let text = "";
  for (const [labels, count] of counts) text += `${name}{${labels}} ${count}\n`;
  return text;
}

function family(name: string, type: string, help: string, lines: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines}`;
}
