import type { WireRequest } from "daypass";
import { describe, expect, it } from "vitest";
import { wireRequest } from "../wire-request.ts";
import { cookieSigner, end, epoch, origin, policy, refusal, rejects, sign, url, verifier } from "./fixture.ts";

describe("signed cookies", () => {
  const send = (cookies: Readonly<Record<string, string>>, target = "/hls/1/a.ts"): WireRequest => ({
    method: "GET",
    target,
    authority: "media.example.com",
    headers: [
      [
        "Cookie",
        Object.entries({ session: "x", ...cookies })
          .map((pair) => pair.join("="))
          .join("; "),
      ],
    ],
  });

  it("accepts the URLs of a cookie's resource, by a custom policy if it has a star", async () => {
    const signed = await cookieSigner.sign({ resource: `${origin}/hls/*`, expiresIn: 600 });
    expect(Object.keys(signed.cookies).sort()).toEqual([
      "CloudFront-Hash-Algorithm",
      "CloudFront-Key-Pair-Id",
      "CloudFront-Policy",
      "CloudFront-Signature",
    ]);
    const grant = await verifier.verify(send(signed.cookies));
    expect(grant).toMatchObject({ via: "cookies", policy: "custom", target: "/hls/1/a.ts", id: signed.id });
    expect(grant.expiresAt).toEqual(signed.expiresAt);
    expect(await refusal(send(signed.cookies, "/hls/2?x=1"))).toBe("accepted");
    expect(await refusal(send(signed.cookies, "/other"))).toBe("KEY_SCOPE");
    expect(await refusal(send(signed.cookies, "/hls/../secret"))).toBe("MALFORMED");
  });

  it("accepts one URL by a canned policy", async () => {
    const { cookies } = await cookieSigner.sign({ resource: `${url}?x=1`, expiresIn: 600 });
    expect(cookies["CloudFront-Expires"]).toBe(String(epoch + 600));
    expect(await refusal(send(cookies, "/talks/keynote.mp4?x=1"))).toBe("accepted");
    expect(await refusal(send(cookies, "/talks/keynote.mp4?x=2"))).toBe("SIGNATURE_MISMATCH");
    const later = { ...cookies, "CloudFront-Expires": String(epoch + 601) };
    expect(await refusal(send(later, "/talks/keynote.mp4?x=1"))).toBe("SIGNATURE_MISMATCH");
  });

  it("ignores cookies if the URL itself is signed", async () => {
    const { cookies } = await cookieSigner.sign({ resource: `${origin}/*`, expiresIn: 600 });
    const link = wireRequest(await sign());
    expect((await verifier.verify({ ...link, headers: send(cookies).headers })).via).toBe("url");
    const broken = { ...link, target: link.target.replace("keynote", "other") };
    expect(await refusal({ ...broken, headers: send(cookies).headers })).toBe("SIGNATURE_MISMATCH");
    expect(await refusal(send(cookies, "/a?Expires=1"))).toBe("MALFORMED");
  });

  it("refuses repeated, unknown and incomplete cookies", async () => {
    const { cookies } = await cookieSigner.sign({ resource: `${origin}/*`, expiresIn: 600 });
    const request = send(cookies);
    const [name = "", value = ""] = request.headers[0] ?? [];
    const with_ = (extra: string) => refusal({ ...request, headers: [[name, `${value}; ${extra}`]] });
    expect(await with_(`CloudFront-Policy=${cookies["CloudFront-Policy"]}`)).toBe("MALFORMED");
    expect(await with_("CloudFront-Scope=*")).toBe("MALFORMED");
    expect(await with_("CloudFront-Expires=9999999999")).toBe("MALFORMED");
    expect(await with_("other=1")).toBe("accepted");
    const { "CloudFront-Signature": _, ...fewer } = cookies;
    expect(await refusal(send(fewer))).toBe("MALFORMED");
    expect(await refusal(send({}))).toBe("NO_SIGNATURE");
  });

  it("accepts a policy written by hand and returns its resource", async () => {
    const text = policy(end, `${origin}/hls/*`);
    const { cookies } = await cookieSigner.sign({ resource: `${origin}/hls/*`, policy: text });
    expect(await refusal(send(cookies))).toBe("accepted");
    await rejects(cookieSigner.sign({ resource: `${origin}/*`, policy: text }), "INVALID_INPUT");
    await rejects(cookieSigner.sign({ resource: "ftp://x/*", expiresIn: 60 }), "INVALID_INPUT");
    await rejects(cookieSigner.sign({ resource: `${origin}/é*`, expiresIn: 60 }), "INVALID_INPUT");
  });
});
