import { describe, expect, it } from "vitest";
import type { WireRequest } from "../../src/core/contracts.ts";
import { immediate } from "../../src/core/verify.ts";
import { type S3Credentials, type S3VerifierOptions, s3Signer, s3Verifier } from "../../src/schemes/s3/index.ts";
import { codeOf, verdictOf } from "../code-of.ts";
import { isUnchanged, mutate } from "../tamper/mutate.ts";
import { seeded, tamperSeed } from "../tamper/seeded.ts";
import { wireRequest } from "../wire-request.ts";
import { AT, call, clock, credentials, endpoint, options } from "./given.ts";

const signer = s3Signer({ ...options, endpoint });
const HOST = ["Host", "s3.example.com"] as const;

/** A request whose grant has parameters: the grants of one verdict share them, so a test sees whether a verdict was used. */
const requestFor = (key: string, more: object = {}): WireRequest => ({
  ...wireRequest(signer.sign({ ...call, query: { versionId: "1" }, ...more, key })),
  headers: [HOST, ["User-Agent", "curl/8"], ["Range", "bytes=0-1"]],
});
const request = requestFor("a.mp4");

const cached = (more: Partial<S3VerifierOptions> = {}) =>
  s3Verifier({ credentials, origins: [endpoint, "https://files.example.com"], clock, cache: 64, ...more });

type Verify = ReturnType<typeof cached>["verify"];
const shares = async (verify: Verify, one: WireRequest, other = one): Promise<boolean> =>
  (await verify(one)).parameters === (await verify(other)).parameters;

