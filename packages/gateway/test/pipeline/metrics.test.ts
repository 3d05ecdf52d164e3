import { expect, it } from "vitest";
import { countersOf, metrics, metricsText, sumOf } from "../../src/pipeline/metrics.ts";

it("sums counters, gauges and histograms by series", () => {
  const one = metrics();
  one.add("refusals_total", 2, 'code="BUSY"');
  one.observe("request_duration_seconds", 0.002);
  const other = metrics();
  other.add("refusals_total", 1, 'code="BUSY"');
  other.add("refusals_total", 1, 'code="REVOKED"');
  other.observe("request_duration_seconds", 70);
  const text = metricsText(
    sumOf([
      { ...one.snapshot(), in_flight: [1], outbox_waiting: [7] },
      { ...other.snapshot(), in_flight: [2], outbox_waiting: [6] },
    ]),
  );
  for (const line of [
    "# TYPE daypass_refusals_total counter",
    'daypass_refusals_total{code="BUSY"} 3',
    'daypass_refusals_total{code="REVOKED"} 1',
    "daypass_in_flight 3",
    "# TYPE daypass_outbox_waiting gauge",
    "daypass_outbox_waiting 7",
    'daypass_request_duration_seconds_bucket{le="0.001"} 0',
    'daypass_request_duration_seconds_bucket{le="0.005"} 1',
    'daypass_request_duration_seconds_bucket{le="+Inf"} 2',
    "daypass_request_duration_seconds_sum 70.002",
    "daypass_request_duration_seconds_count 2",
  ])
    expect(text).toContain(`${line}\n`);
});

it("keeps the counters of a process that ended, and drops its gauges", () => {
  expect(countersOf({ in_flight: [4], sent_bytes_total: [9] })).toEqual({ sent_bytes_total: [9] });
});
