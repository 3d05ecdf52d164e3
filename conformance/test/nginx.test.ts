import { type NginxSignerOptions, type NginxSignRequest, nginxSigner, nginxVerifier } from "daypass/nginx";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import { arrived, damaged, outcome } from "../edge.ts";
import { randomEdgeWish, wishedTarget } from "../random/edge-wishes.ts";
import { runSeed, seeded } from "../random/seeded.ts";
import { send } from "../send.ts";
import { type Nginx, startNginx } from "../servers/nginx.ts";

const missing = needs("nginx");
const COUNT = 2_000;

/** Expressions as nginx.conf spells them, by the first segment of the paths that they are for. */
const EXPRESSIONS: Readonly<Record<string, string>> = {
  plain: "$secure_link_expires$uri $secret",
  address: "$secure_link_expires$uri$remote_addr $secret",
  user: "$secure_link_expires$uri $arg_user $secret",
  all: "$secure_link_expires:$scheme:$host:$request_method:$remote_addr:$http_x_tenant:$uri $secret",
  endless: "$uri $secret",
};
const SECRET = "s3cr3t";

const location = ([name, expression]: readonly [string, string]): string => `
location /${name}/ {
  secure_link $arg_md5${name === "endless" ? "" : ",$arg_expires"};
  secure_link_md5 "${expression.replace("$secret", SECRET)}";
  if ($secure_link = "") { return 403; }
  if ($secure_link = "0") { return 410; }
  return 200 $uri;
}`;

describe.skipIf(missing)(`links of Daypass, judged by nginx' secure_link${missing ?? ""}`, () => {
  let nginx: Nginx;
  beforeAll(async () => {
    nginx = await startNginx(Object.entries(EXPRESSIONS).map(location).join(""));
  });
  afterAll(() => nginx?.stop());

  const sign = (name: string, request: Partial<NginxSignRequest> = {}, options: Partial<NginxSignerOptions> = {}) =>
    nginxSigner({ secret: SECRET, expression: EXPRESSIONS[name], ...options }).sign({
      url: `${nginx.origin}/${name}/a.txt`,
      ...(name === "endless" ? { withoutExpiry: "accept" } : { expiresIn: 60 }),
      ...(name === "address" || name === "all" ? { bind: { ip: "127.0.0.1" } } : {}),
      ...request,
    });
  const verifier = (name: string) =>
    nginxVerifier({
      secrets: SECRET,
      expression: EXPRESSIONS[name],
      withoutExpiry: name === "endless" ? "accept" : undefined,
      origins: [nginx.origin],
    });
  const get = async (url: string, headers?: Readonly<Record<string, string>>): Promise<readonly [number, string]> => {
    const { status, body } = await send({ method: "GET", url, headers });
    return [status, status === 200 ? body.toString() : ""];
  };

  test(`takes ${COUNT} random links, and none of them once damaged; neither does the verifier`, async () => {
    const random = seeded(runSeed());
    for (let left = COUNT; left > 0; left--) {
      const name = random.pick(["plain", "address", "endless"]);
      const wish = randomEdgeWish(random, { query: false });
      const target = `/${name}${wishedTarget(wish)}`;
      const { url } = sign(name, { url: nginx.origin + target });
      const request = arrived(url, { remoteAddress: "127.0.0.1" });
      expect([url, ...(await get(url))]).toEqual([url, 200, decodeURIComponent(target)]);
      expect([url, await outcome(verifier(name), request)]).toEqual([url, "accepted"]);

      for (const bad of [damaged(url, "md5"), url.replace(`/${name}/`, `/${name}/x`)]) {
        expect([bad, (await get(bad))[0]]).toEqual([bad, 403]);
        const judged = await outcome(verifier(name), arrived(bad, { remoteAddress: "127.0.0.1" }));
        expect([bad, judged]).toEqual([bad, "SIGNATURE_MISMATCH"]);
      }
    }
  });

  test("takes what an expression binds, and nothing else in its place", async () => {
    const user = sign("user", { bind: { query: { user: "7" } } }).url;
    expect((await get(user))[0]).toBe(200);
    expect((await get(user.replace("user=7", "user=8")))[0]).toBe(403);
    const { url, headers } = sign("all", { bind: { ip: "127.0.0.1", headers: { "x-tenant": "a b" } } });
    expect((await get(url, headers))[0]).toBe(200);
    expect((await get(url, { "x-tenant": "b" }))[0]).toBe(403);
    expect((await get(url, { ...headers, host: "files.example.com" }))[0]).toBe(403);
    expect((await send({ method: "HEAD", url, headers })).status).toBe(403);
    const elsewhere = sign("address", { bind: { ip: "10.0.0.1" } }).url;
    expect((await get(elsewhere))[0]).toBe(403);
    // $host knows no port and no upper case.
    expect((await get(url, { ...headers, host: "127.0.0.1" }))[0]).toBe(200);
  });

  test("ends one second later than the verifier", async () => {
    const until = (instant: number) => new Promise((resolve) => setTimeout(resolve, instant - Date.now()));
    // One look at the clock: the second may end before the next, and with it the link.
    const now = new Date();
    const end = Math.floor(now.getTime() / 1000) + 1;
    const life = { expiresAt: new Date(end * 1000), expiresIn: undefined };
    const { url } = sign("plain", life, { clock: () => now });
    await until(end * 1000 + 20);
    expect(await outcome(verifier("plain"), arrived(url))).toBe("EXPIRED");
    const [status] = await get(url);
    // Unless this machine was busy for a second.
    if (Date.now() < end * 1000 + 1000) expect(status).toBe(200);
    await until(end * 1000 + 1020);
    expect(await get(url)).toEqual([410, ""]);
  });

  // nginx accepts more than the verifier: docs/schemes/nginx.md, "Stricter than nginx".
  test.each([
    ["a parameter that nothing signs", (url: string) => `${url}&x=1`, "UNSIGNED_PARAMETER"],
    ["names in upper case", (url: string) => url.replace("md5=", "MD5="), "MALFORMED"],
    ["a second expires", (url: string) => `${url}&expires=1`, "MALFORMED"],
    ["padding", (url: string) => url.replace("&expires", "==&expires"), "MALFORMED"],
    ["another last character with the same 128 bits", lastBits, "SIGNATURE_MISMATCH"],
    ["repeated slashes", (url: string) => url.replace("/a.txt", "//a.txt"), "MALFORMED"],
    ["dot segments", (url: string) => url.replace("/a.txt", "/x/../a.txt"), "MALFORMED"],
    ["letters that are escaped", (url: string) => url.replace("/a.txt", "/%61.txt"), "MALFORMED"],
  ])("takes %s", async (_what, change, code) => {
    const url = change(sign("plain").url);
    expect((await get(url))[0]).toBe(200);
    expect(await outcome(verifier("plain"), arrived(url))).toBe(code);
  });
});

function lastBits(url: string): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return url.replace(/(md5=.{21})(.)/, (_all, start: string, last: string) => start + digits[digits.indexOf(last) + 1]);
}