describe("a verifier with a cache", () => {
  it("shares a verdict between equal requests, whatever their other headers are", async () => {
    const { verify } = cached();
    const next = { ...request, headers: [HOST, ["Range", "bytes=2-3"], ["Authorisation", "a"]] as const };
    expect(await shares(verify, request, next)).toBe(true);
    expect(JSON.stringify(await verify(request))).toBe(JSON.stringify(await cached().verify(request)));
    expect(await shares(cached({ cache: undefined }).verify, request)).toBe(false);
  });

  it("gives each request its own grant, with the key and the id that scope and revocation are checked with", async () => {
    const verifier = cached();
    const grants = [
      await verifier.verify(request),
      await verifier.verify(request),
      immediate(verifier).verify(request),
    ];
    expect(new Set(grants).size).toBe(3);
    const { keyId, id, bucket, key, parameters } = await cached({ cache: undefined }).verify(request);
    for (const grant of grants) expect(grant).toMatchObject({ keyId, id, bucket, key, parameters });
  });

  it("shares it for a URL whose signature is followed by other parameters, as in the AWS SDK's", async () => {
    const [path, query = ""] = request.target.split("?");
    const sorted = { ...request, target: `${path}?${query.split("&").sort().join("&")}` };
    expect(sorted.target).toMatch(/Signature=[0-9a-f]{64}&/);
    expect(await shares(cached().verify, sorted)).toBe(true);
  });

  it("finds no verdict by a text that is not secret, such as a last parameter as long as a signature", async () => {
    const versionId = "0".repeat(64);
    const [path, query = ""] = requestFor("a.mp4", { query: { versionId } }).target.split("?");
    const [own = "", signature] = query.split(`versionId=${versionId}&`);
    const target = `${path}?${own}${signature}&versionId=${versionId}`;
    expect(await shares(cached().verify, { ...request, target })).toBe(false);
  });

  it.each([
    ["another path", { target: request.target.replace("a.mp4", "b.mp4") }],
    ["another spelling of its path", { target: request.target.replace("a.mp4", "%61.mp4") }],
    ["another parameter", { target: request.target.replace("versionId=1", "versionId=2") }],
    ["one parameter more", { target: request.target.replace("?", "?a=1&") }],
    ["an empty parameter before the others", { target: request.target.replace("?", "?&") }],
    ["a second signature", { target: `${request.target}&X-Amz-Signature=${request.target.slice(-64)}` }],
    ["a signature in upper case", { target: request.target.slice(0, -64) + request.target.slice(-64).toUpperCase() }],
    ["a longer signature", { target: `${request.target}0` }],
    ["another method", { method: "PUT" }],
    ["the method in lower case", { method: "get" }],
    ["another origin", { authority: "files.example.com" }],
    ["an origin that is not configured", { authority: "evil.example.com" }],
    ["the authority in upper case", { authority: "S3.example.com" }],
    ["the default port", { authority: "s3.example.com:443" }],
    ["an unsigned header", { headers: [HOST, ["x-amz-copy-source", "/media/secret"]] }],
    ["an unsigned header in upper case", { headers: [HOST, ["X-AMZ-ACL", "public-read"]] }],
    ["an Authorization header", { headers: [HOST, ["Authorization", "AWS4-HMAC-SHA256 a"]] }],
    ["an empty Authorization header in upper case", { headers: [HOST, ["AUTHORIZATION", ""]] }],
    ["headers that are too long", { headers: [HOST, ["a", "a".repeat(40_000)]] }],
  ] as const)("uses no verdict for a request with %s", async (_, more) => {
    const { verify } = cached();
    const { parameters } = await verify(request);
    const other: WireRequest = { ...request, ...more };
    expect(await verdictOf(verify(other))).toBe(await verdictOf(cached({ cache: undefined }).verify(other)));
    expect((await verify(other).catch(() => undefined))?.parameters === parameters).toBe(false);
  });

  it("answers 5,000 changed requests as a verifier without a cache does", async () => {
    const random = seeded(tamperSeed);
    const bases = ["a.mp4", "b c/é.ts", "..a"].map((key) => requestFor(key));
    const [remembering, plain] = [cached(), cached({ cache: undefined })];
    const outcome = ({ verify }: typeof plain, one: WireRequest): Promise<string> =>
      verify(one).then(
        (grant) => JSON.stringify(grant),
        ({ code }: { code?: unknown }) => String(code),
      );
    for (let count = 0; count < 5_000; count++) {
      const base = random.pick(bases);
      await remembering.verify(base);
      const changed = mutate(base, random, bases);
      if (isUnchanged(changed.request, base)) continue;
      expect(await outcome(remembering, changed.request), changed.mutation).toBe(await outcome(plain, changed.request));
    }
  });

  it("checks the time of each request, also after the clock was set back", async () => {
    let now = AT;
    const { verify } = cached({ clock: () => now });
    const answers = [];
    for (const seconds of [0, 59.999, 60, 61, 0, -901, Number.NaN, 0]) {
      now = new Date(AT.getTime() + seconds * 1000);
      answers.push(await verdictOf(verify(request)));
    }
    const [good, late, early] = ["accepted", "EXPIRED", "NOT_YET_VALID"];
    expect(answers).toEqual([good, good, late, late, good, early, early, good]);
  });

  it("refuses a remembered URL when its key was removed or its credentials have expired", async () => {
    let found: S3Credentials | undefined = credentials;
    for (const lookUp of [() => found, async () => found]) {
      found = credentials;
      const { verify } = cached({ credentials: lookUp });
      expect(await shares(verify, request)).toBe(true);
      found = undefined;
      expect(await verdictOf(verify(request))).toBe("UNKNOWN_KEY");
      found = { ...credentials, expiration: AT };
      expect(await verdictOf(verify(request))).toBe("EXPIRED_TOKEN");
      found = { ...credentials, sessionToken: "token" };
      expect(await verdictOf(verify(request))).toBe("INVALID_TOKEN");
      found = credentials;
      expect(await verdictOf(verify(request))).toBe("accepted");
    }
  });

  it("checks the signature again for another key, and for a key with another secret", async () => {
    const row = { ...credentials };
    let found: S3Credentials | readonly S3Credentials[] = row;
    const { verify } = cached({ credentials: () => found });
    expect(await shares(verify, request)).toBe(true);
    row.secretAccessKey = "another";
    expect(await verdictOf(verify(request))).toBe("SIGNATURE_MISMATCH");
    row.secretAccessKey = credentials.secretAccessKey;
    const { parameters } = await verify(request);
    found = { ...credentials, secretAccessKey: "another" };
    expect(await verdictOf(verify(request))).toBe("SIGNATURE_MISMATCH");
    found = [found, { ...credentials }];
    expect(await verdictOf(verify(request))).toBe("accepted");
    expect((await verify(request)).parameters).toEqual(parameters);
  });

  it("checks regions and obligations of each request", async () => {
    const regions = ["us-east-1"];
    const { verify } = cached({ regions });
    const attached = requestFor("b.mp4", { response: { contentDisposition: "attachment" } });
    await verify(request);
    const enforces = ["response"] as const;
    expect(await verdictOf(verify(attached, { enforces }))).toBe("accepted");
    expect(await verdictOf(verify(attached))).toBe("UNENFORCED_CONSTRAINT");
    expect((await verify(attached, { enforces })).obligations).toMatchObject([{ kind: "response" }]);
    regions.pop();
    expect(await verdictOf(verify(request))).toBe("WRONG_SCOPE");
  });

  const conditional = {
    ...requestFor("a", { headers: { "if-match": "b" } }),
    headers: [HOST, ["if-match", "b"]] as const,
  };
  const forwarded = { ...request, headers: [HOST, ["X-Forwarded-For", "203.0.113.9"]] as const };
  it.each([
    ["the same request with a signed header", conditional, conditional],
    ["the same request with a header that begins with x-", forwarded, forwarded],
    ["a request after one with a header that begins with x-", forwarded, request],
  ])("uses no verdict for %s", async (_, first, next) => {
    expect(await shares(cached().verify, first, next)).toBe(false);
  });

  it("remembers no refused request", async () => {
    let found: S3Credentials = { ...credentials, secretAccessKey: "another" };
    const { verify } = cached({ credentials: () => found });
    expect(await verdictOf(verify(request))).toBe("SIGNATURE_MISMATCH");
    found = credentials;
    const attached = requestFor("b.mp4", { response: { contentDisposition: "attachment" } });
    expect(await verdictOf(verify(attached))).toBe("UNENFORCED_CONSTRAINT");
    expect(await verdictOf(verify(attached))).toBe("UNENFORCED_CONSTRAINT");
    expect(await shares(verify, request)).toBe(true);
  });

  it("shares no value that a caller can change with later requests", async () => {
    const { verify } = cached();
    const { parameters, ...first } = await verify(request);
    expect(() => (parameters as unknown[]).push(["versionId", "2"])).toThrow(TypeError);
    expect(() => Object.assign(parameters[0] as object, { 1: "2" })).toThrow(TypeError);
    Object.assign(first.methods, { 0: "DELETE" });
    expect(await verify(request)).toMatchObject({ methods: ["GET"], parameters: [["versionId", "1"]] });
  });

  it.each([
    ["as many URLs as its option says", 4, "", 5],
    ["at most 16 MB", 100_000, "é".repeat(2500), 125],
  ] as const)("remembers %s, and those that were used last", async (_, cache, end, count) => {
    const { verify } = cached({ cache });
    const { parameters } = await verify(request);
    const parametersOf = async (at: number) => (await verify(requestFor(`${at}${end}`))).parameters;
    const found = [];
    for (let at = 0; at < count; at++) {
      found.push(await parametersOf(at));
      if (at === 1) expect((await verify(request)).parameters).toBe(parameters);
    }
    expect((await verify(request)).parameters).not.toBe(parameters);
    expect(await parametersOf(count - 3)).toBe(found[count - 3]);
  });

  it("forgets the URL that was not used for longest", async () => {
    const { verify } = cached({ cache: 4 });
    const parametersOf = async (key: string) => (await verify(requestFor(key))).parameters;
    const [ofA, ofB] = [await parametersOf("a"), await parametersOf("b")];
    for (const key of ["c", "a", "d", "e"]) await parametersOf(key);
    expect(await parametersOf("a")).toBe(ofA);
    expect(await parametersOf("b")).not.toBe(ofB);
  });

  it.each([0, 1, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "4096", null])("refuses a cache of %j", (cache) => {
    expect(codeOf(() => cached({ cache: cache as number }))).toBe("INVALID_INPUT");
  });
});
