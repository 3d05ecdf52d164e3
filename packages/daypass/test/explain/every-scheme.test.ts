import { azureSigner } from "daypass/azure";
import { type ExplainOptions, explain } from "daypass/explain";
import { imgproxySigner } from "daypass/imgproxy";
import { describe, expect, it } from "vitest";
import { errorXml } from "./raw-requests.ts";
import { accountKey, clock, END, late, SECRET, sample, samples, signedAt, soon, stores } from "./signed-urls.ts";

const MISMATCH = errorXml("SignatureDoesNotMatch", "The signature does not match.");
const DENIED = errorXml("AccessDenied", "Access denied");
const causeOf = async (url: string, options: ExplainOptions = {}) =>
  (await explain(url, { clock: soon, ...options })).cause;

it.each(samples)("explain returns no cause for a good URL of $name", async ({ key, sign }) => {
  const { url } = await sign();
  for (const keys of [[], [key]]) expect(await causeOf(url, { keys })).toBeUndefined();
});

// A Daypass server answers with problem details, and the URL does not state Cloudflare's lifetime.
it.each(samples.filter(({ name }) => !/Daypass|Cloudflare/.test(name)))(
  "explain returns EXPIRED for an expired URL of $name, above a vague answer",
  async ({ sign }) => {
    const { url } = await sign();
    for (const errorBody of [undefined, DENIED])
      expect(await causeOf(url, { errorBody, clock: late })).toMatchObject({
        code: "EXPIRED",
        sentence: expect.stringContaining("it was valid until 2026-11-24T12:15:00"),
      });
    expect((await causeOf(url, { errorBody: DENIED }))?.code).not.toBe("EXPIRED");
  },
);

const SIGNS_QUERY = [
  ...["S3", "Cloud Storage", "OSS", "CloudFront", "Daypass", "URI Signing", "Bunny", "imgix"],
  ...["Laravel", "Symfony", "Cloudflare", "Cloud CDN", "Media CDN"],
];

it.each(
  SIGNS_QUERY.flatMap((name) => [
    [name, "utm_source=mail&utm_medium=x&utm_campaign=y&gclid=z", "utm_source, utm_medium, utm_campaign and gclid"],
    [name, "za=1&zb=2&zc=3&zd=4&ze=5", "za, zb, zc, zd and ze"],
  ]),
)("explain names the parameters that were added to a URL of %s: %s", async (name, added, names) => {
  const { key, sign } = sample(name);
  const cause = await causeOf(`${(await sign()).url}&${added}`, { keys: [key] });
  expect(cause).toMatchObject({ code: "QUERY", sentence: expect.stringContaining(names) });
});

it.each(["S3", "OSS", "Cloud Storage"])(
  "explain names a tracking parameter on a URL of %s without the key",
  async (name) => {
    const { url } = await sample(name).sign();
    const cause = await causeOf(`${url}&utm_source=mail&fbclid=x`, { errorBody: MISMATCH });
    expect(cause).toMatchObject({ code: "QUERY", sentence: expect.stringContaining("utm_source, fbclid was added") });
  },
);

it.each(["S3 V2", "Cloud Storage V2", "OSS", "OSS V1", "COS", "Swift", "CloudFront"])(
  "explain finds a longer lifetime with the key of %s",
  async (name) => {
    const { key, sign } = sample(name);
    const { url } = await sign();
    const longer = url.replaceAll(String(END), String(END + 3600)).replace("x-oss-expires=900", "x-oss-expires=4500");
    expect(longer).not.toBe(url);
    const cause = await causeOf(longer, { keys: [key] });
    expect(cause).toMatchObject({ code: "EXPIRES_CHANGED", sentence: expect.stringMatching(`${END}|900`) });
  },
);

