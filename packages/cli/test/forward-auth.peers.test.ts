import { once } from "node:events";
import { createServer } from "node:http";
import { urlSigner } from "daypass/url";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { needs } from "../../../tools/needs.ts";
import { BROWSER, KEY, LOGIN, ORIGIN, openAlbum, PROXIES } from "./protected-album.ts";

/** Headers that make some apps treat a GET as another method. */
const OVERRIDES = { "x-http-method-override": "DELETE", "x-http-method": "DELETE", "x-method-override": "DELETE" };

/** The photo app, which shows what reached it. */
async function app(port: number): Promise<string[]> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    const overrides = Object.keys(headers).filter((header) => Object.hasOwn(OVERRIDES, header));
    seen.push([method, url, headers["daypass-subject"] || "-", ...overrides].join(" "));
    response.end(`photos ${url}`);
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return seen;
}

describe.each(Object.entries(PROXIES))("one album behind %s", (name, [commands, start]) => {
  const missing = needs(...commands, "openssl");

  test.skipIf(missing)(
    `is let out for a while, as the guide configures it${missing ?? ""}`,
    { timeout: 120_000 },
    async () => {
      const port = await freePort();
      const seen = await app(port);
      const { gateway, link, cookie, get, links } = await openAlbum(name, start, port);

      // The login stays as it was.
      expect((await get("/album/7/")).status).toBe(401);
      expect(await get("/album/8/", { authorization: LOGIN, "daypass-subject": "forged" })).toMatchObject({
        status: 200,
      });
      expect(seen.splice(0)).toEqual(["GET /album/8/ -"]);

      const visitor = { cookie: `theme=dark; ${cookie}`, "daypass-subject": "forged", ...OVERRIDES };
      expect(await get("/album/7/a%20b.jpg?size=2", visitor)).toMatchObject({
        status: 200,
        body: expect.stringContaining("photos /album/7/a%20b.jpg?size=2"),
      });
      expect((await get("/album/7/", visitor, "HEAD")).status).toBe(200);
      expect(seen.splice(0)).toEqual(["GET /album/7/a%20b.jpg?size=2 Zo%C3%AB", "HEAD /album/7/ Zo%C3%AB"]);
      for (const target of [
        "/album/8/",
        "/album/7/../8/",
        "/album/7/%2e%2e/8/",
        "/album/7//a",
        "/album/7/%2F",
        "/album/7/;a",
        "/album/%37/",
      ]) {
        const { status } = await get(target, visitor);
        expect([target, [400, 401, 403, 404].includes(status)]).toEqual([target, true]);
      }
      expect((await get("/album/7/", visitor, "POST", "x")).status).toBeGreaterThanOrEqual(400);
      expect(
        (await get("/album/7/", { cookie: cookie.replace(/\../, (old) => (old === ".x" ? ".y" : ".x")) })).status,
      ).toBe(name === "nginx" ? 401 : 403);
      expect(seen.splice(0)).toEqual([]);

      // A signed URL needs no visit.
      const signed = urlSigner({ key: KEY })
        .sign({ url: `${ORIGIN}/album/9/c.jpg`, expiresIn: 60 })
        .url.slice(ORIGIN.length);
      expect((await get(signed)).status).toBe(200);
      expect((await get(signed.replace("/9/", "/7/"))).status).toBeGreaterThanOrEqual(400);
      expect(seen.splice(0)).toEqual([`GET ${signed} -`]);

      // Taken back on Tuesday.
      await links("revoke", link.id);
      expect((await get("/album/7/", visitor)).status).toBeGreaterThanOrEqual(400);
      const ended = await get("/album/7/", { ...visitor, ...BROWSER });
      if (name === "nginx") {
        const [, location = ""] = /^location: (.*)\r$/im.exec(`${ended.head}\r\n`) ?? [];
        expect([ended.status, location]).toEqual([302, expect.stringMatching(/^\/-\/daypass\/l\/\w{22}$/)]);
        expect((await get(location, BROWSER)).body).toContain("withdrew");
        // The browser removed the cookie of a visit that is over.
        const [, link = ""] = cookie.split("; ");
        expect((await get("/album/7/", { ...BROWSER, cookie: link })).status).toBe(302);
        const login = await get("/album/7/", BROWSER);
        expect([login.status, login.head]).toEqual([401, expect.stringMatching(/www-authenticate: basic/i)]);
      } else expect(ended.status).toBe(403);
      expect((await get("/album/8/", { authorization: LOGIN })).status).toBe(200);
      expect(seen.splice(0)).toEqual(["GET /album/8/ -"]);

      // Without an answer, the proxy refuses.
      await gateway.stop();
      expect((await get(signed)).status).toBeGreaterThanOrEqual(400);
      expect(seen).toEqual([]);
    },
  );
});
