import { expect } from "vitest";
import { isUnchanged, mutate } from "../../../daypass/test/tamper/mutate.ts";
import { seeded, tamperSeed } from "../../../daypass/test/tamper/seeded.ts";
import { createGateway } from "../../src/gateway.ts";
import { BODY, bases, gatewayOptions } from "./bases.ts";
import { stubStorage } from "./stub-storage.ts";

/** Sends tampered requests to a gateway over a stub. None may reach the storage or make the gateway fail. */
export async function tamperWithHandle(count: number): Promise<void> {
  const storage = stubStorage();
  let failures: unknown[] = [];
  const gateway = createGateway({
    ...gatewayOptions,
    storage,
    accessLog: ({ error }) => {
      if (error !== undefined) failures.push(error);
    },
  });
  const random = seeded(tamperSeed + 1);
  const judged = new Set(bases.map(({ request, judge }) => judge(request)));
  const requests = bases.map(({ request }) => request);
  const statuses = new Set<number>();
  const wrong: string[] = [];
  let tampered = 0;
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  while (tampered < count) {
    const { request: original, judge } = random.pick(bases);
    const { request, mutation } = mutate(original, random, requests);
    if (isUnchanged(request, original)) continue;
    const isTampered = !judged.has(judge(request));
    if (isTampered) tampered += 1;
    failures = [];
    const calls = storage.calls;
    const outcome = await gateway.handle(request, body());
    outcome.delivered(0, true);
    statuses.add(outcome.status);
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
  expect(wrong.slice(0, 5)).toEqual([]);
  // Statuses of each kind prove that the mutants reach all steps.
  expect([...statuses]).toEqual(expect.arrayContaining([200, 400, 403]));
  await gateway.close();
}

async function* body(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(BODY);
}