describe.each(stores)("explain with a URL of $name", ({ keyOf, sign }) => {
  const [own, other] = [keyOf("AKIDEXAMPLE", SECRET), keyOf("AKIDOTHER", "the-other-secret")];
  const request = { method: "GET", headers: {} };

  it("reports an expired URL, and the wrong method as well", async () => {
    const cause = await causeOf(sign({ method: "PUT" }).url, { clock: late, keys: [own], request });
    expect(cause).toMatchObject({ code: "EXPIRED" });
    expect(cause?.evidence.at(-1)).toMatch(/^Besides: .*signed for PUT/);
  });

  it("reports the wrong method when the server complained about the signature, and the end as well", async () => {
    const { url } = sign({ method: "PUT" });
    const cause = await causeOf(url, { clock: late, keys: [own], request, errorBody: MISMATCH });
    expect(cause).toMatchObject({ code: "METHOD", sentence: expect.stringContaining("signed for PUT") });
    expect(cause?.evidence.at(-1)).toMatch(/^Besides: The URL has expired/);
    expect((await causeOf(url, { clock: late, request, errorBody: MISMATCH }))?.code).not.toBe("EXPIRED");
  });

  it("reports the id of one key with the secret of another", async () => {
    const { url } = sign({ secret: "the-other-secret" });
    for (const keys of [[own, other], [other]]) {
      for (const errorBody of [undefined, MISMATCH]) {
        const told = await explain(url, { clock: soon, keys, errorBody });
        expect(told.cause).toMatchObject({
          code: "UNKNOWN_KEY",
          sentence: expect.stringMatching(/names (?:the key )?AKIDEXAMPLE and was signed with the \w+ of AKIDOTHER/),
        });
        expect(JSON.stringify(told)).not.toContain("the-other-secret");
      }
    }
    expect(await causeOf(sign().url, { keys: [other, own] })).toBeUndefined();
  });
});

const HEX = {
  S3: "X-Amz-Signature",
  "Cloud Storage": "X-Goog-Signature",
  OSS: "x-oss-signature",
  COS: "q-signature",
  Swift: "temp_url_sig",
};

it.each(
  Object.entries(HEX).flatMap(([name, parameter]) => [
    [name, parameter, "cut", /its end was cut off, \d+ of \d+/, (digits: string) => digits.slice(0, -6)] as const,
    [name, parameter, "in upper case", /it was put into upper case/, (digits: string) => digits.toUpperCase()] as const,
    [name, parameter, "too long", /something follows/, (digits: string) => `${digits}00`] as const,
  ]),
)("explain reports the signature of %s (%s) that is %s", async (name, parameter, _, says, change) => {
  const { key, sign } = sample(name);
  const pattern = new RegExp(`(${parameter}=)([0-9a-f]+)`);
  const url = (await sign()).url.replace(pattern, (_, front: string, digits: string) => front + change(digits));
  for (const keys of [[], [key]]) {
    const cause = await causeOf(url, { keys });
    expect(cause).toMatchObject({ code: "MALFORMED", sentence: expect.stringMatching(says) });
    expect(cause?.sentence).toContain(`(${parameter}) was damaged in transit`);
  }
});

describe.each(["S3", "S3 V2", "Cloud Storage", "OSS"])("explain with the path of a URL of %s", (name) => {
  const { keyOf, sign } = stores.find((store) => store.name === name) as (typeof stores)[number];
  const { url } = sign({ key: "a b/c d+e.txt" });
  const keys = [keyOf("AKIDEXAMPLE", SECRET)];
  const changed = (change: (path: string) => string) =>
    causeOf(url.replace(/[^?]*/, change), { keys, request: { method: "GET", headers: {} } });

  it.each([
    ["lost its plus", (path: string) => path.replaceAll("%2B", "%20"), "with `+` (%2B) where the URL has a space"],
    [
      "was encoded again",
      (path: string) => path.replaceAll("%", "%25"),
      "encoded once, where the URL is encoded twice",
    ],
  ])("reports a path that %s", async (_, change, says) => {
    expect(await changed(change)).toMatchObject({ code: "PATH", sentence: expect.stringContaining(says) });
  });

  it("reports a URL that was encoded again as a whole", async () => {
    expect((await causeOf(url.replaceAll("%", "%25")))?.sentence).toMatch(/percent-encoded again|encoded twice/);
  });
});

