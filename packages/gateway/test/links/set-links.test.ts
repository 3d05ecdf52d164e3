import { get } from "node:http";
import { text as readText } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { setNames, sharedFolder } from "../../src/links/set-names.ts";
import { cameraFile } from "../camera-file.ts";
import { adminCalls } from "./admin-calls.ts";
import { BROWSER, linkBench } from "./link-bench.ts";

const bench = linkBench();
const places = () => [{ origin: bench.url, prefix: "/app/", countsBytes: true }];
const call = adminCalls(bench, { places });
const KEYS = ["a.jpg", "x/a.jpg", "x/a (2).jpg", "y/a", "y/a/", ".env"];
const NAMES = ["a.jpg", "a (3).jpg", "a (2).jpg", "a", "a (2)/", ".env"];

function writeAll(): void {
  for (const key of ["a.jpg", "x/a.jpg", "x/a (2).jpg", ".env"]) bench.write(key, `bytes of ${key}`);
  for (const name of ["n.txt", "m.txt", "sub/o.txt", ".git/config"]) bench.write(`y/b/${name}`, `bytes of y/b/${name}`);
  bench.write("secret.txt", "secret");
}
const DEFAULT = ["a.jpg", "x/a.jpg", "x/a (2).jpg", "y/b/", ".env"];
type Body = Readonly<Record<string, unknown>>;
const created = (targets: readonly string[], more: Body = {}) =>
  call("/links", { method: "POST", body: { targets: targets.map((key) => `media/${key}`), ...more } }, true);
/** The path of a new set, after its objects were written. */
async function set(targets: readonly string[] = DEFAULT, more: Body = {}): Promise<string> {
  writeAll();
  const { status, body } = await created(targets, more);
  expect([status, body.status], JSON.stringify(body)).toEqual([201, "open"]);
  return `${new URL(body.url).pathname}/`;
}
const page = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await bench.get(path, { headers: { ...BROWSER, ...headers } });
  return { status: answer.status, text: await answer.text() };
};
const rows = (text: string) => Array.from(text.matchAll(/<a class="row"[^>]*>.*?<bdi>([^<]*)</g), ([, name]) => name);
const status = async (path: string) => (await bench.get(path)).status;
const text = async (path: string) => (await bench.get(path)).text();
/** The names in the central directory of a zip. */
async function zipped(path: string, headers: Record<string, string> = {}): Promise<readonly string[]> {
  const answer = await bench.get(path, { headers });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/zip"]);
  const bytes = Buffer.from(await answer.arrayBuffer());
  const names: string[] = [];
  for (let at = bytes.indexOf("PK\u0001\u0002"); at >= 0; at = bytes.indexOf("PK\u0001\u0002", at + 4))
    names.push(bytes.subarray(at + 46, at + 46 + bytes.readUInt16LE(at + 28)).toString());
  return names;
}
/** Sends the path as it is: `fetch` would resolve its dot segments. */
const raw = (path: string) =>
  new Promise<readonly [status: number | undefined, body: string]>((resolve, reject) => {
    get(bench.url, { path }, async (answer) => resolve([answer.statusCode, await readText(answer)])).on(
      "error",
      reject,
    );
  });
const revoke = async (id: string): Promise<void> =>
  bench.links.apply([await bench.links.state.revoke({ id, selector: { kind: "prefix", id } }, "operator")]);
async function records(): Promise<readonly Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for (const { writer } of await bench.links.state.auditWriters())
    for (const { record } of await bench.links.state.auditRecords({ writer, after: 0, limit: 1000 }))
      found.push(JSON.parse(record));
  return found;
}

describe("the names of a set", () => {
  it("are numbered if they are equal, but no number takes another target's own name", () => {
    expect(setNames("media", KEYS)).toEqual(NAMES);
    expect(setNames("media", ["", "x/media", "b/.env", "c/.env", "d/t.tar.gz", "e/t.tar.gz"])).toEqual([
      ...["media/", "media (2)", ".env", ".env (2)", "t.tar.gz", "t.tar (2).gz"],
    ]);
    expect(
      new Set(
        setNames(
          "b",
          Array.from({ length: 100 }, (_, n) => `${n}/a (2)`),
        ),
      ).size,
    ).toBe(100);
  });

  it.each([
    [["x/a", "x/b"], "x/"],
    [["x/ab", "x/ac/"], "x/"],
    [["x/a", "xy/a"], ""],
    [["x/y/"], "x/y/"],
    [["x/y/", "x/y/z"], "x/y/"],
    [["", "x/"], ""],
  ])("begin below the folder that all are in: %j", (keys, folder) => {
    expect(sharedFolder(keys)).toBe(folder);
  });
});

