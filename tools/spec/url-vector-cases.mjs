import { createHmac } from "node:crypto";
import { jwk, publicKey } from "./url-vector-writer.mjs";

// The requests that the vectors hold, section by section of docs/spec/daypass-url.md. What a case does not say is as in
// example 1 of the page; where a case is MALFORMED, its signature nevertheless matches unless it is tampered with.

/** @typedef {import("./url-vector-writer.mjs").Vector} Vector */

const VALID = {};
const upload = { method: "PUT", path: "/up/7" };
/** @param {Record<string, string | undefined>} more */
const put = (more) => ({ "dp-methods": "PUT", ...more });
const prefix = { path: "/talks/2026/intro.mp4", fixed: "/talks/2026/", params: { "dp-prefix": "2" } };
/** @param {string} name @param {string} path @returns {Vector} */
const badPath = (name, path) => ({ name: `a path with ${name}`, path, expect: "MALFORMED" });
/** @param {string} name @param {string} path @returns {Vector} */
const goodPath = (name, path) => ({ name: `a path with ${name}`, path, expect: VALID });
/** @param {string} name @param {string} token @returns {Vector} */
const badToken = (name, token) => ({ name: `a query with ${name}`, before: [token], expect: "MALFORMED" });
/** @param {string} parameter @param {string} value @param {import("./url-vector-writer.mjs").Parts} [more] @returns {Vector} */
const badValue = (parameter, value, more = {}) => ({
  name: `${parameter}=${value}`,
  ...more,
  params: { ...more.params, [parameter]: value },
  expect: "MALFORMED",
});

