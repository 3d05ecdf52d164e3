import { expect, it } from "vitest";
import type { LinkPlace } from "../../src/links/route-target.ts";
import { adminCalls } from "./admin-calls.ts";
import { linkBench } from "./link-bench.ts";

const bench = linkBench();
const places: readonly LinkPlace[] = [
  { origin: "https://photos.example.com", prefix: "/album/", countsBytes: true },
  { origin: "https://shop.example.com", prefix: "/stats", countsBytes: true },
];
const call = adminCalls(bench, { places: () => places });
const create = (target: string, headers?: Record<string, string>) =>
  call("/links", { method: "POST", body: { target }, headers: headers ?? {} }, headers === undefined);

it.each([
  ["a folder without its slash", "media/holiday", "media/holiday/"],
  ["a folder in a folder without its slash", "media/holiday/day 2", "media/holiday/day 2/"],
  ["a whole bucket", "media/", "media/"],
])("makes a link of %s", async (_, target, made) => {
  expect(await create(target)).toMatchObject({ status: 201, body: { kind: "prefix", target: made } });
});

it.each([
  ["media/film.mp3", "there is no film.mp3 in media/. Did you mean film.mp4?"],
  ["media/FILM.MP4", "there is no FILM.MP4 in media/. Did you mean film.mp4?"],
  ["media/film.mp4/", "media/film.mp4 is a file. Leave out the slash at the end."],
  ["media/holliday", "there is no holliday in media/. Did you mean holiday/?"],
  ["media/holliday/day 2/b.txt", "there is no folder holliday/ with files in media/. Did you mean holiday/?"],
  ["media/holiday/day 3/", "there is no folder day 3/ with files in media/holiday/. Did you mean day 2/?"],
  ["media/holiday/day 2/quite-another", "there is no quite-another in media/holiday/day 2/. Upload it first"],
  ["meda/film.mp4", "there is no bucket meda. Did you mean media?"],
  ["media/../../state.dB", "there is no folder ../ with files in media/. Upload it first"],
  ["media/holiday/.enw", "there is no .enw in media/holiday/. Upload it first"],
  ["/album/7/", "the target /album/7/ is on a route: write route:https://photos.example.com/album/7/"],
  [
    "https://u:pw@photos.example.com/album/?t=s",
    "the target, a URL of photos.example.com, is in no bucket and on no route",
  ],
  ["https://photos.example.com/album/?t=s", "is on a route: write route:https://photos.example.com/album/"],
  [
    "photos.example.com/album/7/",
    "there is no bucket photos.example.com. It is on a route: write route:https://photos",
  ],
  ["https://other.example/x?signature=s", "the target, a URL of other.example, is in no bucket and on no route."],
  ["route:/albun/7/", "forwardAuth. Did you mean route:https://photos.example.com/album/7/?"],
  ["route:/stat", "forwardAuth. Did you mean route:https://shop.example.com/stats?"],
  ["route:https://photo.example.com/album/7", "Did you mean route:https://photos.example.com/album/7?"],
])("refuses %s with what is there", async (target, detail) => {
  bench.write("holiday/.env", "secret");
  const refused = await create(target);
  expect(refused).toMatchObject({ status: 400, body: { detail: expect.stringContaining(detail) } });
  expect(refused.body.detail).not.toMatch(/\.env\b|=s|pw/);
});

it("names nothing to a token that is outside its scope or revoked", async () => {
  const scope = { scopes: ["links:write"], buckets: ["media"], prefix: "film.mp3" };
  const made = await call("/tokens", { method: "POST", body: scope }, true);
  const headers = { authorization: `Bearer ${made.body.token}` };
  expect((await create("media/film.mp3", headers)).body.detail).toMatch(/no film\.mp3 in media\/\. Upload/);
  expect((await create("media/film.mp4", headers)).status).toBe(403);
  const names = { scopes: ["links:write"], buckets: ["media", "meda"] };
  const wide = { authorization: `Bearer ${(await call("/tokens", { method: "POST", body: names }, true)).body.token}` };
  expect((await create("meda/film.mp4", wide)).body.detail).toMatch("no bucket meda. Did you mean media?");
  expect((await create("media/film.mp3", wide)).body.detail).toMatch("Did you mean film.mp4?");
  for (const target of ["route:/albun/7/", "/album/7/"])
    expect((await create(target, wide)).body.detail).not.toMatch("photos");
  await call("/revocations", { method: "POST", body: { prefix: "media/film" } }, true);
  expect((await create("media/film.mp3", wide)).body.detail).not.toMatch("film.mp4");
});

it("compares a name with at most 10,000 of its folder", async () => {
  const pages: number[] = [];
  const list: typeof bench.storage.list = async (_, { prefix, limit }) => {
    if (limit === 1) return { entries: prefix === "many/" ? [entry("many/a")] : [], truncated: false };
    const entries = Array.from({ length: limit }, (_one, i) => entry(`many/${pages.length * limit + i}.jpg`));
    pages.push(limit);
    return { entries, truncated: true };
  };
  const endless = adminCalls(bench, { storage: { ...bench.storage, list } });
  const ask = async (target: string) =>
    (await endless("/links", { method: "POST", body: { target } }, true)).body.detail;
  expect(await ask("media/many/9999.jpeg")).toMatch("Did you mean 9999.jpg?");
  expect(pages).toEqual(Array.from({ length: 10 }, () => 1000));
});

const entry = (key: string) => ({ kind: "object" as const, key, size: 1, etag: "e", lastModified: new Date(0) });
