import { existsSync } from "node:fs";
import type { DaypassError } from "daypass";
import { swiftSigner, swiftVerifier } from "daypass/swift";
import { describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import { hasHiddenDotSegment } from "../dot-segments.ts";
import { randomSwiftWish, type SwiftWish, swiftclientUrls } from "../oracles/swiftclient.ts";
import { runCount, runSeed, seeded } from "../random/seeded.ts";
import { encodeBytes } from "../sigv4.ts";

const library = "/usr/lib/python3/dist-packages/swiftclient/utils.py";
const missing = needs("python3") ?? (existsSync(library) ? undefined : needs("python3-swiftclient"));
const endpoint = "https://swift.example.com";

/** swiftclient encodes nothing: what it gives has still to be made a URL. */
function encoded(url: string, { name, account, container, ip, prefix }: SwiftWish): string {
  const path = `/v1/${account}/${container}/${name}`;
  expect(url.startsWith(`${path}?temp_url_sig=`)).toBe(true);
  let query = url.slice(path.length);
  if (prefix) query = query.slice(0, query.length - name.length) + encodeBytes(name);
  if (ip !== null) query = query.replace(`temp_url_ip_range=${ip}`, `temp_url_ip_range=${encodeBytes(ip)}`);
  return endpoint + encodeBytes(path, "/") + query;
}

const codeOf = (error: DaypassError): string => error.code;

async function ours(wish: SwiftWish): Promise<{ readonly url: string; readonly id: string }> {
  const { account, container, name, key, method, expires, prefix, iso, ip, digest } = wish;
  const options = { endpoint, account, key, clock: () => new Date((expires - 60) * 1000) };
  const signer = digest === "sha512" ? swiftSigner({ ...options, digest }) : swiftSigner({ ...options, digest });
  return signer.sign({
    container,
    object: name,
    method,
    expiresIn: 60,
    prefix: prefix ? name : undefined,
    prefixMatch: "text",
    expiresAs: iso ? "iso" : "unix",
    bind: { ip: ip ?? undefined },
    dotSegments: "sign",
  });
}

describe.skipIf(missing)(`python3-swiftclient of Debian${missing ?? ""}`, () => {
  test(`generate_temp_url: the same bytes as swiftSigner for ${runCount()} random requests`, async () => {
    const random = seeded(runSeed() + 3);
    const wishes = Array.from({ length: runCount() }, () => randomSwiftWish(random));
    const urls = swiftclientUrls(wishes);
    const digests: Record<string, number> = {};
    let refused = 0;
    for (const [at, url] of urls.entries()) {
      const wish = wishes[at] as SwiftWish;
      const context = JSON.stringify(wish);
      const link = await ours(wish);
      expect(link.url, context).toBe(encoded(url, wish));
      digests[wish.digest] = (digests[wish.digest] ?? 0) + 1;

      const { account, key, digest, expires, prefix, name, method, ip } = wish;
      const verifier = swiftVerifier({
        keys: { account, key, digests: [digest] },
        origins: [endpoint],
        prefixMatch: "text",
        clock: () => new Date((expires - 30) * 1000),
      });
      const target = encoded(url, wish).slice(endpoint.length);
      const remoteAddress = ip?.includes(":") ? "2001:db8::7" : "203.0.113.9";
      const sent = { method, target, authority: "swift.example.com", headers: [], remoteAddress };
      // What a server or a proxy could resolve to a path outside the prefix is refused here.
      if (prefix && hasHiddenDotSegment(name)) {
        refused += 1;
        expect(await verifier.verify(sent).catch(codeOf), context).toBe("MALFORMED");
        continue;
      }
      expect(await verifier.verify(sent), context).toMatchObject({ account, object: name, id: link.id });
    }
    console.log(
      `python3-swiftclient, seed ${runSeed()}: ${urls.length} of ${runCount()} equal,`,
      digests,
      `${refused} dot segments`,
    );
    expect(urls.length).toBe(runCount());
  });
});
