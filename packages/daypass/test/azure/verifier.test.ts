import type { WireRequest } from "daypass";
import { azureSigner, azureTexts, azureUserDelegationVerifier, azureVerifier } from "daypass/azure";
import { describe, expect, it } from "vitest";
import { expectRefusal, wireRequest } from "../wire-request.ts";
import { ACCOUNT, AT, CREDENTIALS, DELEGATION_KEY, ORIGIN } from "./fixture.ts";
import { type RawSas, rawRequest } from "./raw-sas.ts";
import { account, delegation, options, refuse, service, verify } from "./verifiers.ts";

describe("what a request is for", () => {
  it("returns account, container, blob and operation", async () => {
    const grant = await verify({
      path: "/media/a%20b/%C3%A9%2B%25.txt",
      fields: { spr: "https", sip: "203.0.113.9" },
      remoteAddress: "203.0.113.9",
    });
    expect(grant).toMatchObject({
      ...{ scheme: "azure", kind: "service", keyId: ACCOUNT, account: ACCOUNT, container: "media" },
      ...{ blob: "a b/é+%.txt", operation: "get-blob", permissions: "r", methods: ["GET", "HEAD", "POST"] },
      ...{ directory: undefined, identifier: undefined, parameters: [], signedHeaders: [], obligations: [] },
      notBefore: new Date(0),
      expiresAt: new Date("2026-01-02T04:00:00Z"),
    });
  });

  it.each([
    ["the host", "myaccount.blob.core.windows.net", "/media/a.txt"],
    ["the read-only twin", "myaccount-secondary.blob.core.windows.net", "/media/a.txt"],
    ["a DNS zone", "myaccount.z12.blob.storage.azure.net", "/media/a.txt"],
    ["the path, as with Azurite", "127.0.0.1:10000", "/myaccount/media/a.txt"],
    ["the path of the twin", "127.0.0.1:10000", "/myaccount-secondary/media/a.txt"],
  ])("finds the account in %s", async (_, authority, path) => {
    const verifier = azureVerifier({
      ...options,
      origins: [...options.origins, "https://myaccount.z12.blob.storage.azure.net"],
    });
    const request = { ...rawRequest({ signed: { RESOURCE: "/blob/myaccount/media/a.txt" } }), authority };
    const target = path + request.target.slice(request.target.indexOf("?"));
    expect(await verifier.verify({ ...request, target })).toMatchObject({
      account: ACCOUNT,
      container: "media",
      blob: "a.txt",
    });
  });

  it("takes no other account for the read-only twin of one", async () => {
    const request = {
      ...rawRequest({ signed: { RESOURCE: "/blob/myaccount/media/a.txt" } }),
      authority: "127.0.0.1:10000",
    };
    const target = `/my-secondaryaccount/media/a.txt${request.target.slice(request.target.indexOf("?"))}`;
    await expectRefusal(service.verify({ ...request, target }), "MALFORMED");
  });

  it("takes the configured account, or what the * of an origin stands for, where the host names none", async () => {
    const own = azureVerifier({ ...options, origins: ["https://cdn.example.com"], account: ACCOUNT });
    expect((await own.verify(rawRequest({ authority: "cdn.example.com" }))).account).toBe(ACCOUNT);
    const star = azureVerifier({ ...options, origins: ["https://*.files.example.com"] });
    expect((await star.verify(rawRequest({ authority: "myaccount.files.example.com" }))).account).toBe(ACCOUNT);
  });

  it.each([
    ["/", "METHOD_NOT_GRANTED"],
    ["/media", "MALFORMED"],
    ["/media/", "MALFORMED"],
    ["//media/a.txt", "MALFORMED"],
    ["/Media/a.txt", "MALFORMED"],
    ["/me%2Fdia/a.txt", "MALFORMED"],
    ["/%2e%2e/a.txt", "MALFORMED"],
  ] as const)("refuses the path %s", (path, code) =>
    refuse({ path, signed: { RESOURCE: "/blob/myaccount/media/a.txt" } }, code),
  );

  it("reads a backslash as the slash that Azure makes of it, so that no directory is left by one", async () => {
    const signed = { RESOURCE: "/blob/myaccount/media/a/b.txt" };
    expect((await verify({ path: "/media/a%5Cb.txt", signed })).blob).toBe("a/b.txt");
    await refuse({ path: "/media/a%5Cb.txt" }, "SIGNATURE_MISMATCH");
  });

  it("takes HEAD for GET, and both for what the permissions permit", async () => {
    expect((await verify({ method: "HEAD" })).operation).toBe("get-blob");
  });

  it("refuses a restype that contradicts the path", async () => {
    const list = { fields: { sr: "c", sp: "l" }, path: "/media" };
    expect((await verify({ ...list, query: "restype=container&comp=list" })).operation).toBe("list-blobs");
    for (const query of ["comp=list", "restype=service&comp=list", "restype=container&restype=container&comp=list"]) {
      await refuse({ ...list, query }, "MALFORMED");
    }
    await refuse({ query: "restype=container" }, "MALFORMED");
  });
});

