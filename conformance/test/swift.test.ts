import { explain } from "daypass/explain";
import { type SwiftSignRequest, swiftSigner, swiftVerifier } from "daypass/swift";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import { HOSTILE_KEYS } from "../random/hostile-keys.ts";
import { type Answer, send } from "../send.ts";
import { type Swift, startSwift } from "../servers/swift.ts";
import { encodeBytes } from "../sigv4.ts";

const rings = ["account", "container", "object"].map((ring) => `swift-${ring}-server`);
const missing = needs("swift-proxy-server", ...rings, "swift-ring-builder", "memcached");
const DIGESTS = ["sha1", "sha256", "sha512"] as const;
type Digest = (typeof DIGESTS)[number];

describe.skipIf(missing)(`TempURLs of Daypass, judged by OpenStack Swift${missing ?? ""}`, () => {
  let swift: Swift;
  beforeAll(async () => {
    swift = await startSwift();
    await put("talks/keynote.mp4", "content");
    await put("other/secret", "secret");
  });
  afterAll(() => swift?.stop());

  const put = async (name: string, body: string): Promise<void> => {
    const path = `/${swift.container}/${encodeBytes(name, "/")}`;
    expect([name, (await swift.asOwner({ method: "PUT", path, body })).status]).toEqual([name, 201]);
  };
  interface Wish extends Partial<SwiftSignRequest> {
    readonly digest?: Digest;
    readonly key?: string;
    readonly clock?: () => Date;
  }
  const sign = async (wish: Wish = {}): Promise<{ readonly url: string; readonly method: string }> => {
    const { digest = "sha256", key = swift.keys.first, clock, ...request } = wish;
    const options = { endpoint: swift.endpoint, account: swift.account, key, clock };
    const signer = digest === "sha512" ? swiftSigner({ ...options, digest }) : swiftSigner({ ...options, digest });
    const life = request.expiresAt === undefined ? { expiresIn: 60 } : {};
    return signer.sign({ container: swift.container, object: "talks/keynote.mp4", ...life, ...request });
  };
  const outcome = ({ status, body }: Answer): readonly [number, string] => [
    status,
    status < 300 ? body.toString() : "",
  ];
  const fetched = async (wish: Wish): Promise<readonly [number, string]> => outcome(await send(await sign(wish)));
  const ok = [200, "content"];

  test.each(DIGESTS)("takes HMACs with %s, with every key", async (digest) => {
    for (const key of Object.values(swift.keys)) expect(await fetched({ digest, key })).toEqual(ok);
    expect(await fetched({ digest, key: "no key" })).toEqual([401, ""]);
    expect(await fetched({ digest, expiresAs: "iso" })).toEqual(ok);
    expect(await fetched({ digest, prefix: "talks/" })).toEqual(ok);
    expect(await fetched({ digest, bind: { ip: "127.0.0.1" } })).toEqual(ok);
    expect(await fetched({ digest, bind: { ip: "127.0.0.0/8" }, prefix: "talks/", expiresAs: "iso" })).toEqual(ok);
    expect(await fetched({ digest, bind: { ip: "10.0.0.0/8" } })).toEqual([401, ""]);
    const clock = () => new Date(Date.now() - 61_000);
    for (const expiresAs of ["unix", "iso"] as const) {
      expect(await fetched({ digest, clock, expiresAs })).toEqual([401, ""]);
    }
  });

  test("answers a page's preflight by the rule that explain prints, and no other page's", async () => {
    const origin = "https://page.example";
    const { url } = await sign({ method: "PUT", object: "talks/page.txt" });
    const preflight = async (from: string) => {
      const headers = {
        ...{ origin: from, "access-control-request-method": "PUT" },
        "access-control-request-headers": "content-type",
      };
      const answer = await send({ method: "OPTIONS", url, headers });
      return [answer.status, answer.headers["access-control-allow-origin"]];
    };
    expect(await preflight(origin)).toEqual([401, undefined]);
    const { browser } = await explain(url, { request: { method: "PUT" }, origin });
    const headers = browser?.cors as Readonly<Record<string, string>>;
    const set = await swift.asOwner({ method: "POST", path: `/${swift.container}`, headers });
    expect(set.status).toBe(204);
    expect(await preflight(origin)).toEqual([200, origin]);
    expect(await preflight("https://other.example")).toEqual([401, undefined]);
    const put = await send({ method: "PUT", url, headers: { origin }, body: "of a page" });
    expect([put.status, put.headers["access-control-allow-origin"]]).toEqual([201, origin]);
    expect(put.headers["access-control-expose-headers"]).toContain("etag");
  });

  test("takes each method for itself, and HEAD with most", async () => {
    const upload = await sign({ method: "PUT", object: "talks/new" });
    expect((await send({ ...upload, body: "uploaded" })).status).toBe(201);
    const asked = async (signed: SwiftSignRequest["method"], method: string): Promise<boolean> => {
      const { url } = await sign({ method: signed, object: "talks/new" });
      return (await send({ method, url, body: method === "PUT" ? "again" : undefined })).status < 300;
    };
    const granted: Record<string, string> = {};
    const methods = ["GET", "HEAD", "PUT", "POST", "DELETE"] as const;
    for (const signed of methods) {
      const taken: string[] = [];
      // DELETE last, or there is nothing left to ask for.
      for (const method of methods) if (await asked(signed, method)) taken.push(method);
      granted[signed] = taken.join(" ");
    }
    // What the verifier grants, too.
    expect(granted).toEqual({ GET: "GET HEAD", HEAD: "HEAD", PUT: "HEAD PUT", POST: "HEAD POST", DELETE: "DELETE" });
    for (const signed of methods) {
      const { url } = await sign({ method: signed, object: "talks/new" });
      const verifier = swiftVerifier({
        keys: { account: swift.account, key: swift.keys.first },
        origins: [swift.endpoint],
      });
      const [, authority = "", target = ""] = /^http:\/\/([^/]+)(.*)$/.exec(url) ?? [];
      const grant = await verifier.verify({ method: signed, target, authority, headers: [] });
      expect([...grant.methods].sort().join(" ")).toBe(granted[signed]?.split(" ").sort().join(" "));
    }
  });

  test("takes hostile names as they are", async () => {
    for (const object of HOSTILE_KEYS) {
      const body = `content of ${object}`;
      const upload = await sign({ method: "PUT", object, dotSegments: "sign" });
      expect([object, (await send({ ...upload, body })).status]).toEqual([object, 201]);
      expect(await fetched({ object, dotSegments: "sign" })).toEqual([200, body]);
    }
  });

  test("opens all below a prefix and nothing beside it", async () => {
    const { url } = await sign({ prefix: "talks/" });
    const at = (path: string): Promise<readonly [number, string]> =>
      send({ method: "GET", url: url.replace("talks/keynote.mp4", path) }).then(outcome);
    expect(await at("talks/keynote.mp4")).toEqual(ok);
    expect(await at("talks/none")).toEqual([404, ""]);
    for (const beside of ["other/secret", "talk", "talks", "Talks/keynote.mp4", "other/secret?talks/"]) {
      expect([beside, ...(await at(beside))]).toEqual([beside, 401, ""]);
    }
  });

  test("serves what filename and inline say, signed or not", async () => {
    const { url } = await sign({ filename: "größe.mp4", inline: true });
    const disposition = async (link: string) =>
      String((await send({ method: "GET", url: link })).headers["content-disposition"]);
    expect(await disposition(url)).toMatch(/^inline; filename="gr%C3%B6%C3%9Fe\.mp4"/);
    // This is why we warn.
    expect(await disposition(`${(await sign()).url}&filename=evil.exe`)).toMatch(/^attachment; filename="evil\.exe"/);
  });

  test.each(DIGESTS)("refuses every tampered URL with %s", async (digest) => {
    const { url } = await sign({ digest, prefix: "talks/", bind: { ip: "127.0.0.0/8" } });
    expect(outcome(await send({ method: "GET", url }))).toEqual(ok);
    const later = url.replace(/expires=(\d+)/, (_, end: string) => `expires=${Number(end) + 1}`);
    const signature = /temp_url_sig=([^&]+)/.exec(url)?.[1] ?? "";
    const changed = (from: string | RegExp, to: string): string => {
      const tampered = url.replace(from, to);
      expect(tampered).not.toBe(url);
      return tampered;
    };
    const tampered = {
      "a later end": later,
      "another network": changed("127.0.0.0%2F8", "0.0.0.0%2F0"),
      "no network": changed(/&temp_url_ip_range=[^&]*/, ""),
      "a wider prefix": changed("temp_url_prefix=talks%2F", "temp_url_prefix="),
      "no prefix": changed(/&temp_url_prefix=[^&]*/, ""),
      "another container": changed("/media/", "/other/"),
      "another object": changed("/talks/keynote.mp4", "/other/secret"),
      "no end": changed(/temp_url_expires=[^&]*&/, ""),
      "no signature": changed(/temp_url_sig=[^&]*&/, ""),
      "another signature": changed(
        signature,
        signature.replace(
          /^(sha512:)?(.)/,
          (_, digest: string = "", first: string) => digest + (first === "0" ? "1" : "0"),
        ),
      ),
      "the signature of another method": (await sign({ digest, method: "PUT", prefix: "talks/" })).url,
    };
    const accepted: string[] = [];
    for (const [name, link] of Object.entries(tampered)) {
      if ((await send({ method: "GET", url: link })).status < 400) accepted.push(name);
    }
    expect(accepted).toEqual([]);
  });
});
