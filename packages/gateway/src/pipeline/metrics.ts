/** Counts of a process, their sum over the processes of a gateway, and the text that Prometheus reads. */
import type { AccessEvent } from "./access-log.ts";

/** The name of a metric, without the prefix `daypass_`. */
export type MetricName =
  | "requests_total"
  | "refusals_total"
  | "decisions_total"
  | "sent_bytes_total"
  | "cut_total"
  | "in_flight"
  | "request_duration_seconds"
  | "verify_duration_seconds"
  | "state_duration_seconds"
  | "deliveries_total"
  | "state_unavailable"
  | "audit_stopped"
  | "revocations_age_seconds"
  | "outbox_waiting"
  | "outbox_dead";

/**
 * Every metric. A new one is a name above, a row here, and a call of `add`, `observe` or `set`. Every process knows the same value of a `shared`
 * gauge, so the highest counts, not the sum.
 */
const FAMILIES: Readonly<
  Record<MetricName, readonly [type: "counter" | "gauge" | "shared" | "histogram", help: string]>
> = {
  requests_total: ["counter", "Requests answered."],
  refusals_total: ["counter", "Requests refused, by code."],
  decisions_total: ["counter", "Requests by scheme and code; ok: served."],
  sent_bytes_total: ["counter", "Bytes of bodies sent."],
  cut_total: ["counter", "Responses that were cut."],
  in_flight: ["gauge", "Requests under way."],
  request_duration_seconds: ["histogram", "From the head of a request to the last byte of its answer."],
  verify_duration_seconds: ["histogram", "From the head of a request to its verified signature, by scheme."],
  state_duration_seconds: ["histogram", "Calls of the state, by method; claim and start are deliveries."],
  deliveries_total: ["counter", "Decisions about deliveries, by command and result."],
  state_unavailable: ["shared", "1 while the state does not answer."],
  audit_stopped: [
    "shared",
    "1 while the audit is not signed, because the state disagrees with what the gateway keeps.",
  ],
  revocations_age_seconds: ["shared", "Since the list of revocations was last read."],
  outbox_waiting: ["shared", "Notifications that wait."],
  outbox_dead: ["shared", "Notifications that were given up."],
};

/** Upper bounds of every histogram, in seconds. */
const BOUNDS = [0.0001, 0.0005, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];

/**
 * The values of a process by series, such as `requests_total{method="GET"}`, as JSON can carry them: one number, or the counts of a
 * histogram's intervals and the sum of its observations.
 */
export type MetricsSnapshot = Readonly<Record<string, readonly number[]>>;

/** Counts of this process. No label may contain text that a client chose, because each value becomes a series. */
export interface Metrics {
  /** Adds a finished request. */
  count(event: AccessEvent): void;
  /** Adds to a counter. `labels` are in the format of Prometheus, such as `code="KEY_SCOPE"`. */
  add(name: MetricName, value: number, labels?: string): void;
  /** Adds an observation, in seconds, to a histogram. */
  observe(name: MetricName, seconds: number, labels?: string): void;
  /** Replaces the value of a shared gauge. */
  set(name: MetricName, value: number): void;
  /** The present values. */
  snapshot(): MetricsSnapshot;
}

/** Starts the counts. */
export function metrics(): Metrics {
  const series = new Map<string, number[]>();
  const valuesOf = (name: MetricName, labels: string, length: number): number[] => {
    const key = labels === "" ? name : `${name}{${labels}}`;
    const values = series.get(key) ?? new Array<number>(length).fill(0);
    series.set(key, values);
    return values;
  };
  const add = (name: MetricName, value: number, labels = ""): void => {
    const values = valuesOf(name, labels, 1);
    values[0] = (values[0] ?? 0) + value;
  };
  const observe = (name: MetricName, seconds: number, labels = ""): void => {
    const values = valuesOf(name, labels, BOUNDS.length + 2);
    const bound = BOUNDS.findIndex((most) => seconds <= most);
    const interval = bound < 0 ? BOUNDS.length : bound;
    values[interval] = (values[interval] ?? 0) + 1;
    values[BOUNDS.length + 1] = (values[BOUNDS.length + 1] ?? 0) + seconds;
  };
  return {
    add,
    observe,
    set: (name, value) => void series.set(name, [value]),
    count({ scheme = "none", method, status, code, bytes, complete, duration }) {
      const label = METHODS.has(method) ? method : "other";
      add("requests_total", 1, `scheme="${scheme}",method="${label}",status="${status}"`);
      add("decisions_total", 1, `scheme="${scheme}",code="${code ?? "ok"}"`);
      if (code !== undefined) add("refusals_total", 1, `code="${code}"`);
      add("sent_bytes_total", bytes);
      add("cut_total", complete ? 0 : 1);
      observe("request_duration_seconds", duration / 1000);
    },
    snapshot: () => Object.fromEntries(series),
  };
}

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]);

/** Adds up the values of several processes. */
export function sumOf(snapshots: readonly MetricsSnapshot[]): MetricsSnapshot {
  const sums = new Map<string, readonly number[]>();
  for (const snapshot of snapshots) {
    for (const [key, values] of Object.entries(snapshot))
      sums.set(key, sums.get(key)?.map((sum, i) => joined(key, sum, values[i] ?? 0)) ?? values);
  }
  return Object.fromEntries(sums);
}

function joined(key: string, one: number, other: number): number {
  return FAMILIES[nameOf(key)]?.[0] === "shared" ? Math.max(one, other) : one + other;
}

/** The values that a process leaves behind: its counters and histograms, but no gauges. */
export function countersOf(snapshot: MetricsSnapshot): MetricsSnapshot {
  return Object.fromEntries(Object.entries(snapshot).filter(([key]) => !GAUGES.has(FAMILIES[nameOf(key)]?.[0] ?? "")));
}

const GAUGES: ReadonlySet<string> = new Set(["gauge", "shared"]);

/** Formats values for Prometheus. */
export function metricsText(snapshot: MetricsSnapshot): string {
  const series = Object.entries(snapshot);
  return (Object.keys(FAMILIES) as MetricName[])
    .map((name) => {
      const [type, help] = FAMILIES[name];
      const own = series.filter(([key]) => nameOf(key) === name);
      const text = own.map(([key, values]) => {
        const labels = key.slice(name.length + 1, -1);
        return type === "histogram" ? histogramText(name, labels, values) : `daypass_${key} ${values[0]}\n`;
      });
      return `# HELP daypass_${name} ${help}\n# TYPE daypass_${name} ${type === "shared" ? "gauge" : type}\n${text.join("")}`;
    })
    .join("");
}

function histogramText(name: MetricName, labels: string, values: readonly number[]): string {
  const before = labels === "" ? "" : `${labels},`;
  const after = labels === "" ? "" : `{${labels}}`;
  let total = 0;
  const buckets = [...BOUNDS, "+Inf"].map((bound, i) => {
    total += values[i] ?? 0;
    return `daypass_${name}_bucket{${before}le="${bound}"} ${total}\n`;
  });
  return `${buckets.join("")}daypass_${name}_sum${after} ${values.at(-1)}\ndaypass_${name}_count${after} ${total}\n`;
}

function nameOf(key: string): MetricName {
  return key.split("{", 1)[0] as MetricName;
}
