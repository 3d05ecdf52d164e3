import { expect, it } from "vitest";
import { isDaypassError } from "../../src/index.ts";
import { publishedKeySet, urlSigner, urlVerifier } from "../../src/schemes/url/index.ts";
import { expectRefusal, wireRequest } from "../wire-request.ts";
import { AT, KEY, ORIGIN } from "./fixture.ts";

const signer = urlSigner({ key: KEY });
const url = `${ORIGIN}/talks/2026/a.pdf`;
const keys = { kty: "oct", kid: "k2", alg: "HS256" };

function message(ask: () => unknown): string {
  try {
    return `made ${JSON.stringify(ask())}`;
  } catch (error) {
    return isDaypassError(error) ? `${error.code}: ${error.message}` : String(error);
  }
}

// From JavaScript, without a compiler's checks.
it.each<[string, object | undefined, RegExp]>([
  ["no path", { url: ORIGIN }, /^INVALID_INPUT: url is "https.* and a path$/],
  ["no URL", { url: "nope" }, /^INVALID_INPUT: url is "nope"/],
  ["a number for the URL", { url: 5 }, /^INVALID_INPUT: url is 5/],
  ["a number for a text", { url, subject: 42 }, /^INVALID_INPUT/],
  ["a text for a list", { url, methods: "GET" }, /^INVALID_INPUT/],
  ["a text for names", { url, vary: "utm_source" }, /^INVALID_INPUT/],
  ["a number to bind", { url, bind: 5 }, /^INVALID_INPUT: .*Pass an object$/],
  ["a text for headers", { url, bind: { headers: "x" } }, /^INVALID_INPUT: .*Pass an object$/],
  ["a number for parameters", { url, bind: { query: 5 } }, /^INVALID_INPUT: .*Pass an object$/],
  ["a number for the answer", { url, response: 5 }, /^INVALID_INPUT: .*Pass an object$/],
  ["nothing to bind", { url, bind: null }, /^INVALID_INPUT/],
  ["a prefix without its end", { url, prefix: "/talks" }, /^INVALID_INPUT: prefix is "\/talks"/],
  ["a prefix of everything", { url, prefix: "/" }, /^INVALID_INPUT: prefix is "\/"/],
  ["no request", undefined, /^INVALID_INPUT/],
])("refuses %s by a code", (_, request, expected) => {
  expect(message(() => signer.sign((request && { expiresIn: 60, ...request }) as never))).toMatch(expected);
});

it("shows neither user nor password nor query of a URL that it refuses", () => {
  const said = message(() => signer.sign({ url: "https://user:hunter2@a.example/x?token=t0p", expiresIn: 60 }));
  expect(said).toMatch(/^INVALID_INPUT: .*a\.example\/x/);
  expect(said).not.toMatch(/user:|hunter2|t0p/);
});

it.each<[string, () => unknown]>([
  ["a signer without a key", () => urlSigner({} as never)],
  ["a verifier without keys", () => urlVerifier({ origins: [ORIGIN] } as never)],
  ["a verifier with an empty object", () => urlVerifier({ keys: {} as never, origins: [ORIGIN] })],
  ["a verifier with a hole among its keys", () => urlVerifier({ keys: [undefined as never], origins: [ORIGIN] })],
  ["a verifier with null among its keys", () => urlVerifier({ keys: [null as never], origins: [ORIGIN] })],
  ["a key without its bytes", () => urlVerifier({ keys: [keys as never], origins: [ORIGIN] })],
  ["a set that is none", () => publishedKeySet({} as never)],
  ["a set in which two keys have one kid", () => publishedKeySet([KEY, KEY])],
])("refuses %s as INVALID_KEY", (_, ask) => {
  expect(message(ask)).toMatch(/^INVALID_KEY: /);
});

it("reads an IPv6 address with :: for one group or more", () => {
  const sign = (ip: string) => signer.sign({ url, expiresIn: 60, bind: { ip } }).url;
  // RFC 5952 writes a single group of zeros.
  expect(sign("1:2:3:4:5:6::8")).toContain("dp-ip=1-2-3-4-5-6-0-8_128");
  expect(sign("1:2:3:4:5:6:7:8")).toContain("dp-ip=1-2-3-4-5-6-7-8_128");
  for (const ip of ["1:2:3:4:5:6:7::8", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "1:2:3:4:5:6:7:8:9"])
    expect(() => sign(ip), ip).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
});

it("grants up to the expiry of the key, and not a second longer", async () => {
  const clock = (): Date => AT;
  const scoped = { ...KEY, scope: { until: "20260102T030505Z" } };
  const verifier = urlVerifier({ keys: [scoped], origins: [ORIGIN], clock });
  const verify = (expiresIn: number) =>
    verifier.verify(wireRequest(urlSigner({ key: KEY, clock }).sign({ url, expiresIn })));
  expect((await verify(60)).keyId).toBe("k1");
  await expectRefusal(verify(61), "KEY_SCOPE");
});