describe("time", () => {
  it.each(["2026-01-02T04:00:00Z", "2026-01-02T04:00Z", "2026-01-03"])(
    "reads the end %s and signs its text",
    async (se) => {
      expect((await verify({ fields: { se } })).expiresAt).toEqual(new Date(se));
    },
  );

  it.each([
    ...["2026-01-02T04:00:00", "2026-01-02 04:00:00Z", "2026-01-02T04:00:00.000Z", "2026-01-02T04:00:00+00:00"],
    ...[
      "2026-02-31T00:00:00Z",
      "2026-13-01",
      "2026-01-02T24:00:00Z",
      "2026-1-2",
      "never",
      "4102444800",
      "+010000-01-01T00:00Z",
    ],
  ])("refuses the end %s, however well signed", (se) => refuse({ fields: { se } }, "MALFORMED"));

  it.each(["se", "sp", "sr"])("refuses a SAS without %s, however well signed, as no policy stands for it", (name) =>
    refuse({ without: [name] }, "MALFORMED"),
  );

  it("refuses a SAS on a key on loan without the key's times, or with invalid times", async () => {
    for (const name of ["sktid", "skt", "ske", "sks", "skv"])
      await expectRefusal(delegation.verify(rawRequest({ kind: "user-delegation", without: [name] })), "MALFORMED");
    for (const fields of [{ skt: "always" }, { ske: "never" }, { sks: "bf" }, { skv: "" }])
      await expectRefusal(delegation.verify(rawRequest({ kind: "user-delegation", fields })), "MALFORMED");
  });

  it("begins at st and at the key's skt, and ends at se and at ske", async () => {
    await refuse({ fields: { st: "2026-01-02T03:04:06Z" } }, "NOT_YET_VALID");
    expect((await verify({ fields: { st: "2026-01-02T03:04:05Z" } })).notBefore).toEqual(AT);
    await refuse({ fields: { se: "2026-01-02T03:04:05Z" } }, "EXPIRED");
    const at = (now: string, fields: Record<string, string> = {}) =>
      azureUserDelegationVerifier({
        ...options,
        credentials: { account: ACCOUNT, userDelegationKey: DELEGATION_KEY },
        clock: () => new Date(now),
      }).verify(rawRequest({ kind: "user-delegation", fields: { se: "2026-02-01", ...fields } }));
    await expectRefusal(at("2026-01-01T23:59:59Z"), "NOT_YET_VALID");
    await expectRefusal(at("2026-01-03T00:00:00Z"), "EXPIRED");
    const { notBefore, expiresAt } = await at("2026-01-02T00:00:00Z", { st: "2026-01-01" });
    expect([notBefore, expiresAt]).toEqual([new Date("2026-01-02"), new Date("2026-01-03")]);
  });

  it("refuses a life that is longer than the verifier allows", async () => {
    const verifier = azureVerifier({ ...options, maxLife: 3600 });
    await verifier.verify(rawRequest());
    await expectRefusal(verifier.verify(rawRequest({ fields: { se: "2026-01-02T04:04:06Z" } })), "KEY_SCOPE");
  });
});