/** @type {Vector[]} */
export const hs256 = [
  { name: "HS256: example 1 of the page", before: ["lang=de"], expect: VALID },
  { name: "a key of more than one hash block", kid: "long", expect: VALID },
  { name: "HEAD where GET is granted", method: "HEAD", expect: VALID },

  // 2 Target
  { name: "the shortest path", path: "/", expect: VALID },
  goodPath("a final slash", "/a/b/"),
  goodPath("every kind of pchar", "/a-b._~!$&'()*+,;=:@/%20%C3%BC%25%5B"),
  goodPath("a doubly encoded dot where it is exact", "/%252e%252e/x"),
  goodPath("three dots and dots inside", "/.../a..b/.well-known"),
  badPath("a dot segment", "/a/../b"),
  badPath("a single dot", "/a/."),
  badPath("a dot segment before a semicolon", "/a/..;x/b"),
  badPath("an empty segment", "/a//b"),
  badPath("an empty segment before a semicolon", "/a/;x"),
  badPath("a second slash at its beginning", "//evil.example.com/a"),
  badPath("an encoded dot segment", "/a/%2E%2E/b"),
  badPath("an encoded slash", "/a%2Fb"),
  badPath("an encoded backslash", "/a%5Cb"),
  badPath("an encoded letter", "/%61"),
  badPath("an encoded tilde", "/%7E"),
  badPath("an encoded line feed", "/a%0Ab"),
  badPath("an encoded NUL", "/a%00"),
  badPath("an encoded DEL", "/a%7F"),
  badPath("an encoded C1 control", "/a%C2%85"),
  badPath("lower-case hexadecimal digits", "/%c3%bc"),
  badPath("bytes that are not UTF-8", "/%FF"),
  badPath("an overlong encoding", "/%C0%AF"),
  badPath("an encoded surrogate", "/%ED%A0%80"),
  badPath("a lone percent sign", "/100%"),
  badPath("a bracket", "/a[1]"),
  badPath("a quotation mark", '/a"b'),
  { name: "other tokens on both sides", before: ["a=1", "flag"], after: ["b=2&c="], expect: VALID },
  { name: "a token between the parameters", reorder: (t) => t, before: ["a=%2f%2F"], expect: VALID },
  { name: "a query with plus, slash, question mark and an empty name", before: ["q=a+b/c?d", "=x"], expect: VALID },
  badToken("an apostrophe", "a='"),
  badToken("a vertical bar", "a=|"),
  badToken("bytes that are not UTF-8", "a=%FF"),
  badToken("a lone percent sign", "a=100%"),
  badToken("an encoded reserved name", "dp%2Dip=203-0-113-0_24"),
  badToken("a reserved name in upper case", "DP-ip=203-0-113-0_24"),
  badToken("a reserved name in every disguise", "%64%50%2dnew=1"),
  { name: "an unknown parameter", params: { "dp-zone": "1" }, expect: "MALFORMED" },
  { name: "an empty token", before: ["a=1", "", "b=2"], expect: "MALFORMED" },
  { name: "an empty token at the end", after: [""], query: "", expect: "MALFORMED" },
  { name: "an empty token at the beginning", before: [""], query: "", expect: "MALFORMED" },
  { name: "parameters out of order", reorder: (t) => [...t].reverse(), expect: "MALFORMED" },
  {
    name: "a parameter twice",
    reorder: (t) => t.flatMap((x) => (x === "dp-methods=GET" ? [x, x] : [x])),
    expect: "MALFORMED",
  },
  {
    name: "a parameter without an equals sign",
    reorder: (t) => t.map((x) => (x === "dp-v=1" ? "dp-v" : x)),
    expect: "MALFORMED",
  },
  { name: "a target of 8192 bytes", path: `/${"a".repeat(8045)}`, before: ["x=1"], expect: VALID },
  { name: "a target of 8193 bytes", path: `/${"a".repeat(8046)}`, before: ["x=1"], expect: "MALFORMED" },
  { name: "no parameters at all", tamper: () => "/invoices/7.pdf?lang=de", expect: "NO_SIGNATURE" },
  { name: "no query at all", tamper: () => "/invoices/7.pdf", expect: "NO_SIGNATURE" },

  // 3 Parameters
  ...["dp-date", "dp-expires", "dp-key", "dp-methods", "dp-v"].map((parameter) => ({
    name: `no ${parameter}`,
    params: { [parameter]: undefined },
    expect: "MALFORMED",
  })),
  { name: "no dp-signature", tamper: (t) => t.replace(/&dp-signature=[^&]*/, ""), expect: "MALFORMED" },
  badValue("dp-v", "2"),
  badValue("dp-date", "20260231T030405Z"),
  badValue("dp-date", "20260102T240000Z"),
  badValue("dp-date", "20260102T030460Z"),
  badValue("dp-date", "2026-01-02T03:04:05Z"),
  badValue("dp-date", "19691231T235959Z"),
  badValue("dp-expires", ""),
  badValue("dp-expires", "20260102T030405Z"),
  badValue("dp-expires", "NaN"),
  badValue("dp-starts", "20260102T030405Z"),
  badValue("dp-starts", "20260102T031905Z"),
  {
    name: "a leap day",
    params: { "dp-date": "20240229T235959Z", "dp-expires": "20240301T000000Z" },
    now: "20240229T235959Z",
    expect: VALID,
  },
  { name: "dp-starts within the life", params: { "dp-starts": "20260102T030500Z" }, expect: VALID },
  badValue("dp-methods", ""),
  badValue("dp-methods", "get"),
  badValue("dp-methods", "PUT.DELETE"),
  badValue("dp-methods", "GET.HEAD"),
  badValue("dp-methods", "OPTIONS"),
  badValue("dp-methods", "CONNECT"),
  badValue("dp-methods", "GET."),
  {
    name: "several methods",
    method: "DELETE",
    params: { "dp-methods": "DELETE.GET.PUT" },
    expect: { methods: ["DELETE", "GET", "PUT", "HEAD"] },
  },
  { name: "HEAD alone", method: "HEAD", params: { "dp-methods": "HEAD" }, expect: { methods: ["HEAD"] } },
  badValue("dp-key", "k 1"),
  badValue("dp-nonce", "short"),
  { name: "a nonce", params: { "dp-nonce": "AAAAAAAAAAAAAAAA" }, expect: VALID },
  badValue("dp-uses", "1"),
  badValue("dp-uses", "0", { params: { "dp-nonce": "AAAAAAAAAAAAAAAA" } }),
  badValue("dp-uses", "01", { params: { "dp-nonce": "AAAAAAAAAAAAAAAA" } }),
  badValue("dp-uses", "9007199254740992", { params: { "dp-nonce": "AAAAAAAAAAAAAAAA" } }),
  { name: "one use", params: { "dp-nonce": "AAAAAAAAAAAAAAAA", "dp-uses": "1" }, expect: { obligations: ["uses"] } },
  {
    name: "one use, not enforced",
    params: { "dp-nonce": "AAAAAAAAAAAAAAAA", "dp-uses": "1" },
    enforces: ["strip", "response"],
    expect: "UNENFORCED_CONSTRAINT",
  },
  {
    name: "every constraint on written content",
    ...upload,
    params: put({
      "dp-create": "1",
      "dp-length": "1-1048576",
      "dp-sha256": "0".repeat(64),
      "dp-type": "text%2Fplain%3Bcharset%3Dutf-8",
    }),
    headers: [["Content-Type", " text/plain;charset=utf-8\t"]],
    expect: { methods: ["PUT"], obligations: ["create-only", "body-length", "body-sha256"] },
  },
  {
    name: "an empty body, exactly",
    ...upload,
    params: put({ "dp-length": "0" }),
    expect: { methods: ["PUT"], obligations: ["body-length"] },
  },
  badValue("dp-length", "5-5", { ...upload, params: put({}) }),
  badValue("dp-length", "6-5", { ...upload, params: put({}) }),
  badValue("dp-length", "-5", { ...upload, params: put({}) }),
  badValue("dp-length", "1e3", { ...upload, params: put({}) }),
  badValue("dp-length", "1-2-3", { ...upload, params: put({}) }),
  badValue("dp-sha256", "A".repeat(64), { ...upload, params: put({}) }),
  badValue("dp-create", "0", { ...upload, params: put({}) }),
  badValue("dp-length", "5"),
  badValue("dp-type", "text%2Fplain", { method: "HEAD", params: { "dp-methods": "HEAD" } }),
  badValue("dp-type", "text/plain", { ...upload, params: put({}) }),
  badValue("dp-type", "text%2fplain", { ...upload, params: put({}) }),
  badValue("dp-type", "text%2Fplain%3B%20charset%3Dutf-8", { ...upload, params: put({}) }),
  badValue("dp-type", "t%C3%BC", { ...upload, params: put({}) }),
  {
    name: "another Content-Type",
    ...upload,
    params: put({ "dp-type": "text%2Fplain" }),
    headers: [["content-type", "text/html"]],
    expect: "BODY_TYPE",
  },
  { name: "no Content-Type", ...upload, params: put({ "dp-type": "text%2Fplain" }), expect: "BODY_TYPE" },
  {
    name: "two Content-Types",
    ...upload,
    params: put({ "dp-type": "text%2Fplain" }),
    headers: [
      ["content-type", "text/plain"],
      ["content-type", "text/plain"],
    ],
    expect: "BODY_TYPE",
  },

  {
    name: "every response header",
    params: {
      "dp-response-cache-control": "no-store",
      "dp-response-content-disposition": "attachment%3Bfilename*%3DUTF-8%27%27a%2520b.pdf",
      "dp-response-content-language": "de",
      "dp-response-content-type": "application%2Fpdf",
    },
    expect: { obligations: ["response"] },
  },
  badValue("dp-response-content-disposition", "attachment%3B+filename%3Da"),
  badValue("dp-response-content-type", "text%2Fhtml%0D%0ASet-Cookie%3Aa%3Db"),
  badValue("dp-response-location", "https%3A%2F%2Fevil.example.com"),

  { name: "a fixed part", ...prefix, expect: VALID },
  { name: "another path below the fixed part", ...prefix, path: "/talks/2026/deep/er/%C3%BC.mp4", expect: VALID },
  { name: "the fixed part itself", ...prefix, path: "/talks/2026/", expect: VALID },
  { name: "a path beside the fixed part", ...prefix, path: "/talks/2027/intro.mp4", expect: "SIGNATURE_MISMATCH" },
  {
    name: "a path that only begins like the fixed part",
    ...prefix,
    path: "/talks/2026b/intro.mp4",
    expect: "SIGNATURE_MISMATCH",
  },
  { name: "a path that is too short for its prefix", ...prefix, path: "/talks/2026", expect: "MALFORMED" },
  { name: "a semicolon below the fixed part", ...prefix, path: "/talks/2026/a;b", expect: "MALFORMED" },
  {
    name: "a semicolon in the fixed part",
    path: "/a;v=1/b",
    fixed: "/a;v=1/",
    params: { "dp-prefix": "1" },
    expect: VALID,
  },
  {
    name: "a doubly encoded dot below the fixed part",
    ...prefix,
    path: "/talks/2026/%252e%252e/x",
    expect: "MALFORMED",
  },
  { name: "an encoded percent sign below the fixed part", ...prefix, path: "/talks/2026/100%25", expect: VALID },
  { name: "an exact signature with dp-prefix", ...prefix, kind: "exact", expect: "SIGNATURE_MISMATCH" },
  badValue("dp-prefix", "0"),
  badValue("dp-prefix", "100"),
  badValue("dp-prefix", "02"),

  {
    name: "a bound header",
    params: { "dp-headers": "x-tenant" },
    headers: [["X-Tenant", "acme  corp"]],
    signedHeaders: "x-tenant:acme  corp\n",
    expect: VALID,
  },
  {
    name: "two bound headers, one empty",
    params: { "dp-headers": "range.x-empty" },
    headers: [
      ["x-empty", " \t"],
      ["Range", "bytes=0-99"],
    ],
    signedHeaders: "range:bytes=0-99\nx-empty:\n",
    expect: VALID,
  },
  {
    name: "a bound header with another value",
    params: { "dp-headers": "x-tenant" },
    headers: [["x-tenant", "other"]],
    signedHeaders: "x-tenant:acme\n",
    expect: "SIGNATURE_MISMATCH",
  },
  {
    name: "a bound header that is missing",
    params: { "dp-headers": "x-tenant" },
    signedHeaders: "x-tenant:\n",
    expect: "MALFORMED",
  },
  {
    name: "a bound header twice",
    params: { "dp-headers": "x-tenant" },
    headers: [
      ["x-tenant", "a"],
      ["X-Tenant", "a"],
    ],
    signedHeaders: "x-tenant:a\n",
    expect: "MALFORMED",
  },
  {
    name: "a bound header beyond ASCII",
    params: { "dp-headers": "x-tenant" },
    headers: [["x-tenant", "\u00fc"]],
    signedHeaders: "x-tenant:\u00fc\n",
    expect: "MALFORMED",
  },
  badValue("dp-headers", "cookie", { headers: [["cookie", "a"]], signedHeaders: "cookie:a\n" }),
  badValue("dp-headers", "X-Tenant", { headers: [["x-tenant", "a"]], signedHeaders: "X-Tenant:a\n" }),
  badValue("dp-headers", "x-b.x-a", {
    headers: [
      ["x-a", "1"],
      ["x-b", "2"],
    ],
    signedHeaders: "x-b:2\nx-a:1\n",
  }),

  {
    name: "an address of an IPv4 network",
    params: { "dp-ip": "203-0-113-0_24" },
    remoteAddress: "203.0.113.255",
    expect: VALID,
  },
  {
    name: "an IPv4-mapped peer",
    params: { "dp-ip": "203-0-113-0_24" },
    remoteAddress: "::ffff:203.0.113.9",
    expect: VALID,
  },
  {
    name: "an address of an IPv6 network, with a zone",
    params: { "dp-ip": "203-0-113-0_24.fe80--_10" },
    remoteAddress: "fe80::1%eth0",
    expect: VALID,
  },
  {
    name: "a network that ends within a byte",
    params: { "dp-ip": "10-0-0-8_29" },
    remoteAddress: "10.0.0.15",
    expect: VALID,
  },
  {
    name: "an address after the end of that network",
    params: { "dp-ip": "10-0-0-8_29" },
    remoteAddress: "10.0.0.16",
    expect: "IP_NOT_GRANTED",
  },
  { name: "any IPv4 address", params: { "dp-ip": "0-0-0-0_0" }, remoteAddress: "8.8.8.8", expect: VALID },
  {
    name: "an IPv6 peer where IPv4 is granted",
    params: { "dp-ip": "0-0-0-0_0" },
    remoteAddress: "2001:db8::1",
    expect: "IP_NOT_GRANTED",
  },
  { name: "an unknown peer", params: { "dp-ip": "0-0-0-0_0" }, expect: "IP_NOT_GRANTED" },
  {
    name: "a peer that is no address",
    params: { "dp-ip": "0-0-0-0_0" },
    remoteAddress: "unknown",
    expect: "IP_NOT_GRANTED",
  },
  badValue("dp-ip", "203-0-113-1_24", { remoteAddress: "203.0.113.1" }),
  badValue("dp-ip", "203-0-113-0", { remoteAddress: "203.0.113.0" }),
  badValue("dp-ip", "203-0-113-00_24", { remoteAddress: "203.0.113.0" }),
  badValue("dp-ip", "203-0-113-0_33", { remoteAddress: "203.0.113.0" }),
  badValue("dp-ip", "2001-DB8--_32", { remoteAddress: "2001:db8::" }),
  badValue("dp-ip", "2001-db8-0-0-0-0-0-0_32", { remoteAddress: "2001:db8::" }),
  badValue("dp-ip", "--ffff-cb00-7100_120", { remoteAddress: "203.0.113.0" }),
  badValue("dp-ip", "2001-db8--_32.203-0-113-0_24", { remoteAddress: "203.0.113.0" }),
  badValue("dp-ip", "10-0-0-0_8.10-0-0-0_8", { remoteAddress: "10.0.0.1" }),

  {
    name: "tokens that vary, present",
    params: { "dp-vary": "fbclid.utm_source" },
    before: ["a=1"],
    after: ["utm_source=x", "fbclid=y", "utm_source"],
    query: "a=1",
    expect: { obligations: ["strip"] },
  },
  { name: "tokens that vary, absent", params: { "dp-vary": "utm_source" }, expect: { obligations: ["strip"] } },
  {
    name: "tokens that vary, with no one to strip them",
    params: { "dp-vary": "utm_source" },
    enforces: [],
    expect: "UNENFORCED_CONSTRAINT",
  },
  {
    name: "a token that varies under another spelling",
    params: { "dp-vary": "utm_source" },
    after: ["utm%5Fsource=x"],
    query: "",
    expect: "SIGNATURE_MISMATCH",
  },
  {
    name: "a token that was added and does not vary",
    params: { "dp-vary": "utm_source" },
    after: ["admin=1"],
    query: "",
    expect: "SIGNATURE_MISMATCH",
  },
  badValue("dp-vary", "dp-ip"),
  badValue("dp-vary", "DP-ip"),
  badValue("dp-vary", "*"),

  { name: "an audience", params: { "dp-audience": "invoice" }, audience: "invoice", expect: VALID },
  { name: "another audience", params: { "dp-audience": "invoice" }, audience: "avatar", expect: "WRONG_AUDIENCE" },
  { name: "an audience where none is configured", params: { "dp-audience": "invoice" }, expect: "WRONG_AUDIENCE" },
  { name: "no audience where one is configured", audience: "invoice", expect: "WRONG_AUDIENCE" },
  {
    name: "a subject that was proved",
    params: { "dp-subject": "cus_42%3A%C3%BC" },
    subject: "cus_42:\u00fc",
    expect: VALID,
  },
  { name: "another subject", params: { "dp-subject": "cus_42" }, subject: "cus_43", expect: "WRONG_SUBJECT" },
  { name: "a subject that was not proved", params: { "dp-subject": "cus_42" }, expect: "WRONG_SUBJECT" },
  badValue("dp-subject", "cus+42", { subject: "cus 42" }),
  badValue("dp-subject", "cus%7e42", { subject: "cus~42" }),
  badValue("dp-subject", "%63us_42", { subject: "cus_42" }),
  badValue("dp-subject", "a%C2%A0b%C2%85", { subject: "a\u00a0b\u0085" }),

  // 4 Origin
  { name: "an authority in upper case", authority: "API.example.COM", expect: VALID },
  { name: "an authority with the default port", authority: "api.example.com:443", expect: VALID },
  { name: "an authority with another port", authority: "api.example.com:8443", expect: "WRONG_ORIGIN" },
  { name: "an authority that is not configured", authority: "evil.example.com", expect: "WRONG_ORIGIN" },
  { name: "an authority with a final dot", authority: "api.example.com.", expect: "WRONG_ORIGIN" },
  { name: "an authority with an empty port", authority: "api.example.com:", expect: "WRONG_ORIGIN" },
  { name: "an authority with a zero in front of the port", authority: "api.example.com:0443", expect: "WRONG_ORIGIN" },
  { name: "an authority with a user", authority: "a@api.example.com", expect: "WRONG_ORIGIN" },
  {
    name: "an authority with a letter that only Unicode lowers to one of the host's",
    origins: ["https://k.example.com"],
    authority: "\u212a.example.com",
    expect: "WRONG_ORIGIN",
  },
  { name: "a port that is part of the origin", origins: ["http://127.0.0.1:8080"], expect: VALID },
  { name: "an IPv6 origin", origins: ["http://[::1]:8080", "https://api.example.com"], expect: VALID },
  {
    name: "the second of two origins",
    origins: ["https://a.example.com", "https://b.example.com"],
    origin: "https://b.example.com",
    authority: "b.example.com",
    expect: VALID,
  },
  {
    name: "a URL of one origin at another",
    origins: ["https://a.example.com", "https://b.example.com"],
    authority: "b.example.com",
    expect: "SIGNATURE_MISMATCH",
  },
  { name: "another scheme than was signed", origin: "http://api.example.com", expect: "SIGNATURE_MISMATCH" },

  // 5 String to sign
  { name: "another first line", lead: "daypass-url-v2\n", expect: "SIGNATURE_MISMATCH" },
  { name: "another algorithm in the string to sign", alg: "none", expect: "SIGNATURE_MISMATCH" },
  { name: "the path of another request", tamper: (t) => t.replace("/7.pdf", "/8.pdf"), expect: "SIGNATURE_MISMATCH" },
  {
    name: "a query that was changed",
    before: ["lang=de"],
    tamper: (t) => t.replace("lang=de", "lang=en"),
    expect: "SIGNATURE_MISMATCH",
  },
  {
    name: "a query that was put into another order",
    before: ["a=1", "b=2"],
    tamper: (t) => t.replace("a=1&b=2", "b=2&a=1"),
    expect: "SIGNATURE_MISMATCH",
  },
  {
    name: "a query that was cut in another place",
    before: ["a=1b=2"],
    tamper: (t) => t.replace("a=1b=2", "a=1&b=2"),
    expect: "SIGNATURE_MISMATCH",
  },
  { name: "a later end", tamper: (t) => t.replace("T031905Z", "T041905Z"), expect: "SIGNATURE_MISMATCH" },
  {
    name: "a constraint that was removed",
    params: { "dp-subject": "cus_42" },
    tamper: (t) => t.replace("&dp-subject=cus_42", ""),
    expect: "SIGNATURE_MISMATCH",
  },
  {
    name: "a method that was added",
    method: "PUT",
    tamper: (t) => t.replace("dp-methods=GET", "dp-methods=GET.PUT"),
    expect: "SIGNATURE_MISMATCH",
  },
  {
    name: "parameters that a proxy has sorted",
    before: ["lang=de"],
    tamper: (t) => t.replace("lang=de&", "").concat("&lang=de"),
    expect: { target: "/invoices/7.pdf?lang=de" },
  },

  // 6 Verification
  { name: "an unknown key", tamper: (t) => t.replace("dp-key=k1", "dp-key=k9"), expect: "UNKNOWN_KEY" },
  {
    name: "the signature of another key",
    tamper: (t) => t.replace("dp-key=k1", "dp-key=long"),
    expect: "SIGNATURE_MISMATCH",
  },
  {
    name: "a signature with one bit changed",
    forge: (_, s) => Buffer.from(s.map((byte, i) => (i === 0 ? byte ^ 1 : byte))),
    expect: "SIGNATURE_MISMATCH",
  },
  { name: "a signature in hexadecimal", forge: (_, s) => s.toString("hex"), expect: "MALFORMED" },
  { name: "a signature with padding", forge: (_, s) => `${s.toString("base64url")}=`, expect: "MALFORMED" },
  // The signature of example 1 ends in "Y", whose two spare bits are zero; "Z" decodes to the same bytes.
  {
    name: "a signature with spare bits set",
    before: ["lang=de"],
    tamper: (t) => t.replace("36YRY&", "36YRZ&"),
    expect: "SIGNATURE_MISMATCH",
  },
  { name: "a signature that is too short", forge: (_, s) => s.subarray(0, 16), expect: "MALFORMED" },
  { name: "an empty signature", forge: () => "", expect: "MALFORMED" },
  {
    name: "a signature of the length of Ed25519",
    forge: (_, s) => Buffer.concat([s, s]),
    expect: "SIGNATURE_MISMATCH",
  },
  { name: "a signing time just within the skew", now: "20260102T030305Z", expect: VALID },
  { name: "a signing time beyond the skew", now: "20260102T030304Z", expect: "NOT_YET_VALID" },
  { name: "a signing time beyond a skew of zero", skew: 0, now: "20260102T030404Z", expect: "NOT_YET_VALID" },
  {
    name: "one second before dp-starts",
    params: { "dp-starts": "20260102T030500Z" },
    now: "20260102T030459Z",
    expect: "NOT_YET_VALID",
  },
  { name: "the last second", now: "20260102T031904Z", expect: VALID },
  { name: "the first instant after the end", now: "20260102T031905Z", expect: "EXPIRED" },
  {
    name: "a wrong signature on an expired URL",
    now: "20270102T030405Z",
    tamper: (t) => t.replace("/7.pdf", "/8.pdf"),
    expect: "SIGNATURE_MISMATCH",
  },
  { name: "another method", method: "POST", expect: "METHOD_NOT_GRANTED" },
  { name: "GET where HEAD is granted", params: { "dp-methods": "HEAD" }, expect: "METHOD_NOT_GRANTED" },
  { name: "OPTIONS", method: "OPTIONS", expect: "METHOD_NOT_GRANTED" },
  { name: "a method in lower case", method: "get", expect: "METHOD_NOT_GRANTED" },

  // 8 Keys: scope
  { name: "inside the scope", kid: "scoped", path: "/public/a", expect: VALID },
  {
    name: "a prefix inside the scope",
    kid: "scoped",
    path: "/public/a/b",
    fixed: "/public/a/",
    params: { "dp-prefix": "2" },
    expect: VALID,
  },
  { name: "a path outside the scope", kid: "scoped", path: "/private/a", expect: "KEY_SCOPE" },
  { name: "a path that only begins like the scope", kid: "scoped", path: "/publicity/a", expect: "KEY_SCOPE" },
  {
    name: "an origin outside the scope",
    kid: "scoped",
    path: "/public/a",
    origins: ["https://b.example.com"],
    expect: "KEY_SCOPE",
  },
  {
    name: "a method outside the scope",
    kid: "scoped",
    path: "/public/a",
    params: { "dp-methods": "DELETE.GET" },
    expect: "KEY_SCOPE",
  },
  {
    name: "HEAD in a scope of GET",
    kid: "scoped",
    path: "/public/a",
    method: "HEAD",
    params: { "dp-methods": "HEAD" },
    expect: { methods: ["HEAD"] },
  },
  {
    name: "the longest life of the scope",
    kid: "scoped",
    path: "/public/a",
    params: { "dp-expires": "20260102T040405Z" },
    expect: VALID,
  },
  {
    name: "a life beyond the scope",
    kid: "scoped",
    path: "/public/a",
    params: { "dp-expires": "20260102T040406Z" },
    expect: "KEY_SCOPE",
  },
  {
    name: "an end beyond the scope",
    kid: "scoped",
    path: "/public/a",
    params: { "dp-date": "20260201T000000Z", "dp-expires": "20260201T000001Z" },
    now: "20260201T000000Z",
    expect: "KEY_SCOPE",
  },
  {
    name: "an expired URL outside the scope",
    kid: "scoped",
    path: "/private/a",
    now: "20270101T000000Z",
    expect: "EXPIRED",
  },
];

