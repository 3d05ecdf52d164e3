import { gzipSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import { readPictureHead } from "../../src/operations/picture-head.ts";
import { cameraFile, DUNES, LAKE } from "../camera-file.ts";
import { BROWSER, linkBench } from "./link-bench.ts";

const bench = linkBench();
const LARGE = 512 * 1024 + 1;
/** An answer about the thumbnail of a file of an album. */
async function thumb(name: string, content: string | Uint8Array, more: Parameters<typeof bench.make>[0] = {}) {
  bench.write(`album/${name}`, content);
  const { variant } = await bench.make({ kind: "prefix", key: "album/", ...more });
  const path = `/l/${variant.id}/${name}?thumb`;
  const answer = await bench.get(path, {
    headers: { accept: "image/avif,image/*,*/*;q=0.8", "user-agent": "Mozilla/5.0" },
  });
  return { path, answer, bytes: Buffer.from(await answer.arrayBuffer()), type: answer.headers.get("content-type") };
}

describe("?thumb", () => {
  it("answers a picture of up to 512 KB as it is, and asks to be revalidated", async () => {
    const picture = cameraFile({ size: LARGE - 1 });
    const { path, answer, bytes, type } = await thumb("a.jpg", picture);
    expect([answer.status, type, bytes.equals(picture)]).toEqual([200, "image/jpeg", true]);
    expect(answer.headers.get("cache-control")).toBe("private, no-cache");
    const etag = answer.headers.get("etag") ?? "";
    const again = await bench.get(path, { headers: { "if-none-match": etag } });
    expect([again.status, again.headers.get("etag")]).toEqual([304, etag]);
    const head = await bench.get(path, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(picture.length)]);
  });

  it("answers the thumbnail of a larger picture, turned like it", async () => {
    const { bytes, type } = await thumb("a.jpg", cameraFile({ thumbnail: LAKE, orientation: 8, size: LARGE }));
    expect([type, readPictureHead(bytes).size]).toEqual(["image/jpeg", { width: 480, height: 720 }]);
    expect(bytes.subarray(-1000).equals(LAKE.subarray(-1000))).toBe(true);
  });

  it.each<readonly [string, string, string | Uint8Array]>([
    ["a larger picture without a thumbnail", "a.jpg", cameraFile({ size: LARGE })],
    ["an SVG file", "a.svg", "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"],
    ["a page", "a.html", "<script>alert(1)</script>"],
    ["a text", "a.txt", "text"],
    ["an empty picture", "a.png", ""],
  ])("answers the icon for %s, which nothing keeps", async (_, name, content) => {
    const { answer, bytes, type } = await thumb(name, content);
    expect([answer.status, type, answer.headers.get("etag")]).toEqual([200, "image/svg+xml", null]);
    expect(bytes.toString()).toMatch(/^<svg [^>]*stroke="currentColor"/);
    expect(bytes.toString()).not.toContain("script");
    expect(answer.headers.get("content-security-policy")).toBe(
      "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    );
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("answers the icon for a picture that was stored compressed", async () => {
    const { path } = await thumb("a.jpg", DUNES);
    async function* body() {
      yield gzipSync(DUNES);
    }
    await bench.storage.put({ bucket: "media", key: "album/z.jpg" }, body(), { headers: { contentEncoding: "gzip" } });
    const answer = await bench.get(path.replace("a.jpg", "z.jpg"));
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "image/svg+xml"]);
  });

  it("shows no bytes of a file that replaces the picture while it is read", async () => {
    const { path } = await thumb("a.jpg", DUNES, { preview: true });
    const file = "album/b.jpg";
    bench.write(file, cameraFile({ size: 300_000 }));
    const get = bench.storage.get.bind(bench.storage);
    vi.spyOn(bench.storage, "get").mockImplementationOnce((...asked) => {
      bench.write(file, cameraFile({ size: 400_000 }));
      return get(...asked);
    });
    expect((await bench.get(path.replace("a.jpg", "b.jpg"))).status).toBe(410);
    expect((await bench.get(path.replace("a.jpg", "b.jpg"))).headers.get("content-length")).toBe("400000");
  });

  it("shows the icon if the owner shows no preview", async () => {
    expect((await thumb("a.jpg", DUNES, { preview: false })).type).toBe("image/svg+xml");
  });

  it("answers a link to one file alike, and not if the file has changed", async () => {
    bench.write("one.jpg", DUNES);
    const { variant } = await bench.make({ key: "one.jpg" });
    expect((await bench.get(`/l/${variant.id}?thumb`)).headers.get("content-type")).toBe("image/jpeg");
    const counted = await bench.make({ key: "one.jpg", maxDeliveries: 1 });
    expect((await bench.get(`/l/${counted.variant.id}?thumb`)).status).toBe(428);
    const record = vi.spyOn(bench.links.state, "record");
    bench.write("one.jpg", LAKE);
    expect((await bench.get(`/l/${variant.id}?thumb`)).status).toBe(410);
    expect(record).not.toHaveBeenCalled();
  });

  it("opens nothing that a GET would not open", async () => {
    const { path } = await thumb("a.jpg", DUNES);
    bench.write("album/.private/b.jpg", DUNES);
    const at = (rest: string): string => path.replace("a.jpg", rest);
    const statusOf = async (rest: string): Promise<number> => {
      const [shown, read] = await Promise.all([bench.get(at(rest)), bench.get(at(rest).replace("?thumb", ""))]);
      expect(shown.status).toBe(read.status);
      return shown.status;
    };
    expect(await statusOf("a.jpg")).toBe(200);
    for (const rest of ["none.jpg", ".private/b.jpg", "..%2fa.jpg"]) expect(await statusOf(rest)).toBeGreaterThan(400);
    const revoked = { id: "album", selector: { kind: "prefix" as const, id: "media/album/a" } };
    await bench.links.apply([await bench.links.state.revoke(revoked, "operator")]);
    expect(await statusOf("a.jpg")).toBeGreaterThan(400);
  });

  it.each([{ maxDeliveries: 1 }, { maxBytes: 10_000_000 }, { password: "right" }])(
    "shows nothing of a link that counts or asks for a password, and spends nothing: %j",
    async (more) => {
      const { path, answer } = await thumb("a.jpg", DUNES, more);
      expect(answer.status).toBe("password" in more ? 401 : 428);
      const claim = { claim: "claim-key-0123456789", ...more };
      const pressed = await bench.press(path.replace(/\/a\.jpg.*/, ""), claim as Record<string, string>);
      const cookie = pressed.headers.get("set-cookie")?.split(";")[0] ?? "";
      const shown = await bench.get(path, { headers: { cookie } });
      expect([shown.status, shown.headers.get("content-type")]).toEqual([200, "image/svg+xml"]);
      const page = await (
        await bench.get(path.replace(/a\.jpg.*/, "?view=gallery"), { headers: { ...BROWSER, cookie } })
      ).text();
      expect([page.includes("?thumb"), page.includes("view=gallery")]).toEqual([false, false]);
      const { variant } = (await bench.links.state.findLink(path.split("/")[2] ?? "")) ?? {};
      expect(variant?.held).toBe(0);
    },
  );

  it("records nothing", async () => {
    const record = vi.spyOn(bench.links.state, "record");
    const { path } = await thumb("a.jpg", DUNES);
    expect(record).not.toHaveBeenCalled();
    await (await bench.get(path.replace("thumb", "download"))).arrayBuffer();
    await vi.waitFor(() => expect(record).toHaveBeenCalledOnce());
  });
});

describe("a gallery", () => {
  const tiles = (page: string) =>
    Array.from(page.matchAll(/<img src="([^"]+)" width="(\d+)" height="(\d+)"/g), ([, src, width, height]) => [
      src,
      Number(width),
      Number(height),
    ]);
  const pageOf = async (path: string) => (await bench.get(path, { headers: BROWSER })).text();

  it("shows pictures by their size once `?thumb` has read it, and never reads a file itself", async () => {
    const { path } = await thumb("a b.jpg".replace(" ", "%20"), "");
    bench.write("album/lake.jpg", LAKE);
    bench.write("album/tall.jpg", cameraFile({ orientation: 6 }));
    bench.write("album/Day 1/b.jpg", DUNES);
    bench.write("album/notes <b>.txt", "text");
    const folder = path.replace(/[^/]*$/, "");
    const get = vi.spyOn(bench.storage, "get");
    const before = await pageOf(`${folder}?view=gallery`);
    expect(tiles(before).slice(1)).toEqual([
      [`${folder}lake.jpg?thumb`, 208, 208],
      [`${folder}tall.jpg?thumb`, 208, 208],
    ]);
    expect(get).not.toHaveBeenCalled();
    for (const name of ["lake.jpg", "tall.jpg"]) await (await bench.get(`${folder}${name}?thumb`)).arrayBuffer();
    const page = await pageOf(`${folder}?view=gallery`);
    expect(tiles(page).slice(1)).toEqual([
      [`${folder}lake.jpg?thumb`, 312, 208],
      [`${folder}tall.jpg?thumb`, 156, 208],
    ]);
    expect(page).toContain(`<a href="${folder}Day%201/?view=gallery">`);
    expect(page).toContain("<span><bdi>notes &lt;b&gt;.txt</bdi></span>");
    expect(page).toContain(`<a href="${folder}?sort=name">`);
    expect(await pageOf(`${folder}lake.jpg`)).toContain(`<img src="${folder}lake.jpg?view" width="720" height="480"`);
    expect(await pageOf(folder)).toContain(`<a href="${folder}?view=gallery&amp;sort=name">`);
  });

  it("has 48 pictures a page, and small pages", async () => {
    for (let at = 0; at < 100; at++) bench.write(`many/IMG_2026-12-01 at ${String(at).padStart(3, "0")}.jpg`, LAKE);
    for (let at = 0; at < 5; at++) bench.write(`many/Day ${at}/a.txt`, "a");
    const { variant } = await bench.make({ kind: "prefix", key: "many/" });
    const list = await bench.get(`/l/${variant.id}/`, { headers: { ...BROWSER, "accept-encoding": "gzip" } });
    expect(Number(list.headers.get("content-length"))).toBeLessThanOrEqual(14 * 1024);
    expect((await list.text()).match(/\?thumb" width="40"/g)).toHaveLength(100);
    const pages: number[] = [];
    for (let path: string | undefined = `/l/${variant.id}/?view=gallery&sort=date`; path !== undefined; ) {
      const answer = await bench.get(path, { headers: { ...BROWSER, "accept-encoding": "gzip" } });
      expect(Number(answer.headers.get("content-length"))).toBeLessThanOrEqual(14 * 1024);
      const page = await answer.text();
      pages.push(tiles(page).length);
      path = /<a href="([^"]+&amp;from=\d+)"/.exec(page)?.[1]?.replaceAll("&amp;", "&");
    }
    expect(pages).toEqual([48, 48, 4]);
  });

  it("is not offered for a folder without pictures, or without previews", async () => {
    bench.write("texts/a.txt", "a");
    bench.write("texts/a.svg", "<svg/>");
    bench.write("album/a.jpg", DUNES);
    for (const more of [{ key: "texts/" }, { key: "album/", preview: false }]) {
      const { variant } = await bench.make({ kind: "prefix", ...more });
      const page = await pageOf(`/l/${variant.id}/?view=gallery`);
      expect([page.includes("view=gallery"), page.includes("?thumb"), page.includes("<table>")]).toEqual([
        false,
        false,
        true,
      ]);
    }
  });
});
