import { type Cause, explain } from "daypass/explain";
import { describe, expect, it } from "vitest";
import { credentials } from "./broken-requests.ts";
import { fieldCases, foreign, now } from "./field-cases.ts";

const clock = () => now;

describe("what people have asked in public", () => {
  it.each(fieldCases)("$what ($threads)", async ({ url, options, cause, says, never }) => {
    const told = await explain(url, { clock, ...options });
    const { sentence, code, fix } = told.cause as Cause;
    expect(sentence).toMatch(says);
    expect(code).toBe(cause);
    if (never !== undefined) expect(`${sentence} ${fix}`).not.toMatch(never);
    expect(JSON.stringify(told)).not.toContain(credentials.secretAccessKey);
  });

  it.each(foreign)("says what a URL is that is signed in no scheme: $threads", async ({ url, says }) => {
    await expect(explain(url, { clock })).rejects.toMatchObject({
      code: "NO_SIGNATURE",
      message: expect.stringMatching(says),
    });
  });

  it("comes from many threads", () => {
    const threads = new Set([...fieldCases, ...foreign].flatMap(({ threads }) => threads.split(", ")));
    expect(threads.size).toBeGreaterThanOrEqual(80);
    for (const thread of threads) expect(thread).toMatch(/^[\w.-]+\/[\w.-]+#\d+$/);
  });
});
