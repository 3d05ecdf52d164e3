import { type ExplainOptions, explain } from "daypass/explain";
import { describe, expect, it } from "vitest";
import { search, searchEach, type Variant } from "../../src/explain/search/search.ts";
import { budget, workOf } from "../../src/explain/search/work.ts";
import { signed } from "./other-signers.ts";
import { samples, soon } from "./signed-urls.ts";

const ALL = budget().left;

/** Variants without end, and a check that never fits and counts its calls. */
function endless() {
  let calls = 0;
  function* variantsOf(input: number): Generator<Variant<number>> {
    for (let next = input; ; next++) yield { code: "QUERY", input: next, signed: "", seen: "", fix: "" };
  }
  return { variantsOf, fits: () => ++calls < 0, calls: () => calls };
}

describe("the work of a search", () => {
  it.each([0, 500, 16_000])("ends with the budget for texts of %i bytes", (bytes) => {
    const { variantsOf, fits, calls } = endless();
    const { isCut } = search(
      { inputs: [1], fits },
      { variantsOf, view: "signed", work: workOf(budget(), bytes, false) },
    );
    expect(isCut).toBe(true);
    expect(calls() * bytes).toBeLessThanOrEqual(ALL);
    expect(calls()).toBeLessThanOrEqual(ALL / 1000 + 1);
    expect(calls()).toBeGreaterThan(500);
  });

  it("is shared by several keys, and by several readings of one URL", async () => {
    const counts = [endless(), endless(), endless()];
    const variantsOf = endless().variantsOf;
    const from = budget();
    for (const isSecond of [false, true]) {
      const searches = counts.map(({ fits }) => ({ inputs: [1], fits }));
      await searchEach(searches, { variantsOf, view: "signed", work: workOf(from, 500, isSecond) });
    }
    const calls = counts.map((one) => one.calls());
    expect(Math.min(...calls)).toBeGreaterThan(0.9 * Math.max(...calls));
    expect(calls.reduce((a, b) => a + b) * 500).toBeLessThanOrEqual(ALL);
  });
});

const WRONG = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wrong" };
const url = signed["boto3 get"]?.url ?? "";
const names = Array.from({ length: 1600 }, (_, i) => `%3Bx-h${i}`).join("");

it.each([
  ["a path of 15,000 zero-width spaces", url.replace("/a/b.txt", `/${"\u200b".repeat(15_000)}`)],
  ["1,600 signed headers", url.replace("SignedHeaders=host", `SignedHeaders=host${names}`)],
  ["900 parameters", `${url}${"&a=b".repeat(900)}`],
  ["a key of a megabyte", url.replace("b.txt", "b".repeat(1_000_000))],
])("explain tries no more than the budget with %s", async (_, given) => {
  const { hypotheses = [], cause } = await explain(given, {
    clock: () => new Date("2026-11-24T12:05:00Z"),
    keys: [WRONG],
  });
  const tried = hypotheses.reduce((sum, one) => sum + one.tried, 0);
  expect(tried * given.length).toBeLessThanOrEqual(ALL);
  expect(cause?.evidence.join(" ")).toContain("Not every change was tried");
});

const LONG = `${"a".repeat(50_000)}.example.com`;

describe.each(samples.map((one) => [one.name, one] as const))(
  "explain of %s with a host of 50,000 characters",
  (_, one) => {
    it.each<[string, (url: string) => [url: string, more?: ExplainOptions]]>([
      ["in the URL", (url) => [url.replace(/(?<=:\/\/)[^/]+/, LONG)]],
      ["as another name of the server", (url) => [url, { hosts: [LONG] }]],
      ["in the Host header", (url) => [url, { request: { headers: { host: LONG } } }]],
    ])("tries no more than the budget: %s", async (_, ask) => {
      const [given, more] = ask((await one.sign()).url.replace(/(?<=\/[^/?]*)[a-z](?=[^/?]*\?)/, "x"));
      const { hypotheses = [] } = await explain(given, { clock: soon, keys: [one.key], ...more });
      const tried = hypotheses.reduce((sum, hypothesis) => sum + hypothesis.tried, 0);
      expect(tried * LONG.length).toBeLessThanOrEqual(ALL);
    });
  },
);

it("explain does not search a URL that servers cannot read", async () => {
  const { hypotheses, cause } = await explain(signed["boto3 too long"]?.url ?? "", {
    ...{ clock: () => new Date("2026-11-24T12:05:00Z"), keys: [WRONG], request: { method: "GET", headers: {} } },
  });
  expect(cause?.code).toBe("MALFORMED");
  expect(hypotheses).toEqual([]);
});
