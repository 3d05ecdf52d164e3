import { createHash, createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { DaypassError, isDaypassError, type WireRequest } from "../../src/index.ts";
import { urlStringToSign } from "../../src/schemes/url/canonical.ts";
import { urlSigner } from "../../src/schemes/url/index.ts";
import { AT, KEY, ORIGIN, outcome, request, sign, verify } from "./fixture.ts";

// Attacks that hit others, each under the name it has elsewhere. The grammar's share of them is in the vectors.

const change = (received: WireRequest, from: string | RegExp, to: string): WireRequest => {
  const target = received.target.replace(from, to);
  expect(target).not.toBe(received.target);
  return { ...received, target };
};

describe("parameters that are not there, or there twice", () => {
  it("laravel #59860, AIKIDO-2026-10659: an array where a time is expected", async () => {
    expect(await outcome(change(request(sign()), "dp-expires=", "dp-expires[]="))).toBe("MALFORMED");
    expect(await outcome(change(request(sign()), "dp-expires=", "dp-expires%5B%5D="))).toBe("MALFORMED");
    expect(await outcome(change(request(sign()), "dp-signature=", "dp-signature[]="))).toBe("MALFORMED");
  });

  it("laravel #37370, #37432, #37543: an empty value or a repeated parameter is appended", async () => {
    const link = request(sign({ url: `${ORIGIN}/a?page=1` }));
    for (const more of [
      "&admin=",
      "&admin",
      "&page=1",
      "&page=2",
      "&",
      "&dp-v=1",
      "&dp-signature=",
      "#x",
      "&=",
      "?x",
    ]) {
      expect(await outcome({ ...link, target: link.target + more }), more).toMatch(/^(MALFORMED|SIGNATURE_MISMATCH)$/);
    }
  });

  it("supabase without Expires, s3rver NaN, noobaa-core #8493: an expiry that is not a time never means without an end", async () => {
    const link = request(sign());
    for (const value of [
      "",
      "NaN",
      "0",
      "-1",
      "99999999T999999Z",
      "20260102T031905",
      "Infinity",
      "20260102T031905Z0",
    ]) {
      expect(await outcome(change(link, /dp-expires=[^&]*/, `dp-expires=${value}`)), value).toBe("MALFORMED");
    }
    expect(await outcome(change(link, /dp-expires=[^&]*&/, ""))).toBe("MALFORMED");
  });

  it("a constraint that is spelled so that only one of two readers sees it", async () => {
    const link = request(sign({ url: `${ORIGIN}/a?page=1` }));
    for (const name of ["dp", "DP", "%64p", "%44p", "d%70", "d%50", "D%50", "%44%50"])
      for (const dash of ["-", "%2d", "%2D"])
        expect(await outcome({ ...link, target: `${link.target}&${name}${dash}x=1` }), name + dash).toBe("MALFORMED");
  });

  it("a control that is no letter of ASCII", async () => {
    for (const control of ["%C2%80", "%C2%8F", "%C2%90", "%C2%9F", "%00", "%1F", "%7F"])
      expect(await outcome(change(request(sign()), "?", `${control}?`)), control).toBe("MALFORMED");
  });

  it("CVE-2026-41145: refuses a key id without a signature", async () => {
    expect(await outcome(change(request(sign()), /&dp-signature=[^&]*/, ""))).toBe("MALFORMED");
    expect(await outcome(change(request(sign()), /dp-signature=[^&]*/, "dp-signature="))).toBe("MALFORMED");
  });

  it("CVE-2025-31489: a known key id and a signature by any other secret", async () => {
    const forged = urlSigner({ key: { ...KEY, k: Buffer.alloc(32).toString("base64url") }, clock: () => AT }).sign({
      url: `${ORIGIN}/a`,
      expiresIn: 900,
    });
    expect(await outcome(request(forged))).toBe("SIGNATURE_MISMATCH");
  });

  it("seaweedfs #8878: no fixed signature is accepted", async () => {
    for (const bytes of [Buffer.alloc(32), Buffer.alloc(32, 255), createHash("sha256").digest()]) {
      const target = `dp-signature=${bytes.toString("base64url")}`;
      expect(await outcome(change(request(sign()), /dp-signature=[^&]*/, target))).toBe("SIGNATURE_MISMATCH");
    }
  });
});

describe("what is signed, and as what", () => {
  it("SigV1 and Flickr: no two requests have one string to sign", () => {
    const parts = { origin: ORIGIN, kind: "exact", path: "/a", query: "b=c", params: "dp-v=1", headers: "" } as const;
    const texts = [
      parts,
      { ...parts, path: "/ab", query: "=c" },
      { ...parts, path: "/a\n3:b=c", query: "" },
      { ...parts, query: "", params: "b=cdp-v=1" },
      { ...parts, params: "", headers: "dp-v=1" },
      { ...parts, headers: "a:b\n" },
      { ...parts, headers: "a:b" },
      { ...parts, kind: "prefix" as const },
    ].map((other) => urlStringToSign("HS256", other));
    expect(new Set(texts).size).toBe(texts.length);
  });

  it("Flickr: a plain hash over secret and text is no signature, so nothing can be appended to one", async () => {
    const link = sign();
    const secret = Buffer.from(KEY.k, "base64url");
    const params = "dp-date=20260102T030405Z&dp-expires=20260102T031905Z&dp-key=k1&dp-methods=GET&dp-v=1";
    const parts = { origin: ORIGIN, kind: "exact", path: "/invoices/7.pdf", query: "", params, headers: "" } as const;
    const text = urlStringToSign("HS256", parts);
    const mac = createHmac("sha256", secret).update(text).digest("base64url");
    expect(link.url).toContain(mac);
    const plain = createHash("sha256").update(secret).update(text).digest("base64url");
    expect(await outcome(change(request(link), mac, plain))).toBe("SIGNATURE_MISMATCH");
  });

  it("JWT algorithm confusion: the URL cannot choose an algorithm", async () => {
    for (const token of ["dp-alg=none", "dp-algorithm=HS256"]) {
      const link = request(sign());
      expect(await outcome({ ...link, target: link.target.replace("?", `?${token}&`) })).toBe("MALFORMED");
    }
  });

  it("supabase #1135, Appwrite #13744: a URL for reading does not write", async () => {
    for (const method of ["PUT", "POST", "DELETE", "PATCH", "OPTIONS", "get", "GET ", ""]) {
      expect(await outcome(request(sign(), { method })), method).toBe("METHOD_NOT_GRANTED");
    }
  });

  it("rails #41413, minio #5411: a URL for one purpose does not serve another", async () => {
    const link = request(sign({ audience: "avatar" }));
    expect(await outcome(link, { audience: "invoice" })).toBe("WRONG_AUDIENCE");
    expect(await outcome(link)).toBe("WRONG_AUDIENCE");
    expect(await outcome(request(sign()), { audience: "invoice" })).toBe("WRONG_AUDIENCE");
  });

  it("CVE-2018-16477, CVE-2026-28683: what the answer is served as cannot be added", async () => {
    const added = change(request(sign()), "&dp-signature", "&dp-response-content-type=text%2Fhtml&dp-signature");
    expect(await outcome(added)).toBe("SIGNATURE_MISMATCH");
  });

  it("CVE-2018-16477: an upload of the signed type has no other one beside it", async () => {
    const link = sign({ methods: ["PUT"], bind: { contentType: "image/png" } });
    const typed = (...types: readonly string[]) =>
      outcome(request(link, { method: "PUT", headers: types.map((type) => ["content-type", type] as const) }));
    expect(await typed("image/png")).toBeTypeOf("object");
    for (const types of [["image/png", "text/html"], ["text/html", "image/png"], ["image/png", "image/png"], []]) {
      expect(await typed(...types)).toBe("BODY_TYPE");
    }
  });

  it("laravel #43160: a parameter that may vary is named in the signature and hidden from the handler", async () => {
    const link = request(sign({ url: `${ORIGIN}/a?page=1`, vary: ["utm_source"] }));
    const grant = await verify({ ...link, target: `${link.target}&utm_source=mail;admin=1&utm_source=x` });
    expect(grant.target).toBe("/a?page=1");
    expect(grant.parameters).toEqual([["page", "1"]]);
    for (const other of ["utm_medium=mail", "utm_sources=x", "utm_sourc=x", "UTM_SOURCE=x", "utm%5fsource=x"]) {
      expect(await outcome({ ...link, target: `${link.target}&${other}` })).not.toBeTypeOf("object");
    }
    expect(await outcome(change(link, "dp-vary=utm_source", "dp-vary=page.utm_source"))).toBe("SIGNATURE_MISMATCH");
  });
});

describe("which resource", () => {
  const link = request(sign({ url: `${ORIGIN}/merchants/123/logo.png`, prefix: "/merchants/123/" }));

  it("HackerOne 93691 and Swift's prefix: a prefix ends where a segment ends", async () => {
    expect(await outcome(change(link, "/123/", "/1234/"))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(change(link, "/123/logo.png", "/123"))).toBe("MALFORMED");
    expect((await verify(change(link, "logo.png", "a/b/c"))).prefix).toBe("/merchants/123/");
  });

  it("canonicalisation: nothing below a prefix leads out of it for any server", async () => {
    const ways = [
      "..",
      "../456/x",
      "%2e%2e/456",
      "%2E%2E/x",
      "..;/x",
      "..;a=b/x",
      "a//b",
      "%2F..%2F",
      "..%5C456",
      "%252e%252e/x",
    ];
    for (const rest of [
      ...ways,
      "%25252e/x",
      "a%00b",
      "a;b",
      ".",
      "./x",
      "a/%c0%ae%c0%ae/x",
      "a/%C0%AE/x",
      "%u002e",
      "a/..",
      "\\..\\x",
    ]) {
      expect(await outcome(change(link, "logo.png", rest)), rest).toBe("MALFORMED");
    }
  });

  it("host confusion: no forwarded header chooses the origin", async () => {
    const headers = [
      ["x-forwarded-host", "api.example.com"],
      ["forwarded", "host=api.example.com;proto=https"],
    ] as const;
    const own = request(sign());
    expect(await outcome({ ...own, authority: "evil.example.com", headers })).toBe("WRONG_ORIGIN");
    const origins = ["http://api.example.com"];
    expect(await outcome({ ...own, headers: [["x-forwarded-proto", "https"]] }, { origins })).toBe(
      "SIGNATURE_MISMATCH",
    );
    for (const authority of [
      "api.example.com:80",
      "user@api.example.com",
      "api.example.com.",
      "api.example.com/",
      "",
      "api.example.com:0443",
    ]) {
      expect(await outcome({ ...own, authority }), authority).toBe("WRONG_ORIGIN");
    }
  });
});

describe("who, when and what is sent", () => {
  it("transfer.sh #670: X-Forwarded-For is no address", async () => {
    const link = request(sign({ bind: { ip: "203.0.113.0/24" } }), { headers: [["x-forwarded-for", "203.0.113.9"]] });
    expect(await outcome({ ...link, remoteAddress: "198.51.100.1" })).toBe("IP_NOT_GRANTED");
    expect(await outcome({ ...link, remoteAddress: undefined })).toBe("IP_NOT_GRANTED");
    // No addresses: a text without a number must not match.
    for (const remoteAddress of ["203.0.113.256", "459.256.369.9", "203.0.113", "203.0.113.9.9", "203.0.113.09"]) {
      expect(await outcome({ ...link, remoteAddress }), remoteAddress).toBe("IP_NOT_GRANTED");
    }
    const wide = request(sign({ bind: { ip: "2001:db8::/32" } }));
    expect(await outcome({ ...wide, remoteAddress: "2001:db8::9" })).toMatchObject({ keyId: "k1" });
    for (const remoteAddress of ["2001:db8::xyz", "2001:db8::1:203.0.113.256", "2001:db8::12345", "2001:db8:"]) {
      expect(await outcome({ ...wide, remoteAddress }), remoteAddress).toBe("IP_NOT_GRANTED");
    }
    expect(await outcome({ ...link, remoteAddress: "203.0.113.9" })).toMatchObject({ keyId: "k1" });
  });

  it("a network without an address is invalid, so it contains no unknown peer", async () => {
    for (const value of ["_0", "localhost_0", "-_0", "203-0-113-256_0", "--_0._0"]) {
      const link = change(request(sign({ bind: { ip: "203.0.113.0/24" } })), /dp-ip=[^&]*/, `dp-ip=${value}`);
      expect(await outcome({ ...link, remoteAddress: undefined }), value).toBe("MALFORMED");
    }
  });

  it("a subject is no label: no proved identity, no grant", async () => {
    const link = request(sign({ subject: "cus_42" }));
    expect(await outcome(link)).toBe("WRONG_SUBJECT");
    expect(await outcome(link, { subject: "" })).toBe("WRONG_SUBJECT");
    expect(await outcome(link, { subject: "cus_42" })).toMatchObject({ subject: "cus_42" });
  });

  it("pre-dated URLs: a key holder cannot sign for a time after his right ends", async () => {
    const later = new Date(AT.getTime() + 3_600_000);
    const link = urlSigner({ key: KEY, clock: () => later }).sign({ url: `${ORIGIN}/a`, expiresIn: 900 });
    expect(await outcome(request(link))).toBe("NOT_YET_VALID");
  });

  it("reads at most 32 KiB of target and headers together", async () => {
    const link = sign();
    const many = (count: number) => Array.from({ length: count }, (_, at) => [`x-${at}`, "v".repeat(100)] as const);
    expect(await outcome(request(link, { headers: many(250) }))).toMatchObject({ keyId: "k1" });
    expect(await outcome(request(link, { headers: many(350) }))).toBe("MALFORMED");
    expect(await outcome(request(link, { headers: [["x-a", "v".repeat(32_768)]] }))).toBe("MALFORMED");
    expect(await outcome(request(link, { headers: [["n".repeat(32_768), ""]] }))).toBe("MALFORMED");
  });

  it("does not report the expiry if the signature is wrong", async () => {
    const link = request(sign());
    const late = { clock: () => new Date(AT.getTime() + 86_400_000) };
    expect(await outcome(link, late)).toBe("EXPIRED");
    expect(await outcome(change(link, "/7.pdf", "/8.pdf"), late)).toBe("SIGNATURE_MISMATCH");
  });

  it("rustfs #3374: headers that a proxy adds neither help nor harm", async () => {
    const link = sign({ bind: { headers: { "x-tenant": "acme" } } });
    const headers = [...Object.entries(link.headers), ["x-request-id", "7"], ["x-tenants", "other"]] as const;
    expect(await outcome(request(link, { headers }))).toMatchObject({ id: link.id });
    expect(
      await outcome(
        request(link, {
          headers: [
            ["x-tenant", "acme"],
            ["X-TENANT", "acme"],
          ],
        }),
      ),
    ).toBe("MALFORMED");
    expect(await outcome(request(link, { headers: [["x-tenant", "Acme"]] }))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(request(link, { headers: [] }))).toBe("MALFORMED");
  });

  it("CVE-2026-30961: the length is counted, whatever the headers say", async () => {
    const link = sign({ methods: ["PUT"], bind: { contentLength: { min: 2, max: 3 } } });
    const grant = await verify(
      request(link, {
        headers: [
          ["content-length", "3"],
          ["transfer-encoding", "chunked"],
        ],
      }),
    );
    const send = async (...chunks: string[]): Promise<string> => {
      const body = (async function* () {
        for (const chunk of chunks) yield Buffer.from(chunk);
      })();
      try {
        let text = "";
        for await (const chunk of grant.limitBody(body)) text += Buffer.from(chunk).toString();
        return text;
      } catch (error) {
        if (!isDaypassError(error)) throw error;
        return error.code;
      }
    };
    expect(await send("a", "bc")).toBe("abc");
    expect(await send("a", "bc", "d")).toBe("BODY_LENGTH");
    expect(await send("a")).toBe("BODY_LENGTH");
  });

  it("CVE-2017-8761: no refusal repeats a signature, a secret or a subject", async () => {
    const link = request(sign({ subject: "cus_42" }));
    const signature = /dp-signature=([^&]*)/.exec(link.target)?.[1] as string;
    const changed: readonly WireRequest[] = [
      link,
      change(link, "/7.pdf", "/8.pdf"),
      change(link, "dp-key=k1", "dp-key=k2"),
      change(link, "dp-v=1", "dp-v=2"),
      change(link, signature, `${signature}=`),
      { ...link, method: "PUT" },
      { ...link, authority: "evil.example.com" },
    ];
    for (const received of changed) {
      const error: unknown = await verify(received).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(DaypassError);
      const text = JSON.stringify([String(error), error]);
      for (const secret of [signature, KEY.k, "cus_42"]) expect(text).not.toContain(secret);
    }
  });

  it("CVE-2022-3854 and slow patterns: long and strange targets end in a refusal", async () => {
    for (const text of ["%", "%2", "/", "?", "&", "=", ";", "..;/", "dp-", "dp-ip=-", "a=%25", "\u0000", "é", "-_.~"]) {
      for (const target of [
        `/${text.repeat(2000)}`,
        `/?dp-v=1&${text.repeat(2000)}`,
        `/?dp-ip=${text.repeat(2000)}&dp-v=1`,
      ]) {
        expect(typeof (await outcome({ ...request(sign()), target }))).toBe("string");
      }
    }
  });
});
