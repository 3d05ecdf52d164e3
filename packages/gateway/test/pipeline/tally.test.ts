import type { WireRequest } from "daypass";
import { s3Signer } from "daypass/s3";
import { expect, it } from "vitest";
import { type AccessEvent, createGateway, type Gateway, type Limits, tally } from "../../src/index.ts";
import { recordingStorage } from "../../src/testing/recording-storage.ts";
import { testGateway } from "../../src/testing/test-gateway.ts";

/** Creates two successive gateways over the same objects, as a reload does. */
async function reloaded(limits: Partial<Limits>) {
  const shared = tally();
  const events: AccessEvent[] = [];
  const served = await testGateway({ files: { "media/a.txt": "a" }, storage: recordingStorage });
  const make = (): Gateway =>
    createGateway({
      storage: served.storage,
      origins: [served.url],
      keys: { s3: () => served.accessKey },
      metrics: true,
      accessLog: (event) => void events.push(event),
      limits,
      tally: shared,
    });
  const host = `127.0.0.1:${served.port}`;
  const to = (method: string, target: string, headers: WireRequest["headers"] = []): WireRequest => ({
    method,
    target,
    authority: host,
    headers: [["host", host], ...headers],
    remoteAddress: "192.0.2.1",
  });
  const { url } = s3Signer(served.clients.daypass).sign({ bucket: "media", key: "a.txt", expiresIn: 60 });
  return { served, events, before: make(), after: make(), to, read: to("GET", url.slice(served.url.length)) };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function statusOf(gateway: Gateway, request: WireRequest, body: AsyncIterable<Uint8Array> = nothing()) {
  const outcome = await gateway.handle(request, body);
  if (outcome.body?.kind === "file") outcome.body.close();
  outcome.delivered(0, true);
  return outcome.status;
}

it("counts a response once, with the sent status, and reports the fault", async () => {
  const { served, events, before, to, read } = await reloaded({});
  await using _ = served;
  const outcome = await before.handle(read, nothing());
  if (outcome.body?.kind === "file") outcome.body.close();
  const error = new Error("no header can carry this");
  outcome.delivered(0, false, { error, status: 500 });
  outcome.delivered(1, true);
  expect(events).toMatchObject([{ status: 500, bytes: 0, complete: false, error }]);
  const { body } = await before.handle(to("GET", "/-/metrics"), nothing());
  const text = body?.kind === "bytes" ? Buffer.from(body.bytes).toString() : "";
  expect(text.match(/daypass_(?:requests_total|in_flight).* \d+/g)).toEqual([
    'daypass_requests_total{scheme="s3",method="GET",status="500"} 1',
    "daypass_in_flight 1",
  ]);
});

it("applies the limit of requests across a reload", async () => {
  const { served, before, after, read } = await reloaded({ inFlight: 1 });
  await using _ = served;
  const underWay = await before.handle(read, nothing());
  expect([underWay.status, await statusOf(after, read)]).toEqual([200, 503]);
  if (underWay.body?.kind === "file") underWay.body.close();
  underWay.delivered(1, true);
  expect(await statusOf(after, read)).toBe(200);
});

it("applies the limit of unverified bodies across a reload", async () => {
  const { served, before, after, to } = await reloaded({ inFlight: 8 });
  await using _ = served;
  let release = (): void => {};
  const stalled = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* body(): AsyncGenerator<Uint8Array> {
    await stalled;
    yield Buffer.from("--B");
  }
  const form = to("POST", "/media", [["content-type", "multipart/form-data; boundary=B"]]);
  const waiting = statusOf(before, form, body());
  // One address may use one of two slots.
  expect(await statusOf(after, form)).toBe(503);
  release();
  expect(await waiting).toBe(400);
  expect(await statusOf(after, form)).toBe(400);
});

it("continues its counts across a reload", async () => {
  const { served, before, after, to, read } = await reloaded({});
  await using _ = served;
  for (const gateway of [before, after]) expect(await statusOf(gateway, read)).toBe(200);
  const { body } = await after.handle(to("GET", "/-/metrics"), nothing());
  const text = body?.kind === "bytes" ? Buffer.from(body.bytes).toString() : "";
  expect(text).toContain('daypass_requests_total{scheme="s3",method="GET",status="200"} 2');
  // The request for the metrics.
  expect(text).toContain("daypass_in_flight 1\n");
});