describe.each(["S3", "Cloud Storage", "OSS", "COS"])("explain with a signed header of %s", (name) => {
  const { keyOf, sign } = stores.find((store) => store.name === name) as (typeof stores)[number];
  const { url, headers } = sign({ bind: { headers: { "x-tenant": "acme" } } });
  const keys = [keyOf("AKIDEXAMPLE", SECRET)];

  it.each<readonly [string, ExplainOptions, string | undefined, RegExp]>([
    ["no finding without the request", {}, undefined, /^$/],
    ["the untried key without the value", { keys }, "HEADER", /x-tenant.* was not given/],
    ["the end first", { keys, clock: late }, "EXPIRED", /expired/],
    ["no cause with the signed value", { keys, request: { headers } }, undefined, /^$/],
    [
      "another value",
      { keys, request: { headers: { "x-tenant": "b" } } },
      "HEADER",
      /another value was signed.* changed/,
    ],
    ["a missing header", { keys, request: { headers: {} } }, "HEADER", /was not sent/],
  ])("reports %s", async (_, options, code, says) => {
    const cause = await causeOf(url, options);
    expect([cause?.code, cause?.sentence ?? ""]).toEqual([code, expect.stringMatching(says)]);
  });
});

it("reports the start of an OSS URL that its cause names", async () => {
  const { cause, startsAt } = await explain((await sample("OSS").sign()).url, {
    clock: () => new Date(signedAt.getTime() - 3_600_000),
  });
  expect(cause).toMatchObject({ code: "NOT_YET_VALID", sentence: expect.stringContaining("11:45:00.000Z") });
  expect(startsAt).toEqual(new Date("2026-11-24T11:45:00Z"));
});

it.each([
  ["CloudFront", /(Signature=.{100})[^&]*/],
  ["Daypass", /(dp-signature=.{20})[^&]*/],
])("explain reports the base64 signature of %s that was cut off", async (name, pattern) => {
  const { key, sign } = sample(name);
  const { url } = await sign();
  for (const keys of [[], [key]]) {
    expect(await causeOf(url.replace(pattern, "$1"), { keys })).toMatchObject({
      code: "MALFORMED",
      sentence: expect.stringContaining("its end was cut off"),
    });
  }
});

it("reports that a token for one URI is for another one, and not which", async () => {
  const { url } = await sample("URI Signing").sign();
  expect(await causeOf(`${url}&utm_source=mail`)).toMatchObject({
    code: "PATH",
    sentence: expect.stringMatching(/for one that it does not show, and not for .* with its query/),
  });
});

it("reports that a token without a key name was signed with another key", async () => {
  const { url } = await sample("Bunny").sign();
  const cause = await causeOf(url, { keys: [{ scheme: "bunny", secret: "another-secret" }] });
  expect(cause?.sentence).toMatch(/^The URL was signed with a different key than the given one, or changed/);
});

it("reports an Azure key that was used as text, and the end", async () => {
  const text = Buffer.from(accountKey).toString("base64");
  const { url } = azureSigner({ account: "acme", credentials: { accountKey: text }, clock }).sign({
    ...{ container: "media", blob: "a.txt", permissions: "r", expiresIn: 900 },
  });
  const cause = await causeOf(url, { clock: late, keys: [{ accountKey }] });
  expect(cause).toMatchObject({ code: "EXPIRED" });
  expect(cause?.evidence.at(-1)).toMatch(/^Besides: The key was used as text/);
});

it("adds the trap of an expired Azure URL", async () => {
  const { traps } = await explain((await sample("Azure").sign()).url, {
    clock: () => new Date("2027-01-01T00:00:00Z"),
  });
  expect(traps).toContainEqual({ name: "expired", text: "It expired at 2026-11-24T12:15:00.000Z." });
});

it("takes the source in an imgproxy URL for no key of S3", async () => {
  const { url } = imgproxySigner({ key: "736563726574", salt: "68656c6c6f", clock }).sign({
    url: "https://img.example.com/rs:fit:300:300/plain/s3://bucket/cat.jpg",
    expiresIn: 900,
  });
  const { traps } = await explain(url, { clock: soon });
  expect(traps.find(({ name }) => name === "double-slash")?.text).toContain("the source's URL");
});