describe("who may use it, and how", () => {
  it.each([
    ["203.0.113.9", "203.0.113.9", true],
    ["203.0.113.0-203.0.113.9", "203.0.113.9", true],
    ["203.0.113.0-203.0.113.9", "203.0.113.0", true],
    ["203.0.113.0-203.0.113.9", "::ffff:203.0.113.5", true],
    ["203.0.113.0-203.0.113.9", "::FFFF:cb00:7105", true],
    ["203.0.113.0-203.0.113.9", "::ffff:cb00:710a", false],
    ["0.0.0.0-0.0.0.9", "::ffff:0:5", true],
    ["203.0.113.0-203.0.113.9", "::ffff:cb00:7105:1", false],
    ["203.0.113.0-203.0.113.9", "203.0.113.10", false],
    ["203.0.113.9", "2001:db8::1", false],
    // IPv6 addresses that only look like one of IPv4 at their end.
    ["203.0.113.9", "2001:db8::ffff:cb00:7109", false],
    ["203.0.113.9", "2001:db8::ffff:203.0.113.9", false],
    ["0.0.0.0-255.255.255.255", "203.0.113.256", false],
    ["203.0.113.0-203.0.113.256", "203.0.113.5", false],
    ["203.0.113.9", undefined, false],
    ["203.0.113.9", "", false],
    ["203.0.113.9-203.0.113.0", "203.0.113.5", false],
    ["0.0.0.0-255.255.255.255-1", "203.0.113.5", false],
    ["anywhere", "203.0.113.5", false],
  ])("sip=%s from %s: %s", async (sip, remoteAddress, isGranted) => {
    const request = { ...rawRequest({ fields: { sip } }), remoteAddress };
    if (isGranted) await service.verify(request);
    else await expectRefusal(service.verify(request), "IP_NOT_GRANTED");
  });

  it("spr=https is held against the configured origin, not against a header", async () => {
    const plain: RawSas = { authority: "plain.blob.local", signed: { RESOURCE: "/blob/plain/media/a.txt" } };
    const verifier = azureVerifier({
      ...options,
      credentials: { account: "plain", accountKey: CREDENTIALS.accountKey },
    });
    await verifier.verify(rawRequest(plain));
    await verifier.verify(rawRequest({ ...plain, fields: { spr: "https,http" } }));
    const headers = [["x-forwarded-proto", "https"]] as const;
    await expectRefusal(verifier.verify(rawRequest({ ...plain, headers, fields: { spr: "https" } })), "WRONG_SCOPE");
    for (const spr of ["http", "http,https", "HTTPS", "https,https"]) await refuse({ fields: { spr } }, "MALFORMED");
  });

  it("sduoid is for one proved user, with a token of his own", async () => {
    const raw: RawSas = { kind: "user-delegation", fields: { sduoid: "u1" }, headers: [["authorization", "Bearer x"]] };
    expect((await delegation.verify(rawRequest(raw), { subject: "u1" })).kind).toBe("user-delegation");
    await expectRefusal(delegation.verify(rawRequest(raw), { subject: "u2" }), "WRONG_SUBJECT");
    await expectRefusal(delegation.verify(rawRequest(raw)), "WRONG_SUBJECT");
    // A SAS without a user is valid for a proved user, too.
    const anybody = rawRequest({ kind: "user-delegation" });
    expect((await delegation.verify(anybody, { subject: "u2" })).kind).toBe("user-delegation");
    const shared: RawSas = { ...raw, headers: [["authorization", "SharedKey a:b"]] };
    await expectRefusal(delegation.verify(rawRequest(shared), { subject: "u1" }), "AMBIGUOUS_AUTHENTICATION");
  });

  it("suoid asks for an ACL check that only Azure can make", () =>
    expectRefusal(
      delegation.verify(rawRequest({ kind: "user-delegation", fields: { suoid: "u1" } })),
      "UNENFORCED_CONSTRAINT",
    ));

  it("an Authorization header beside a SAS is refused", () =>
    refuse({ headers: [["Authorization", "SharedKey myaccount:x"]] }, "AMBIGUOUS_AUTHENTICATION"));
});

