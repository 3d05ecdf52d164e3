import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { urlSigner } from "daypass/url";
import { describe, expect, it } from "vitest";
import { BROWSER, claimKeyIn, linkBench, URL_KEY } from "./link-bench.ts";

const bench = linkBench();
const make: typeof bench.make = (more) => bench.make(more);
const get: typeof bench.get = (path, init) => bench.get(path, init);
const press: typeof bench.press = (path, fields) => bench.press(path, fields);

it("shows a browser the page of an uncounted link, and gives a program the bytes", async () => {
  const { variant } = await make();
  const page = await get(`/l/${variant.id}`, { headers: BROWSER });
  expect([page.status, page.headers.get("cache-control")]).toEqual([200, "no-store"]);
  expect(await page.text()).toContain("film.mp4");
  const bytes = await get(`/l/${variant.id}`, { headers: { range: "bytes=0-9" } });
  expect([bytes.status, await bytes.text()]).toEqual([206, "f".repeat(10)]);
});

it("delivers a counted link once, repeats it for the same claim, and shows a second visitor that it is used up", async () => {
  const { variant } = await make({ maxDeliveries: 1 });
  const path = `/l/${variant.id}`;
  const plain = await get(path);
  expect([plain.status, await plain.text()]).toEqual([428, expect.stringContaining("?dl=")]);
  const claim = claimKeyIn(await (await get(path, { headers: BROWSER })).text());
  const [first, second] = await Promise.all([press(path, { claim }), press(path, { claim })]);
  expect([first.status, second.status]).toEqual([303, 303]);
  expect(first.headers.get("location")).toBe(second.headers.get("location"));
  const delivered = await get(first.headers.get("location") ?? "");
  expect([delivered.status, (await delivered.text()).length]).toEqual([200, 100_000]);
  const again = await get(first.headers.get("location") ?? "", { headers: { range: "bytes=99990-" } });
  expect([again.status, await again.text()]).toEqual([206, "f".repeat(10)]);
  const late = await press(path, { claim: "another-claim-key-0123" });
  expect([late.status, await late.text()]).toEqual([410, expect.stringContaining("used up")]);
  expect((await get(path, { headers: BROWSER })).status).toBe(410);
});

it("gives the delivery of a scanner that presses and does not follow back after two minutes", async () => {
  const { variant } = await make({ maxDeliveries: 1 });
  const path = `/l/${variant.id}`;
  expect((await press(path, { claim: "scanner-key-0123456789" })).status).toBe(303);
  const busy = await press(path, { claim: "person-key-01234567890" });
  expect([busy.status, busy.headers.get("retry-after")]).toEqual([503, "120"]);
  bench.now += 120_000;
  expect((await press(path, { claim: "person-key-01234567891" })).status).toBe(303);
});

it("delivers by ?dl at once, and resumes with the same key", async () => {
  const { variant } = await make({ maxDeliveries: 1 });
  const path = `/l/${variant.id}?dl=0123456789abcdef`;
  expect((await get(path, { headers: { range: "bytes=0-49999" } })).status).toBe(206);
  const rest = await get(path, { headers: { range: "bytes=50000-" } });
  expect([rest.status, (await rest.text()).length]).toEqual([206, 50_000]);
  expect((await get(`/l/${variant.id}?dl=0123456789abcdeX`)).status).toBe(410);
});

it.each([
  [
    "a range that begins at the end, as curl -C - and wget -c ask of a complete file",
    "GET",
    { range: "bytes=100000-" },
    416,
  ],
  ["a condition that is not met", "GET", { "if-match": '"other"' }, 412],
  ["another method", "PUT", {}, 405],
])("answers %s with its own status, and takes no delivery", async (_, method, headers, status) => {
  for (const more of [{}, { maxDeliveries: 1 }, { slug: "a-film", public: true }]) {
    const { link, variant } = await make(more);
    const address = "slug" in more ? more.slug : variant.id;
    const answer = await get(`/l/${address}?dl=0123456789abcdef`, { method, headers });
    const [found] = (await bench.links.state.getLink(link.id))?.variants ?? [];
    expect([answer.status, found?.used]).toEqual([status, 0]);
    if (status === 416) expect(answer.headers.get("content-range")).toBe("bytes */100000");
  }
});

it("answers a claim key of the wrong form with 400, and with 404 if the link does not exist", async () => {
  const { variant } = await make({ maxDeliveries: 1 });
  expect((await get(`/l/${variant.id}?dl=short`)).status).toBe(400);
  expect((await get("/l/0000000000000000000000?dl=short", { method: "PUT" })).status).toBe(404);
});

it("asks for the password before it shows anything, and limits attempts by network", async () => {
  const { variant } = await make({ password: "correct horse" });
  const path = `/l/${variant.id}`;
  const asked = await get(path, { headers: BROWSER });
  expect(await asked.text()).not.toContain("film.mp4");
  const right = await press(path, { password: "correct horse" });
  const page = await right.text();
  expect(page).toContain("film.mp4");
  const proof = /name="proof" value="([\w.-]+)"/.exec(page)?.[1] ?? "";
  expect((await press(path, { proof, claim: claimKeyIn(page) })).status).toBe(303);
  for (let i = 0; i < 10; i++) expect((await press(path, { password: "wrong" })).status).toBe(403);
  expect((await press(path, { password: "correct horse" })).status).toBe(429);
}, 60_000);

