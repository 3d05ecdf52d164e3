import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { macChecker, recordMacs } from "../../src/state/contract/commit-mac.ts";

/** Numbers of records that end a commit; the others have no MAC. */
const HISTORY = [
  { writer: "a", first: 1, last: 7, ends: [1, 3, 4, 7] },
  // Retention has removed the records below.
  { writer: "b", first: 9, last: 11, ends: [10, 11] },
] as const;

it("gives a signed history MACs of another key, which continue after each head from the MAC in the head", () => {
  const heads = new Map([
    ["a 3", "the MAC in a head"],
    ["a 7", ""],
    ["b 8", "the MAC in the head of a cut"],
  ]);
  const key = randomBytes(32);
  const macs = recordMacs(key, heads);
  for (const { writer, first, last, ends } of HISTORY) {
    const [checker, otherKey] = [macChecker(key, writer), macChecker(randomBytes(32), writer)];
    for (let sequence = first; sequence <= last; sequence += 1) {
      const head = heads.get(`${writer} ${sequence - 1}`);
      if (head !== undefined) for (const one of [checker, otherKey]) one.restart(head);
      const isEnd = (ends as readonly number[]).includes(sequence);
      const record = `{"n":${sequence}}`;
      const mac = macs(writer, sequence, record, isEnd) ?? undefined;
      expect([sequence, mac === undefined, checker.accepts({ sequence, record, mac })]).toEqual([
        sequence,
        !isEnd,
        true,
      ]);
      expect(otherKey.accepts({ sequence, record, mac })).toBe(!isEnd);
    }
  }
});