describe("grammar", () => {
  it("refuses letters in another order, repeated or unknown, though they were signed so", async () => {
    for (const sp of ["wr", "rr", "rq", "R", "l", "f", "dr"]) await refuse({ fields: { sp } }, "MALFORMED");
    // Both Microsoft's documentation and its libraries order y, and the library for Data Lake t, in their own way.
    for (const sp of ["rxyt", "rxtiy", "rtacwd"]) expect((await verify({ fields: { sp } })).permissions).toBe(sp);
    const any = await account.verify(rawRequest({ kind: "account", fields: { sp: "lwr", ss: "qb", srt: "os" } }));
    expect(any.permissions).toBe("lwr");
    for (const fields of [{ sp: "rr" }, { ss: "bb" }, { ss: "bx" }, { srt: "oo" }, { srt: "ox" }])
      await expectRefusal(account.verify(rawRequest({ kind: "account", fields })), "MALFORMED");
    for (const sr of ["bx", "cb", "dd"]) await refuse({ fields: { sr } });
  });

  it("refuses versions that have no layout, and what a version did not know yet", async () => {
    for (const sv of [
      "2015-02-21",
      "2012-02-12",
      "2026-10-07",
      "2099-01-01",
      "2022-11-2",
      "20221102",
      "2022-11-02T00:00Z",
    ]) {
      await refuse({ fields: { sv } }, "MALFORMED");
    }
    expect((await verify({ fields: { sv: "2026-10-06" } })).permissions).toBe("r");
    const early: readonly (readonly [string, Record<string, string>])[] = [
      ["2018-11-08", { sr: "bs" }],
      ["2019-10-09", { sr: "bv" }],
      ["2020-02-09", { sr: "d", sdd: "0" }],
      ["2019-10-09", { sp: "x" }],
      ["2019-12-11", { sp: "t" }],
      ["2020-02-09", { sp: "m" }],
      ["2020-08-03", { sp: "i" }],
      ["2021-04-09", { sp: "f", sr: "c" }],
    ];
    for (const [sv, fields] of early) await refuse({ fields: { sv, ...fields } }, "MALFORMED");
  });

  it("accepts one spelling of a signature", async () => {
    const { target, ...request } = rawRequest();
    const sig = decodeURIComponent(/sig=([^&]*)/.exec(target)?.[1] ?? "");
    const last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".indexOf(sig.charAt(42));
    const spare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".charAt(last + 1);
    for (const other of [
      sig.slice(0, -1),
      `${sig}=`,
      sig.replaceAll("+", "-").replaceAll("/", "_").replace("=", ""),
      `${sig.slice(0, 42)}${spare}=`,
      ` ${sig}`,
      `${sig}\n`,
    ]) {
      const changed = target.replace(/sig=[^&]*/, `sig=${encodeURIComponent(other)}`);
      const code = other.length === sig.length && /^[\w+/=]+$/.test(other) ? "SIGNATURE_MISMATCH" : "MALFORMED";
      await expectRefusal(service.verify({ ...request, target: changed }), code);
    }
  });

  it("refuses repeats, empty values and control characters, which could make several fields of one", async () => {
    const { target, ...request } = rawRequest();
    for (const more of ["sp=r", "sv=2022-11-02", "s%70=r", "timeout=1&timeout=1"]) {
      await expectRefusal(service.verify({ ...request, target: `${target}&${more}` }), "MALFORMED");
    }
    for (const name of ["si", "st", "sip", "spr", "ses", "rscc"]) {
      await expectRefusal(service.verify({ ...request, target: `${target}&${name}=` }), "MALFORMED");
    }
    // rscd "a\nb" and rscd "a" with rsce "b" are signed alike where the line behind is free.
    await refuse({ fields: { rscd: "a\nb" }, signed: { rscd: "a\nb" } }, "MALFORMED");
    await refuse({ fields: { rsct: "text/html\u0000" } }, "MALFORMED");
  });

  it("accepts a blob's name with a line feed", async () => {
    expect((await verify({ path: "/media/a%0Ab%0A%0A" })).blob).toBe("a\nb\n\n");
  });

  it("keeps the policy's name to 64 characters", async () => {
    await refuse({ fields: { si: "x".repeat(65) } }, "MALFORMED");
  });
});

describe("azureTexts", () => {
  it("shows the string to sign of every kind, as Azure does", () => {
    expect(azureTexts(rawRequest({ fields: { rsct: "a/b" } })).stringToSign).toBe(
      "r\n\n2026-01-02T04:00:00Z\n/blob/myaccount/media/a.txt\n\n\n\n2022-11-02\nb\n\n\n\n\n\n\na/b",
    );
    expect(azureTexts(rawRequest({ kind: "account" })).stringToSign).toBe(
      "myaccount\nr\nb\nsco\n\n2026-01-02T04:00:00Z\n\n\n2022-11-02\n\n",
    );
    expect(azureTexts(rawRequest({ kind: "user-delegation" })).stringToSign.split("\n")).toHaveLength(28);
  });

  it("takes the account where neither host nor path names it", () => {
    const request: WireRequest = { ...rawRequest(), authority: "cdn.example.com" };
    expect(azureTexts(request, "other").stringToSign).toContain("/blob/other/media/a.txt");
  });
});

describe("round trip", () => {
  it("gives both sides the same id, whatever is asked for", async () => {
    const azure = azureSigner({ account: ACCOUNT, credentials: CREDENTIALS, clock: () => AT });
    const link = azure.sign({
      ...{
        container: "media",
        blob: "a b/é\n+%.txt",
        permissions: "r",
        expiresIn: 900,
        notBefore: AT,
        protocol: "https",
      },
      bind: { ip: "203.0.113.0/24" },
      response: { contentType: "text/plain" },
    });
    const grant = await service.verify(wireRequest(link));
    expect(grant.id).toBe(link.id);
    expect(grant.expiresAt).toEqual(link.expiresAt);
    expect(link.url.startsWith(ORIGIN)).toBe(true);
  });
});
