import { expect, test } from "vitest";
import { isUnchanged, mutate } from "../../../daypass/test/tamper/mutate.ts";
import { seeded, tamperSeed } from "../../../daypass/test/tamper/seeded.ts";
import { createGateway } from "../../src/gateway.ts";
import { BODY, bases, gatewayOptions } from "./bases.ts";
import { stubStorage } from "./stub-storage.ts";

const COUNT = Number(process.env["DAYPASS_TAMPER_COUNT"] ?? 1_000_000);

test("no tampered request gets past the gateway to the storage, and none makes it fail", async () => {
  const storage = stubStorage();
  let failures: unknown[] = [];
  const gateway = createGateway({
    ...gatewayOptions,
    storage,
    audit: ({ error }) => {
      if (error !== undefined) failures.push(error);
    },
  });
  const random = seeded(tamperSeed + 1);
  const judged = new Set(bases.map(({ request, judge }) => judge(request)));
  const requests = bases.map(({ request }) => request);
  const statuses = new Map<number, number>();
  const wrong: string[] = [];
  let tampered = 0;
  let total = 0;
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  while (tampered < COUNT) {
    const { request: original, judge } = random.pick(bases);
    const { request, mutation } = mutate(original, random, requests);
    if (isUnchanged(request, original)) continue;
    const isTampered = !judged.has(judge(request));
    if (isTampered) tampered += 1;
    total += 1;
    failures = [];
    const calls = storage.calls;
    const outcome = await gateway.handle(request, body());
    outcome.delivered(0, true);
    statuses.set(outcome.status, (statuses.get(outcome.status) ?? 0) + 1);
    const touched = storage.calls - calls;
    // A preflight is answered before authentication, and says nothing about any object.
    const refused = outcome.status >= 400 || request.method === "OPTIONS";
    if (failures.length > 0 || outcome.status === 500 || (isTampered && (touched > 0 || !refused))) {
      wrong.push(
        `${outcome.status}, ${touched} calls, ${String(failures[0])}, "${mutation}": ${JSON.stringify(request)}`,
      );
    }
  }
  Error.stackTraceLimit = stackTraceLimit;
  const rows = [...statuses].sort(([a], [b]) => a - b).map(([status, times]) => `${times} × ${status}`);
  process.stdout.write(
    `gateway.handle, seed ${tamperSeed + 1}: ${total} mutants, ${tampered} tampered; ${rows.join(", ")}\n`,
  );
  expect(wrong.slice(0, 5)).toEqual([]);
  await gateway.close();
}, 600_000);

async function* body(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(BODY);
}
