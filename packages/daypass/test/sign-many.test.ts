import { describe, expect, it } from "vitest";
import type { SignedRequest } from "../src/index.ts";
import { asyncSigner, signer } from "../src/signed-request.ts";

/** A signer whose signatures end when the test says so, in any order. */
function manual() {
  const started: number[] = [];
  const ends = new Map<number, (error?: Error) => void>();
  const { signMany } = asyncSigner<number>(
    (request) =>
      new Promise((resolve, reject) => {
        started.push(request);
        ends.set(request, (error) => (error ? reject(error) : resolve({ url: `${request}` } as SignedRequest)));
      }),
  );
  return { started, end: (request: number, error?: Error) => ends.get(request)?.(error), signMany };
}

function* upTo(count: number, taken: number[] = []): Generator<number> {
  for (let i = 0; i < count; i++) {
    taken.push(i);
    yield i;
  }
}
const shown = (item: unknown): string => {
  const { url, error } = item as { url?: string; error?: Error };
  return url ?? String(error?.message);
};
const all = async (items: AsyncIterable<unknown>): Promise<readonly string[]> => {
  const texts: string[] = [];
  for await (const item of items) texts.push(shown(item));
  return texts;
};
const numbers = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `${i}`);

// A clock or a provider of credentials may throw anything.
it.each(["out of order", 7, undefined, Symbol("s"), { code: 7 }])(
  "has an error in the place of what threw %s",
  async (thrown) => {
    const throws = (): never => {
      throw thrown;
    };
    const items = [...signer<number>(throws).signMany([1])];
    for await (const item of asyncSigner<number>(async () => throws()).signMany([1])) items.push(item);
    expect(items.map((item) => "error" in item && item.error.message)).toEqual([String(thrown), String(thrown)]);
    expect(items.every((item) => "error" in item && item.error instanceof Error)).toBe(true);
  },
);

describe("signMany of a signer with promises", () => {
  it("has sixteen signatures under way, and yields them in order whichever ends first", async () => {
    const { started, end, signMany } = manual();
    const taken: number[] = [];
    const items = signMany(upTo(40, taken))[Symbol.asyncIterator]();
    const first = items.next();
    expect(started).toHaveLength(16);
    for (let i = 15; i >= 0; i--) end(i);
    expect(shown((await first).value)).toBe("0");
    for (let i = 1; i <= 16; i++) {
      const next = items.next();
      expect(started).toHaveLength(16 + i);
      end(i);
      expect(shown((await next).value)).toBe(`${i}`);
    }
    expect(taken).toHaveLength(32);
  });

  it("yields every item once, for any number of them", async () => {
    const { signMany } = asyncSigner<number>(async (request) => ({ url: `${request}` }) as SignedRequest);
    for (const count of [0, 1, 15, 16, 17, 100]) expect(await all(signMany(upTo(count)))).toEqual(numbers(count));
  });

  it("puts an error in the place of its item", async () => {
    const { signMany } = asyncSigner<number>(async (request) => {
      if (request % 7 === 3) throw new Error(`no ${request}`);
      return { url: `${request}` } as SignedRequest;
    });
    expect(await all(signMany(upTo(20)))).toEqual(
      numbers(20).map((text) => (Number(text) % 7 === 3 ? `no ${text}` : text)),
    );
  });

  it("signs what came before a fault of the iterable, and then passes the fault on", async () => {
    function* faulty(): Generator<number> {
      yield* [0, 1, 2];
      throw new Error("torn");
    }
    const { signMany } = asyncSigner<number>(async (request) => ({ url: `${request}` }) as SignedRequest);
    const texts: string[] = [];
    const reading = async (): Promise<void> => {
      for await (const item of signMany(faulty())) texts.push(shown(item));
    };
    await expect(reading()).rejects.toThrow("torn");
    expect(texts).toEqual(["0", "1", "2"]);
  });

  it("leaves no unhandled rejection and no open iterable where the iteration is given up", async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", listen);
    try {
      const { started, end, signMany } = manual();
      let closed = false;
      const requests = (function* () {
        try {
          yield* upTo(40);
        } finally {
          closed = true;
        }
      })();
      const items = signMany(requests)[Symbol.asyncIterator]();
      const first = items.next();
      end(0);
      await first;
      await items.return?.();
      expect(closed).toBe(true);
      for (const request of started) end(request, new Error("too late"));
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).toEqual([]);
      expect(started).toHaveLength(16);
    } finally {
      process.off("unhandledRejection", listen);
    }
  });
});