export const hs256Keys = [
  jwk("k1"),
  jwk("long", { use: "sig" }),
  jwk("scoped", {
    scope: {
      origins: ["https://api.example.com"],
      prefix: "/public/",
      methods: ["GET"],
      maxLife: 3600,
      until: "20260201T000000Z",
    },
  }),
];

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
/** @param {Buffer} signature */
function addOrder(signature) {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`) + ORDER;
  const bytes = Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse();
  return Buffer.concat([signature.subarray(0, 32), bytes]);
}

const files = { kid: "edge-1", origins: ["https://files.example.com"] };

/** @type {Vector[]} */
export const ed25519 = [
  {
    ...files,
    name: "Ed25519: example 2 of the page",
    ...prefix,
    params: {
      "dp-expires": "20260109T030405Z",
      "dp-ip": "203-0-113-0_24.2001-db8--_32",
      "dp-prefix": "2",
      "dp-response-content-disposition": "attachment%3Bfilename%3D%22intro.mp4%22",
      "dp-vary": "fbclid.utm_source",
    },
    after: ["utm_source=mail"],
    query: "",
    remoteAddress: "2001:db8::7",
    expect: { obligations: ["response", "strip"] },
  },
  { ...files, name: "an exact path", before: ["a=1"], expect: VALID },
  { ...files, name: "the other key", kid: "edge-2", expect: VALID },
  { ...files, name: "another path", tamper: (t) => t.replace("/7.pdf", "/8.pdf"), expect: "SIGNATURE_MISMATCH" },
  {
    ...files,
    name: "the signature of the other key",
    tamper: (t) => t.replace("dp-key=edge-1", "dp-key=edge-2"),
    expect: "SIGNATURE_MISMATCH",
  },
  {
    ...files,
    name: "an unknown key",
    tamper: (t) => t.replace("dp-key=edge-1", "dp-key=edge-3"),
    expect: "UNKNOWN_KEY",
  },
  {
    ...files,
    name: "a changed R",
    forge: (_, s) => Buffer.from(s.map((byte, i) => (i === 0 ? byte ^ 1 : byte))),
    expect: "SIGNATURE_MISMATCH",
  },
  { ...files, name: "S plus the group's order", forge: (_, s) => addOrder(s), expect: "SIGNATURE_MISMATCH" },
  {
    ...files,
    name: "S with all bits set",
    forge: (_, s) => Buffer.concat([s.subarray(0, 32), Buffer.alloc(32, 255)]),
    expect: "SIGNATURE_MISMATCH",
  },
  { ...files, name: "all zeros", forge: () => Buffer.alloc(64), expect: "SIGNATURE_MISMATCH" },
  {
    ...files,
    name: "the identity as R and zero as S",
    forge: () => Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]),
    expect: "SIGNATURE_MISMATCH",
  },
  {
    ...files,
    name: "spare bits set",
    forge: (_, s) => s.toString("base64url").replace(/.$/, (c) => ({ A: "B", Q: "R", g: "h", w: "x" })[c] ?? ""),
    expect: "SIGNATURE_MISMATCH",
  },
  {
    ...files,
    name: "an HMAC with the public key as secret",
    alg: "HS256",
    forge: hmacWithPublicKey,
    expect: "SIGNATURE_MISMATCH",
  },
  { ...files, name: "HS256 as algorithm in the string to sign", alg: "HS256", expect: "SIGNATURE_MISMATCH" },
  { ...files, name: "EdDSA as algorithm in the string to sign", alg: "EdDSA", expect: "SIGNATURE_MISMATCH" },
  {
    ...files,
    name: "Ed25519ctx-like prefix in the string to sign",
    lead: "SigEd25519 no Ed25519 collisions\n",
    expect: "SIGNATURE_MISMATCH",
  },
  { ...files, name: "the first instant after the end", now: "20260102T031905Z", expect: "EXPIRED" },
  { ...files, name: "another method", method: "PUT", expect: "METHOD_NOT_GRANTED" },
];

/** @param {string} message */
function hmacWithPublicKey(message) {
  return createHmac("sha256", publicKey("edge-1")).update(message, "latin1").digest();
}

export const ed25519Keys = [jwk("edge-1"), jwk("edge-2", { use: "sig", scope: { maxLife: 86_400 } })];

const B64 = (/** @type {string} */ hexText) => Buffer.from(hexText, "hex").toString("base64url");
const flip = (/** @type {string} */ hexText) =>
  hexText.slice(0, 62) + (Number.parseInt(hexText.slice(62), 16) ^ 128).toString(16).padStart(2, "0");
const ORDER_8 = [
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
];
const SMALL = ["00".repeat(32), `01${"00".repeat(31)}`, `ec${"ff".repeat(30)}7f`, ...ORDER_8];
// y = p + i for the small i whose y - p is a coordinate, and the largest 255-bit number.
const NOT_CANONICAL = [
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`,
  `f0${"ff".repeat(30)}7f`,
  `${"ff".repeat(31)}7f`,
];
const invalid = (/** @type {string} */ name, /** @type {object[]} */ ...list) => ({ name, keys: list, valid: false });
const scope = (/** @type {object} */ value) => jwk("k1", { scope: value });

