import { describe, expect, it } from "vitest";
import { cases } from "./cases.ts";

describe("the build for Node", () => {
  it.each(cases)("$name", async ({ run, expected }) => {
    expect(await run()).toEqual(expected);
  });
});
