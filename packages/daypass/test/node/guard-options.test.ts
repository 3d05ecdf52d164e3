import { expect, it } from "vitest";
import { guardNode } from "../../src/adapters/node/index.ts";
import type { Verifier } from "../../src/index.ts";

const verifier: Verifier = { detects: () => false, verify: () => Promise.reject(new Error("never")) };

it.each([-1, 1.5, Number.NaN, "1" as never])("refuses %s trusted proxies", (trustedHops) => {
  const make = () => guardNode(verifier, () => undefined, { trustedHops });
  expect(make).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
});

it.each([undefined, 0, 1])("accepts %s trusted proxies", (trustedHops) => {
  expect(guardNode(verifier, () => undefined, { trustedHops })).toBeTypeOf("function");
});

it("makes what restify takes, which starts with no `async` handler of three parameters", () => {
  const guard = guardNode(verifier, () => undefined);
  expect([guard.length, guard.constructor.name]).toEqual([3, "Function"]);
});