export const keySets = [
  { name: "HMAC and Ed25519 keys together", keys: [jwk("k1"), jwk("edge-1")], valid: true },
  { name: "no keys", keys: [], valid: true },
  { name: "members that are not known", keys: [jwk("k1", { "x-note": "ours", key_ops: ["verify"] })], valid: true },
  { name: "a private half of 31 bytes", keys: [jwk("edge-1", { d: "A".repeat(42) })], valid: true },
  {
    name: "a scope with methods in any order",
    keys: [scope({ methods: ["PUT", "GET", "PUT", "TRACE"] })],
    valid: true,
  },
  { name: "a scope with all members", keys: [hs256Keys[2]], valid: true },
  { name: "an empty scope", keys: [scope({})], valid: true },
  { name: "the longest life that there is", keys: [scope({ maxLife: 2 ** 53 - 1 })], valid: true },
  invalid("one kid twice", jwk("k1"), jwk("k1")),
  invalid("one kid for two algorithms", jwk("k1"), jwk("edge-1", { kid: "k1" })),
  invalid("no kid", jwk("k1", { kid: undefined })),
  invalid("a kid with a space", jwk("k1", { kid: "k 1" })),
  invalid("a kid of 65 characters", jwk("k1", { kid: "k".repeat(65) })),
  invalid("no alg", jwk("k1", { alg: undefined })),
  invalid("alg none", jwk("k1", { alg: "none" })),
  invalid("an HMAC key with alg Ed25519", jwk("k1", { alg: "Ed25519" })),
  invalid("an Ed25519 key with alg HS256", jwk("edge-1", { alg: "HS256" })),
  invalid("alg EdDSA", jwk("edge-1", { alg: "EdDSA" })),
  invalid("another curve", jwk("edge-1", { crv: "Ed448" })),
  invalid("another kty", jwk("k1", { kty: "RSA" })),
  invalid("use enc", jwk("k1", { use: "enc" })),
  invalid("a secret of 31 bytes", jwk("k1", { k: Buffer.alloc(31, 7).toString("base64url") })),
  invalid("a secret with padding", jwk("k1", { k: Buffer.alloc(32, 7).toString("base64") })),
  invalid("a secret with spare bits set", jwk("k1", { k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9" })),
  invalid("no secret", jwk("k1", { k: undefined })),
  invalid("a public key of 31 bytes", jwk("edge-1", { x: Buffer.alloc(31, 7).toString("base64url") })),
  ...SMALL.flatMap((x) => [x, flip(x)]).map((x) =>
    invalid(`a public key of small order: ${x}`, jwk("edge-1", { x: B64(x) })),
  ),
  ...NOT_CANONICAL.flatMap((x) => [x, flip(x)]).map((x) =>
    invalid(`a public key that is not canonical: ${x}`, jwk("edge-1", { x: B64(x) })),
  ),
  invalid("a scope that is a list", scope([])),
  invalid("a scope with an unknown member", scope({ prefixes: ["/a/"] })),
  invalid("a scope without origins", scope({ origins: [] })),
  invalid("a scope with an origin in upper case", scope({ origins: ["https://API.example.com"] })),
  invalid("a scope with a default port", scope({ origins: ["https://api.example.com:443"] })),
  invalid("a scope with a host that is a number", scope({ origins: ["https://127.1"] })),
  invalid("a scope with a final dot", scope({ origins: ["https://api.example.com."] })),
  invalid("a scope with a prefix that ends within a segment", scope({ prefix: "/public" })),
  invalid("a scope with a dot segment", scope({ prefix: "/a/../" })),
  invalid("a scope with a method in lower case", scope({ methods: ["get"] })),
  invalid("a scope with a longest life of zero", scope({ maxLife: 0 })),
  invalid("a scope with a life of 2^53 seconds", scope({ maxLife: 2 ** 53 })),
  invalid("a scope with a fractional life", scope({ maxLife: 1.5 })),
  invalid("a scope with a life as text", scope({ maxLife: "3600" })),
  invalid("a scope with an end that is no instant", scope({ until: "20260231T000000Z" })),
];