describe("a link to a set", () => {
  it("is one folder with all targets, folders first, under their numbered names", async () => {
    const path = await set();
    const { status: code, text: shown } = await page(path);
    expect([code, rows(shown)]).toEqual([200, ["b", ".env", "a (2).jpg", "a (3).jpg", "a.jpg"]]);
    expect(shown).toContain("<h1><bdi>4 files, 1 folder</bdi></h1>");
    expect(shown).toContain('<p class="sum">4 files, 1 folder · 63 ');
    expect((await page(path, { "accept-language": "de" })).text).toContain("<h1><bdi>4 Dateien, 1 Ordner</bdi></h1>");
    expect(await status(path.slice(0, -1))).toBe(303);
  });

  it("serves each target at its name, and a prefix with all that is below it", async () => {
    const path = await set();
    expect(await text(`${path}a%20(3).jpg`)).toBe("bytes of x/a.jpg");
    expect(await text(`${path}a%20(2).jpg`)).toBe("bytes of x/a (2).jpg");
    const answer = await bench.get(`${path}a%20(3).jpg`);
    expect(answer.headers.get("content-disposition")).toContain("a (3).jpg");
    expect(await text(`${path}b/sub/o.txt`)).toBe("bytes of y/b/sub/o.txt");
    const inner = await page(`${path}b/`);
    expect(rows(inner.text)).toEqual(["sub", "m.txt", "n.txt"]);
    expect(inner.text).toContain(`<a href="${path}">`);
    expect(await zipped(`${path}b/sub/?zip`)).toEqual(["o.txt"]);
  });

  it("leads from one file to the next, within the set and below a prefix", async () => {
    const path = await set();
    const { text: shown } = await page(`${path}a%20(2).jpg`);
    expect(shown).toContain(`href="${path}.env"`);
    expect(shown).toContain(`href="${path}a%20(3).jpg"`);
    expect(shown).toContain("2 of 4");
    expect((await page(`${path}b/m.txt`)).text).toContain(`href="${path}b/n.txt"`);
  });

  it("is zipped with the names that its page shows", async () => {
    const path = await set();
    const answer = await bench.get(`${path}?zip`);
    expect(answer.headers.get("content-disposition")).toContain("4 files, 1 folder.zip");
    await answer.arrayBuffer();
    expect(await zipped(`${path}?zip`)).toEqual([
      ...["a.jpg", "a (3).jpg", "a (2).jpg", "b/m.txt", "b/n.txt", "b/sub/o.txt", ".env"],
    ]);
  });

  it("shows thumbnails as a folder does", async () => {
    writeAll();
    const picture = cameraFile({ size: 20_000 });
    for (const key of ["p.jpg", "x/p.jpg"]) bench.write(key, picture);
    const path = await set(["p.jpg", "x/p.jpg"]);
    const { text: gallery } = await page(`${path}?view=gallery`);
    expect(gallery).toContain(`<img src="${path}p%20(2).jpg?thumb"`);
    const thumb = await bench.get(`${path}p%20(2).jpg?thumb`);
    expect([thumb.headers.get("content-type"), (await thumb.arrayBuffer()).byteLength]).toEqual(["image/jpeg", 20_000]);
    bench.write("x/p.jpg", cameraFile({ size: 30_000 }));
    expect(await status(`${path}p%20(2).jpg?thumb`)).toBe(410);
  });

  it.each([
    ...["secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "b/../../../secret.txt", "b/%2e%2e/%2e%2e/secret.txt"],
    ...["b%2fn.txt", "b/..%5c..%5csecret.txt", "x/a.jpg", "y/b/n.txt", "a.jpg/", "a.jpg/x", "b", "b.git/config"],
    ...["a%20(4).jpg", "a%20(1).jpg", "A.JPG", "/a.jpg", "/secret.txt", "b/.git/config", "%00", "a.jpg%00"],
  ])("does not know %s, which no target has", async (address) => {
    const path = await set();
    for (const query of ["", "?zip", "?thumb", "?download", "?view"]) {
      const answer = await raw(path + address + query);
      expect(answer, address + query).toEqual([404, "this link does not exist\n"]);
    }
  });

  it("shares a hidden name that is a target itself, and none below a prefix", async () => {
    const path = await set();
    expect(await text(`${path}.env`)).toBe("bytes of .env");
    const hidden = await set(["y/b/.git/", "a.jpg"]);
    expect(await text(`${hidden}.git/config`)).toBe("bytes of y/b/.git/config");
    const shown = await set(DEFAULT, { hidden: true });
    expect(await zipped(`${shown}?zip`)).toContain("b/.git/config");
  });

  it("refuses a changed target alone, and leaves it out of its page and its zip", async () => {
    const path = await set();
    bench.write("x/a.jpg", "other");
    expect(await status(`${path}a%20(3).jpg`)).toBe(410);
    expect(await text(`${path}a%20(2).jpg`)).toBe("bytes of x/a (2).jpg");
    expect(rows((await page(path)).text)).toEqual(["b", ".env", "a (2).jpg", "a.jpg"]);
    expect(await zipped(`${path}?zip`)).not.toContain("a (3).jpg");
    const changed = (await records()).find(({ result }) => result === "changed");
    expect(changed?.["target"]).toBe("media/x/a.jpg");
    const one = await set(["secret.txt"]);
    bench.write("secret.txt", "changed");
    expect([await status(one), (await page(one)).status]).toEqual([410, 410]);
  });

  it("serves a changed target if it follows, and pins it again when it no longer does", async () => {
    const path = await set(["a.jpg", "y/b/"], { follow: true });
    const id = path.split("/")[2];
    const change = (follow: boolean) =>
      call(`/links/${id}`, { method: "PATCH", body: { follow }, headers: { "if-match": "*" } }, true);
    bench.write("a.jpg", "second");
    expect(await text(`${path}a.jpg`)).toBe("second");
    expect((await change(false)).status).toBe(200);
    expect(await text(`${path}a.jpg`)).toBe("second");
    bench.write("a.jpg", "the third");
    expect(await status(`${path}a.jpg`)).toBe(410);
    await change(true);
    expect(await text(`${path}a.jpg`)).toBe("the third");
  });

  it("loses a revoked target alone, keeps the names of the others, and is revoked with the last", async () => {
    const path = await set();
    await revoke("media/a.jpg");
    await revoke("media/y/b/sub/");
    expect([await status(`${path}a.jpg`), await status(`${path}b/sub/o.txt`)]).toEqual([410, 410]);
    expect(rows((await page(path)).text)).toEqual(["b", ".env", "a (2).jpg", "a (3).jpg"]);
    expect(rows((await page(`${path}b/`)).text)).toEqual(["m.txt", "n.txt"]);
    expect(await zipped(`${path}?zip`)).toEqual(["a (3).jpg", "a (2).jpg", "b/m.txt", "b/n.txt", ".env"]);
    await revoke("media/y/");
    expect([await status(`${path}b/`), await status(`${path}b/n.txt`)]).toEqual([410, 410]);
    expect((await call(`/links/${path.split("/")[2]}`, {}, true)).body.status).toBe("open");
    for (const rest of ["media/x/", "media/.env"]) await revoke(rest);
    expect([await status(path), await status(`${path}?zip`)]).toEqual([410, 410]);
    expect((await call(`/links/${path.split("/")[2]}`, {}, true)).body.status).toBe("revoked");
  });

  it("loses a running zip by the revocation of a part of it, and by no other", async () => {
    const cut: string[] = [];
    const parts = ["x/a.jpg", "y/b/"];
    bench.links.running({ id: "v", bucket: "media", prefix: "", parts }, () => void cut.push("set"));
    bench.links.running({ id: "v", bucket: "media", key: "x/a.jpg" }, () => void cut.push("a.jpg"));
    for (const prefix of ["media/z/", "media/x/a.jpg.bak", "media/y/a"]) await revoke(prefix);
    expect(cut).toEqual([]);
    await revoke("media/y/b/sub/");
    expect(cut).toEqual(["set"]);
    await revoke("media/x/");
    expect(cut).toEqual(["set", "set", "a.jpg"]);
  });

  it("is refused as a whole if the scope of its owner no longer covers each target", async () => {
    writeAll();
    const token = { id: "t", hash: "h", scopes: ["links:write"], createdAt: bench.now } as const;
    await bench.links.state.addToken({ ...token, buckets: ["media"], prefix: "x/" }, "operator");
    const make = (targets: readonly string[]) =>
      bench.make({ kind: "set", key: sharedFolder(targets), targets, owner: "token:t" });
    const [inside, outside] = [await make(["x/a.jpg", "x/a (2).jpg"]), await make(["x/a.jpg", "a.jpg"])];
    expect(await status(`/l/${inside.variant.id}/a.jpg`)).toBe(200);
    for (const rest of ["/", "/a.jpg", "/a%20(2).jpg", "/?zip"])
      expect(await status(`/l/${outside.variant.id}${rest}`)).toBe(410);
    const folder = await make(["x/a.jpg", "y/b/"]);
    for (const rest of ["/", "/a.jpg", "/b/n.txt"]) expect(await status(`/l/${folder.variant.id}${rest}`)).toBe(410);
  });

  it("opens by one delivery if it counts, and its records name what was delivered", async () => {
    const path = await set(["x/a.jpg", "x/a (2).jpg", "y/b/"], { maxDeliveries: 1 });
    const link = path.slice(0, -1);
    for (const rest of ["", "a.jpg", "b/", "secret.txt", "?zip"]) expect(await status(path + rest)).toBe(428);
    expect((await page(path)).text).toContain("2 files, 1 folder");
    const pressed = await bench.press(link, { claim: "claim-key-0123456789" });
    expect([pressed.status, pressed.headers.get("location")]).toEqual([303, path]);
    const cookie = pressed.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect(rows((await page(path, { cookie })).text)).toEqual(["b", "a (2).jpg", "a.jpg"]);
    expect(await (await bench.get(`${path}a.jpg`, { headers: { cookie } })).text()).toBe("bytes of x/a.jpg");
    await revoke("media/x/a (2).jpg");
    expect(await zipped(`${path}?zip`, { cookie })).toEqual(["a.jpg", "b/m.txt", "b/n.txt", "b/sub/o.txt"]);
    expect((await bench.press(link, { claim: "other-key-0123456789" })).status).toBe(410);
    const targets = (await records()).flatMap(({ action, target }) => (target === undefined ? [] : [[action, target]]));
    expect(targets).toContainEqual(["link.created", "media/{x/a.jpg,x/a (2).jpg,y/b/}"]);
    expect(targets).toContainEqual(["delivery.continued", "media/x/a.jpg"]);
    expect(targets).toContainEqual(["delivery.continued", "media/{x/a.jpg,y/b/}"]);
  });
});

describe("POST /links with targets", () => {
  it("answers what the link opens", async () => {
    writeAll();
    const { body } = await created(["x/a.jpg", "y/b/"]);
    expect([body.kind, body.target, body.targets]).toEqual(["set", undefined, ["media/x/a.jpg", "media/y/b/"]]);
  });

  it.each<readonly [string, Body, string]>([
    ["no target", { targets: [] }, "targets is too small. Send 1 or more entries."],
    ["neither form", {}, "target: send either target or targets"],
    ["both forms", { target: "media/a.jpg", targets: ["media/a.jpg"] }, "target: send either target or targets"],
    ["101 targets", { targets: Array(101).fill("media/y/b/") }, "targets is too large. Send at most 100 entries."],
    ["one twice", { targets: ["media/a.jpg", "media/a.jpg"] }, "targets has media/a.jpg twice. Name it once."],
    [
      "two buckets",
      { targets: ["media/a.jpg", "other/a.jpg"] },
      "targets: media and other are two buckets. Use one link for each",
    ],
    ["a route", { targets: ["media/a.jpg", "route:/app/"] }, "targets: a route needs a separate link"],
    [
      "an object that does not exist",
      { targets: ["media/a.jpg", "media/none"] },
      "there is no none in media/. Upload it first, or correct the target.",
    ],
  ])("refuses %s", async (_, body, detail) => {
    writeAll();
    bench.write("../other/a.jpg", "other");
    const answer = await call("/links", { method: "POST", body }, true);
    expect([answer.status, answer.body.code]).toEqual([400, "INVALID_INPUT"]);
    expect(answer.body.detail).toBe(detail);
  });

  it.each(["x/../", "x//", "x/..", "a\\b", "a\nb", "\ud800/"])("refuses %j, which no address can name", async (key) => {
    const make = bench.make({ kind: "set", key: "", targets: [key] });
    await expect(make).rejects.toThrow(/^targets: the last name of "media\/.* cannot be in an address. Rename it.$/);
  });

  it("takes a folder without its slash, and no target twice in two spellings", async () => {
    writeAll();
    expect((await created(["a.jpg", "y/b"])).body.targets).toEqual(["media/a.jpg", "media/y/b/"]);
    const { body } = await created(["y/b", "y/b/"]);
    expect(body.detail).toBe("targets has media/y/b/ twice. Name it once.");
  });

  it("takes 100 targets, and refuses a token that may not share each of them", async () => {
    writeAll();
    const keys = Array.from({ length: 100 }, (_, n) => `many/${n}.txt`);
    for (const key of keys) bench.write(key, key);
    const { status: code, body } = await created(keys);
    expect([code, body.targets.length]).toEqual([201, 100]);
    const { text: shown } = await page(`${new URL(body.url).pathname}/`);
    expect(rows(shown).slice(0, 3)).toEqual(["0.txt", "1.txt", "2.txt"]);
    const scopes = ["links:write", "links:read"];
    const token = await call("/tokens", { method: "POST", body: { scopes, prefix: "x/" } }, true);
    const headers = { authorization: `Bearer ${token.body.secret ?? token.body.token}` };
    const shared = (targets: readonly string[]) => call("/links", { method: "POST", body: { targets }, headers });
    expect((await shared(["media/x/a.jpg"])).status).toBe(201);
    const refused = await shared(["media/x/a.jpg", "media/a.jpg"]);
    expect([refused.status, refused.body.code]).toEqual([403, "TOKEN_SCOPE"]);
  });
});