it("revokes a link at once, also for a started delivery, and lifts it again", async () => {
  const { link, variant } = await make({ maxDeliveries: 1 });
  const path = `/l/${variant.id}?dl=0123456789abcdef`;
  expect((await get(path)).status).toBe(200);
  const revocation = await bench.links.state.revoke({ id: "r1", selector: { kind: "link", id: link.id } }, "operator");
  bench.links.apply([revocation]);
  expect((await get(path)).status).toBe(410);
  bench.links.apply([(await bench.links.state.lift("r1", "operator")) as typeof revocation]);
  expect((await get(path)).status).toBe(200);
});

it("refuses a link whose object was replaced", async () => {
  const { variant } = await make();
  bench.write("film.mp4", "other");
  const page = await get(`/l/${variant.id}`, { headers: BROWSER });
  expect([page.status, await page.text()]).toEqual([410, expect.stringContaining("was changed or removed")]);
});

it("lists a prefix, opens what it lists, and zips it", async () => {
  const { variant } = await make({ kind: "prefix", key: "holiday/" });
  const path = `/l/${variant.id}`;
  expect((await get(path, { headers: BROWSER })).headers.get("location")).toBe(`${path}/`);
  const listing = await (await get(`${path}/`, { headers: BROWSER })).text();
  expect(listing).toContain("&lt;b&gt;.txt");
  expect(listing).toContain(`href="${path}/day%202/"`);
  expect(await (await get(`${path}/%3Cb%3E.txt`)).text()).toBe("bold");
  expect((await get(`${path}/..%2fmedia%2ffilm.mp4`)).status).toBe(404);
  const zip = Buffer.from(await (await get(`${path}/?zip`)).arrayBuffer());
  expect([zip.subarray(0, 2).toString(), zip.includes("day 2/b.txt")]).toEqual(["PK", true]);
});

it("opens a counted prefix by a visit, whose cookie belongs to this link", async () => {
  const { variant } = await make({ kind: "prefix", key: "holiday/", maxDeliveries: 1 });
  const path = `/l/${variant.id}`;
  const claim = claimKeyIn(await (await get(`${path}/`, { headers: BROWSER })).text());
  const opened = await press(`${path}/`, { claim });
  expect(opened.status).toBe(303);
  const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect(await (await get(`${path}/`, { headers: { ...BROWSER, cookie } })).text()).toContain("<bdi>day 2</bdi>");
  expect(await (await get(`${path}/day%202/b.txt`, { headers: { cookie } })).text()).toBe("second");
  expect((await get(`${path}/day%202/b.txt`)).status).toBe(428);
  const second = await get(`/l/${variant.id}/`, { headers: BROWSER });
  expect([second.status, await second.text()]).toEqual([410, expect.stringContaining("used up")]);
});

it("answers a zip with 410, and not with a cut connection, if the link has no bytes left for it", async () => {
  const { variant } = await make({ kind: "prefix", key: "holiday/", maxBytes: 1000 });
  const path = `/l/${variant.id}`;
  const opened = await press(`${path}/`, {
    claim: claimKeyIn(await (await get(`${path}/`, { headers: BROWSER })).text()),
  });
  const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
  const zip = await get(`${path}/?zip`, { headers: { ...BROWSER, cookie } });
  expect([zip.status, await zip.text()]).toEqual([410, expect.stringContaining("data limit")]);
});

it("counts the uses of a Daypass URL, HEAD excepted", async () => {
  const { url } = urlSigner({ key: URL_KEY, clock: bench.clock }).sign({
    url: `${bench.url}/media/holiday/day%202/b.txt`,
    methods: ["GET"],
    uses: 2,
    expiresIn: 60,
  });
  const statuses: number[] = [];
  for (const method of ["HEAD", "GET", "HEAD", "GET", "GET"]) statuses.push((await fetch(url, { method })).status);
  expect(statuses).toEqual([200, 200, 200, 200, 403]);
});

it("suspends counted links after a restore, until their owner resumes them", async () => {
  const { link, variant } = await make({ maxDeliveries: 2 });
  const open = await make();
  const { run } = await bench.links.state.beginRun(undefined);
  expect((await bench.links.state.beginRun(run)).suspended).toBe(0);
  expect((await bench.links.state.beginRun(run)).suspended).toBe(1);
  expect((await get(`/l/${variant.id}?dl=0123456789abcdef`)).status).toBe(410);
  expect((await get(`/l/${open.variant.id}`)).status).toBe(200);
  await bench.links.state.updateLink(link.id, link.version + 1, { suspended: null }, "operator");
  expect((await get(`/l/${variant.id}?dl=0123456789abcdef`)).status).toBe(200);
});

/** The status of a link on the connection of the bench, for a Host. */
async function statusAt({ url, make }: Pick<typeof bench, "url" | "make">, host: string): Promise<number | undefined> {
  const { variant } = await make();
  const [answer]: IncomingMessage[] = await once(
    request(`${url}/l/${variant.id}`, { headers: { host } }).end(),
    "response",
  );
  answer?.resume();
  return answer?.statusCode;
}

it("opens a link for a Host without the port of its origin, as wget2 sends it, and for no other port", async () => {
  const statuses = ["127.0.0.1", "127.0.0.1:1", "127.0.0.2"].map((host) => statusAt(bench, host));
  expect(await Promise.all(statuses)).toEqual([200, 403, 403]);
});

describe("links beside buckets whose hosts have no port", () => {
  const origins = ["http://share.example.com:8443", "http://*.example.com"];
  const beside = linkBench(undefined, () => ({ origins }));

  it("leave the Host without a port to the bucket of this name", async () => {
    expect(await statusAt(beside, "share.example.com:8443")).toBe(200);
    expect(await statusAt(beside, "share.example.com")).toBe(403);
  });
});
