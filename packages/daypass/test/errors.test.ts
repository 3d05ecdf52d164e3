import { expect, it } from "vitest";
import { DaypassError, isDaypassError } from "../src/index.ts";

it("recognises errors of another copy of the library, and no other error of that name", () => {
  class Twin extends Error {
    override name = "DaypassError";
    readonly code = "EXPIRED";
  }
  expect([new DaypassError("EXPIRED", "ended"), new Twin()].map(isDaypassError)).toEqual([true, true]);
  const others = [
    DaypassError,
    { name: "DaypassError" },
    new Error("DaypassError"),
    { code: "EXPIRED" },
    null,
    undefined,
    "x",
  ];
  expect(others.map(isDaypassError)).toEqual(others.map(() => false));
});
