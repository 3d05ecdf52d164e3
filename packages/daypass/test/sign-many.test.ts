import { describe, expect, it } from "vitest";
import { asyncSigner, signer } from "../src/core/signed-request.ts";
import { type SignedRequest, signMany } from "../src/index.ts";

/** A signer whose signatures end when the test says so, in any order. */
function manual() {
  const started: number[] = [];
  const ends = new Map<number, (error?: Error) => void>();
  const { sign, signMany } = asyncSigner<number>(
    (request) =>
      new Promise((resolve, reject) => {
        started.push(request);
        ends.set(request, (error) => (error ? reject(error) : resolve({ url: `${request}` } as SignedRequest)));
      }),
  );
  return { started, end: (request: number, error?: Error) => ends.get(request)?.(error), sign, signMany };
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
  "yields an error for a request that threw %s",
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
  it("signs sixteen requests at a time, and yields them in order", async () => {
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

  it("yields an error in the place of its item", async () => {
    const { signMany } = asyncSigner<number>(async (request) => {
      if (request % 7 === 3) throw new Error(`no ${request}`);
      return { url: `${request}` } as SignedRequest;
    });
    expect(await all(signMany(upTo(20)))).toEqual(
      numbers(20).map((text) => (Number(text) % 7 === 3 ? `no ${text}` : text)),
    );
  });

  it("yields the items before an error of the iterable, and then throws the error", async () => {
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

  it("closes the iterable and handles late rejections when the iteration ends early", async () => {
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

describe("signMany of any signer and any iterable", () => {
  const plain = asyncSigner<number>(async (request) => ({ url: `${request}` }) as SignedRequest);
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
  async function* later(count: number, taken: number[] = []): AsyncGenerator<number> {
    for (const i of upTo(count, taken)) yield await Promise.resolve(i);
  }

  it("yields every item once and in order, for synchronous and asynchronous iterables and signers", async () => {
    const atOnce = signer<number>((request) => ({ url: `${request}` }) as SignedRequest);
    for (const count of [0, 1, 15, 16, 17, 100]) {
      expect(await all(signMany(plain, later(count)))).toEqual(numbers(count));
      expect(await all(signMany(plain, upTo(count)))).toEqual(numbers(count));
      expect(await all(signMany(atOnce, later(count)))).toEqual(numbers(count));
    }
  });

  it("reads sixteen requests ahead, and none before the first read", async () => {
    const { started, end, sign } = manual();
    const taken: number[] = [];
    const items = signMany({ sign }, later(40, taken));
    await settled();
    expect(taken).toEqual([]);
    const first = items.next();
    await settled();
    expect(started).toHaveLength(16);
    expect(taken).toHaveLength(16);
    for (let i = 15; i >= 0; i--) end(i);
    for (const expected of ["0", "1", "2", "3"]) {
      const item = expected === "0" ? first : items.next();
      expect(shown((await item).value)).toBe(expected);
    }
    await settled();
    expect(taken.length).toBeLessThanOrEqual(20);
  });

  it("yields what is signed while the source waits for its next request", async () => {
    const asked: string[] = [];
    let answer: (() => void) | undefined;
    async function* dialogue(): AsyncGenerator<number> {
      for (let i = 0; i < 40; i++) {
        yield i;
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
      }
    }
    for await (const item of signMany(plain, dialogue())) {
      asked.push(shown(item));
      await settled();
      answer?.();
    }
    expect(asked).toEqual(numbers(40));
  });

  it("yields an error in the place of its item, and continues after a signer that returns nothing", async () => {
    const sign = (request: number): SignedRequest | undefined => {
      if (request === 1) throw "no 1";
      return request === 2 ? undefined : ({ url: `${request}` } as SignedRequest);
    };
    const items: unknown[] = [];
    for await (const item of signMany({ sign }, later(4))) items.push(item);
    expect(items).toEqual([{ url: "0" }, { error: new Error("no 1") }, undefined, { url: "3" }]);
  });

  it("yields the items before an error of the source, and then throws the error", async () => {
    async function* faulty(): AsyncGenerator<number> {
      yield* later(3);
      throw new Error("torn");
    }
    const texts: string[] = [];
    const reading = async (): Promise<void> => {
      for await (const item of signMany(plain, faulty())) texts.push(shown(item));
    };
    await expect(reading()).rejects.toThrow("torn");
    expect(texts).toEqual(["0", "1", "2"]);
  });

  it("waits for pending signatures when the source throws at once", async () => {
    const faulty = function* (): Generator<number> {
      yield 0;
      throw new Error("torn");
    };
    const { end, sign } = manual();
    const items = signMany({ sign }, faulty());
    const first = items.next();
    await settled();
    end(0);
    expect(shown((await first).value)).toBe("0");
    await expect(items.next()).rejects.toThrow("torn");
  });

  it("closes the source when the iteration ends early, and waits for the close", async () => {
    for (const source of [later, upTo]) {
      const taken: number[] = [];
      let closed = false;
      const requests = (async function* () {
        try {
          yield* source(40, taken);
        } finally {
          await settled();
          closed = true;
        }
      })();
      // The reader leaves while sixteen requests are pending.
      const { end, sign } = manual();
      const items = signMany({ sign }, requests);
      const first = items.next();
      await settled();
      end(0);
      await first;
      await items.return?.();
      expect(closed).toBe(true);
      expect(taken).toHaveLength(16);
    }
  });

  it("does not wait for the next request when the iteration ends early", async () => {
    async function* silent(): AsyncGenerator<number> {
      yield 0;
      await new Promise(() => undefined);
    }
    for await (const _ of signMany(plain, silent())) break;
  });

  it.each([undefined, null, 7, {}, { [Symbol.iterator]: 7 }])("refuses %o in place of an iterable", (requests) => {
    expect(() => signMany(plain, requests as never)).toThrow(
      expect.objectContaining({
        code: "INVALID_INPUT",
        message: expect.stringMatching(/^requests is .*Pass an iterable/),
      }),
    );
  });
});
