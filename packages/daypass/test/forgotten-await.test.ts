import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { asyncSigner } from "../src/core/signed-request.ts";
import type { SignedRequest } from "../src/index.ts";

describe("the promise of a signer", () => {
  const { sign } = asyncSigner<number>(async (request) => ({ url: `${request}` }) as SignedRequest);

  it("throws an error that names await when its url is read", () => {
    const promise = sign(1) as unknown as SignedRequest;
    expect(() => promise.url).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT", message: expect.stringContaining("Await it") }),
    );
  });

  it("behaves like any promise otherwise", async () => {
    const promise = sign(1);
    expect([JSON.stringify(promise), JSON.stringify({ ...promise }), inspect(promise)]).toEqual([
      "{}",
      "{}",
      expect.stringMatching(/^Promise \{/),
    ]);
    expect((await promise).url).toBe("1");
    expect(await promise.then(({ url }) => url)).toBe("1");
    expect(await Promise.all([promise, promise.finally(() => undefined)])).toHaveLength(2);
    expect("url" in promise.then(() => 1)).toBe(false);
  });

  it("leaves a promise that a signer returns twice readable", async () => {
    const kept = Promise.resolve({ url: "kept" } as SignedRequest);
    const again = asyncSigner<number>(() => kept);
    expect(await Promise.all([again.sign(1), again.sign(2)])).toEqual([{ url: "kept" }, { url: "kept" }]);
  });
});
