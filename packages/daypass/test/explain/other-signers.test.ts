import { type Cause, type ExplainOptions, explain } from "daypass/explain";
import { expect, it } from "vitest";
import { keys, type Sent, signed } from "./other-signers.ts";
import { type Row, rows } from "./other-signers-rows.ts";

/** The causes of one row: by the URL alone, with the status and the method, with the server's answer, with the key. */
async function levels([name, , , change, server, { key, now = "2026-11-24T12:05:00Z" } = {}]: Row) {
  const { method, url, headers = {}, key: keyName } = signed[name] as (typeof signed)[string];
  const made = { method, url, headers };
  const sent: Sent = { ...made, ...change(made) };
  const { status = 403, body } = server(sent);
  const request = { method: sent.method, headers: sent.headers };
  const answered = status === 0 ? {} : { status };
  const known: readonly ExplainOptions[] = [
    {},
    { ...answered, request: { method: sent.method } },
    { ...answered, request, errorBody: body },
    { ...answered, request, errorBody: body, keys: [key ?? (keys[keyName] as never)] },
  ];
  const clock = () => new Date(now);
  const causes = await Promise.all(
    known.map(async (options) => (await explain(sent.url, { clock, ...options })).cause),
  );
  return { causes, isRefused: status === 0 || status >= 300 };
}

/** Whether a higher level has another cause than a lower level that was certain. */
function contradicts(more: Cause | undefined, less: Cause | undefined): boolean {
  if (less === undefined || less.isGuess === true) return false;
  return more?.code !== less.code && more?.evidence.some((line) => line.includes(less.sentence)) !== true;
}

it.each(rows.map((row) => [row[0], row[1], row] as const))("explain of %s: %s", async (_, __, row) => {
  const { causes, isRefused } = await levels(row);
  expect(causes.map((cause) => cause?.code ?? "-").join(" ")).toBe(row[2]);
  expect(causes.at(-1)?.sentence ?? "").toMatch(row[5]?.says ?? /^/);
  const contradictions = causes.flatMap((more, i) => causes.slice(0, i).filter((less) => contradicts(more, less)));
  if (isRefused) expect(contradictions).toEqual([]);
});

it("has at least 80 rows of many signers", () => {
  expect(rows.length).toBeGreaterThanOrEqual(80);
  expect(new Set(rows.map(([name]) => name.split(" ")[0])).size).toBeGreaterThanOrEqual(10);
});
