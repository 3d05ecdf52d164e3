import { expect, it } from "vitest";
import { heldMemory } from "../../src/storage/s3/held-memory.ts";
import { codeOf } from "../../src/testing/contract-tools.ts";

it("makes bodies of known length wait in order, exempts one, and refuses the others after a timeout", async () => {
  const heldBytes = heldMemory(100, { waitMs: 100 });
  const [endless, ...ending] = [heldBytes(), heldBytes(), heldBytes(), heldBytes()] as const;
  const [first, second, third] = ending;
  endless.hold(40);
  for (const upload of ending) await upload.holdInTurn(20);
  expect(() => endless.hold(1)).toThrow(expect.objectContaining({ code: "UNAVAILABLE" }));
  // All have begun, and none could continue.
  await first.holdInTurn(20);
  await first.holdInTurn(20);
  const order: string[] = [];
  const large = second.holdInTurn(70).then(() => order.push("second"));
  const small = third.holdInTurn(5).then(() => order.push("third"));
  await Promise.resolve();
  expect(order).toEqual([]);
  first.release();
  await large;
  expect(order).toEqual(["second"]);
  await expect(small).rejects.toMatchObject({ code: "UNAVAILABLE" });
  second.release();
  await third.holdInTurn(40);
  for (const upload of [endless, third]) upload.release();
  await heldBytes().holdInTurn(100);
});

it("skips an aborted upload in the queue", async () => {
  const heldBytes = heldMemory(100);
  const [full, favoured, third] = [heldBytes(), heldBytes(), heldBytes()];
  full.hold(100);
  await favoured.holdInTurn(50);
  const end = new AbortController();
  const gone = codeOf(heldBytes().holdInTurn(50, end.signal));
  const behind = third.holdInTurn(30);
  end.abort();
  expect(await gone).toBe("INCOMPLETE_BODY");
  expect(await codeOf(heldBytes().holdInTurn(50, end.signal))).toBe("INCOMPLETE_BODY");
  favoured.release();
  await behind;
  for (const upload of [full, third]) upload.release();
  await heldBytes().holdInTurn(100);
});
