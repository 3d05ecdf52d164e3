import { expect, it } from "vitest";
import { START_WITHIN } from "../../src/state/contract/deliveries.ts";
import { BROWSER, claimKeyIn, linkBench } from "./link-bench.ts";

const bench = linkBench(undefined, undefined, { sharedBy: "Mara Lindqvist" });
const SENDER = "<dt>From</dt><dd><bdi>Mara Lindqvist</bdi></dd>";
const DAY = 24 * 60 * 60_000;

const shown = async (path: string, headers: Record<string, string> = {}) =>
  (await bench.get(path, { headers: { ...BROWSER, ...headers } })).text();

/** Takes a delivery as a browser does. */
async function take(id: string) {
  const page = await shown(`/l/${id}`);
  const pressed = await bench.press(`/l/${id}`, { claim: claimKeyIn(page) });
  const cookie = pressed.headers.get("set-cookie")?.split(";")[0] ?? "";
  return { token: pressed.headers.get("location") ?? "", cookie };
}

it("an expired link says when it ended and who sent it", async () => {
  const { variant } = await bench.make({ expiresAt: new Date(bench.now + DAY) });
  bench.now += 5 * DAY;
  const page = await shown(`/l/${variant.id}`);
  expect(page).toContain(
    '<dt>Expired</dt><dd>4 days ago<small><time datetime="2026-12-02T12:00:00.000Z">December 2 at 12:00 PM UTC</time>',
  );
  expect(page).toContain(SENDER);
});

it("a link that opens later says in how long", async () => {
  const { variant } = await bench.make({ startsAt: new Date(bench.now + 2 * DAY) });
  expect(await shown(`/l/${variant.id}`)).toContain("<dt>Opens</dt><dd>in 2 days<small>");
});

it("a used-up link says how many downloads it had", async () => {
  const { variant } = await bench.make({ maxDeliveries: 1 });
  const { token } = await take(variant.id);
  await (await bench.get(token)).arrayBuffer();
  const page = await shown(`/l/${variant.id}`);
  expect(page).toContain("<dt>Downloads</dt><dd>1 of 1 used</dd>");
  expect(page).toContain(SENDER);
});

it("a link without data left says how much it sent", async () => {
  const { variant } = await bench.make({ maxBytes: 100_000 });
  const { token, cookie } = await take(variant.id);
  await (await bench.get(token)).arrayBuffer();
  expect(await shown(token, { cookie })).toContain("<dt>Sent</dt><dd>100 kB of 100 kB</dd>");
});

it("a download that was not started leads back to its link", async () => {
  const { variant } = await bench.make({ maxDeliveries: 1 });
  const { token } = await take(variant.id);
  bench.now += START_WITHIN;
  const page = await shown(token);
  expect(page).toContain(`<a class="go" href="/l/${variant.id}">Open the link again</a>`);
  expect(page).toContain(SENDER);
});

it("the page after a download says until when it may continue, and that nothing is left", async () => {
  const { variant } = await bench.make({ maxDeliveries: 1 });
  const { token, cookie } = await take(variant.id);
  await (await bench.get(token, { headers: { range: "bytes=0-9" } })).arrayBuffer();
  const page = await shown(`/l/${variant.id}`, { cookie });
  expect(page).toContain("<dt>Continue for</dt><dd>60 more minutes<small>until ");
  expect(page).toContain("<dt>Downloads</dt><dd>None left<small>yours was the last</small></dd>");
});

it("an unknown link shows the address that was asked for and how a complete one ends, and no sender", async () => {
  const page = await shown("/l/5dydZz<b>");
  expect(page).toContain("<b>/l/5dydZz2wBb1PmmEb6U7tsC</b>");
  expect(page).toMatch(/<dt>Address<\/dt><dd><bdi>127\.0\.0\.1:\d+\/l\/5dydZz%3Cb%3E<\/bdi>/);
  expect(page).not.toContain("Mara");
});

it("a client outside its networks does not learn who sent a link", async () => {
  const { variant } = await bench.make({ networks: ["192.0.2.0/24"] });
  const page = await shown(`/l/${variant.id}`);
  expect(page).toContain("does not open from your network");
  expect(page).not.toContain("Mara");
});

it("a holder without the password learns nothing of an ended link", async () => {
  const { variant } = await bench.make({ password: "right", expiresAt: new Date(bench.now + DAY) });
  bench.now += 2 * DAY;
  expect(await shown(`/l/${variant.id}`)).not.toMatch(/Mara|Expired|ago/);
  const told = await (await bench.press(`/l/${variant.id}`, { password: "right" })).text();
  expect(told).toContain("<dt>Expired</dt><dd>24 hours ago");
});
