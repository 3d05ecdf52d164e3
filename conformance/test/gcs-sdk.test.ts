import { gcsHmacSigner, gcsSigner, gcsVerifier } from "daypass/gcs";
import { gcsFormSigner, gcsFormVerifier } from "daypass/gcs/form";
import { gcsV2HmacSigner, gcsV2Signer, gcsV2Verifier } from "daypass/gcs/v2";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { goog2Signature, goog4, origin, path, type Quirks } from "../goog4.ts";
import {
  ACCOUNT,
  type GcsForm,
  ourOptions,
  ourRequest,
  ourV2Request,
  PUBLIC_ACCOUNT,
  sdkForm,
  sdkUrl,
} from "../oracles/gcs.ts";
import {
  type GcsFormWish,
  type GcsPlace,
  type GcsWish,
  NAMES,
  randomGcsForm,
  randomGcsWish,
} from "../random/gcs-wishes.ts";
import { hasDotSegment } from "../random/keys.ts";
import { runCount, runSeed, seeded } from "../random/seeded.ts";

const COUNT = runCount();

// The official client is asked the same, with the same RSA key, whose signatures are the same bytes for the same text.
// For its known errors, the exact bytes are predicted.

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** How the client reads a wish: what it loses, and what it signs otherwise than Google's pages say. */
function asRead(
  wish: GcsWish,
  version: "v2" | "v4",
): {
  readonly wish: GcsWish;
  readonly quirks: Quirks;
  readonly differs: readonly string[];
} {
  const differs: string[] = [];
  const query = Object.fromEntries(Object.entries(wish.query).filter(([name]) => name !== "__proto__"));
  if (Object.hasOwn(wish.query, "__proto__")) differs.push("__proto__");
  if (hasDotSegment(wish.object ?? "")) differs.push("dot segments");
  const values = Object.values(wish.headers);
  if (values.some((value) => /\S\t\S/.test(value))) differs.push("a tab");
  const names = Object.keys(wish.headers);
  if (names.sort().join() !== [...names].sort((a, b) => a.localeCompare(b)).join()) differs.push("order of headers");
  const isBucket = wish.object === undefined;
  // For calls on a bucket it has no virtual host, nor says so.
  const isMoved = isBucket && wish.addressing === "virtual";
  // In V2 it signs `/bucket` for the path `/` of such a host.
  if (isMoved || (version === "v2" && isBucket && wish.addressing !== "path")) differs.push("a bucket as host");
  return {
    // A file's parameters lose it before they are signed, a bucket's after.
    wish: {
      ...wish,
      query: isBucket ? wish.query : query,
      ...(isMoved ? { addressing: "path" } : {}),
    },
    quirks: {
      headerValue: (value) => value.trim().replace(/\s{2,}/g, " "),
      compareHeaders: (a, b) => a.localeCompare(b),
    },
    differs,
  };
}

/** What the client's URL parser makes of a path, without the parameter that it has lost on the way. */
const parsed = (url: string): string => new URL(url).href.replace(/[?&]__proto__=[^&]*/, "");
const sorted = (url: string): string => {
  const [start, query = ""] = url.split("?");
  return `${start}?${query.split("&").sort().join("&")}`;
};
const count = (counts: Map<string, number>, names: readonly string[]): void => {
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
};

function wire(url: string, { method, headers }: Pick<GcsWish, "method" | "headers">) {
  const [, authority = "", target = ""] = /^https?:\/\/([^/]+)(.*)$/.exec(url) ?? [];
  return { method, target, authority, headers: Object.entries(headers) };
}

const origins = (
  wish: GcsPlace & { readonly bucket: string },
): { readonly origins: readonly string[]; readonly buckets?: Record<string, string> } => {
  const own = origin(wish);
  return wish.addressing === "path" ? { origins: [own] } : { origins: [own], buckets: { [own]: wish.bucket } };
};
/** One client for all requests of a bucket at an endpoint. It reads the clock of the process. */
function perBucket<T>(make: (wish: GcsPlace & { readonly bucket: string }) => T): typeof make {
  const made = new Map<string, T>();
  return (wish) => {
    const id = [wish.addressing, wish.endpoint, wish.universeDomain, wish.bucket].join();
    const known = made.get(id) ?? make(wish);
    made.set(id, known);
    return known;
  };
}
const enforces = ["response", "body-checksum", "body-sha256", "body-length", "create-only"] as const;

const signerOf = perBucket((wish) => gcsSigner(ourOptions(wish)));
const v2SignerOf = perBucket((wish) => gcsV2Signer(ourOptions(wish)));
const formSignerOf = perBucket((wish) => gcsFormSigner(ourOptions(wish)));
const verifierOf = perBucket((wish) => gcsVerifier({ keys: PUBLIC_ACCOUNT, ...origins(wish), enforces }));
// Parameters that the client sends and V2 does not sign.
const allowUnsigned = [...NAMES, "generation", "upload_id", "response-content-type", "response-content-disposition"];
const v2VerifierOf = perBucket((wish) =>
  gcsV2Verifier({ keys: PUBLIC_ACCOUNT, ...origins(wish), enforces, allowUnsigned }),
);
const formVerifier = gcsFormVerifier({ keys: PUBLIC_ACCOUNT, enforces: ["body-length"] });

describe("@google-cloud/storage 8.4.0", () => {
  test(`V4: agrees on ${COUNT} random requests but for the client's known errors`, async () => {
    const random = seeded(runSeed());
    const differing = new Map<string, number>();
    let equal = 0;
    for (let left = COUNT; left > 0; left--) {
      const wish = randomGcsWish(random);
      vi.setSystemTime(wish.signedAt);
      const context = JSON.stringify(wish);
      const ours = (await signerOf(wish).sign(ourRequest(wish))).url;
      const theirs = await sdkUrl(wish, "v4");
      const second = goog4(wish, ACCOUNT);
      expect(sorted(ours), context).toBe(sorted(second));
      const read = asRead(wish, "v4");
      count(differing, read.differs);
      if (read.differs.length === 0) {
        equal += 1;
        expect(sorted(theirs), context).toBe(sorted(ours));
        const grant = await verifierOf(wish).verify(wire(theirs, wish));
        expect([grant.bucket, grant.object], context).toEqual([wish.bucket, wish.object]);
      } else {
        expect(sorted(theirs), context).toBe(sorted(parsed(goog4(read.wish, ACCOUNT, read.quirks))));
        expect(sorted(theirs), context).not.toBe(sorted(ours));
      }
    }
    console.log(`V4, seed ${runSeed()}: ${equal} of ${COUNT} equal; not equal:`, differing);
    expect(equal).toBeGreaterThan(COUNT / 2);
  });

  test(`V2: agrees on ${COUNT} random requests but for the client's known errors`, async () => {
    const random = seeded(runSeed() + 1);
    const differing = new Map<string, number>();
    let equal = 0;
    for (let left = COUNT; left > 0; left--) {
      const asked = randomGcsWish(random);
      // V2 has no word for it.
      const { "x-goog-content-sha256": _, ...headers } = asked.headers;
      const wish = { ...asked, headers };
      vi.setSystemTime(wish.signedAt);
      const context = JSON.stringify(wish);
      const ours = (await v2SignerOf(wish).sign(ourV2Request(wish))).url;
      const theirs = await sdkUrl(wish, "v2");
      expect(signatureOf(ours), context).toBe(goog2Signature(wish, ACCOUNT));
      const read = asRead(wish, "v2");
      count(differing, read.differs);
      if (read.differs.length === 0) {
        equal += 1;
        expect(sorted(theirs), context).toBe(sorted(ours));
        const grant = await v2VerifierOf(wish).verify(wire(theirs, wish));
        expect([grant.bucket, grant.object], context).toEqual([wish.bucket, wish.object]);
      } else {
        const resource = wish.object === undefined ? { resource: `/${wish.bucket}` } : {};
        expect(signatureOf(theirs), context).toBe(goog2Signature(read.wish, ACCOUNT, { ...read.quirks, ...resource }));
        expect(theirs.split("?")[0], context).toBe(parsed(origin(read.wish) + path(read.wish)));
        expect(sorted(theirs), context).not.toBe(sorted(ours));
      }
    }
    console.log(`V2, seed ${runSeed() + 1}: ${equal} of ${COUNT} equal; not equal:`, differing);
    expect(equal).toBeGreaterThan(COUNT / 2);
  });

  test(`forms: agrees on ${COUNT} random forms but for the client's known errors`, async () => {
    const random = seeded(runSeed() + 2);
    const differing = new Map<string, number>();
    let equal = 0;
    for (let left = COUNT; left > 0; left--) {
      const wish = randomGcsForm(random);
      vi.setSystemTime(wish.signedAt);
      const context = JSON.stringify(wish);
      const { bucket, object, fields, conditions, expiresIn, addressing, endpoint } = wish;
      const request = { bucket, object, fields, conditions, expiresIn, dotSegments: "sign" as const };
      const ours = await formSignerOf(wish).sign(request);
      const theirs = await sdkForm(wish);
      const differs: string[] = [];
      // It has no path for a bucket there.
      if (addressing === "path" && endpoint !== undefined) differs.push("address of another server");
      expect(theirs.url, context).toBe(differs.length > 0 ? endpoint : ours.url);
      const policy = decode(ours);
      if (policy.includes("\\u007f")) differs.push("DEL in the policy");
      expect(decode(theirs), context).toBe(policy.replaceAll("\\u007f", "\u007f"));
      count(differing, differs);
      if (!differs.includes("DEL in the policy")) expect(sortedFields(theirs), context).toEqual(sortedFields(ours));
      if (differs.length === 0) equal += 1;
      const grant = await formVerifier.verify({
        bucket,
        fields: [...Object.entries(theirs.fields), ...freeFields(wish)],
        fileName: "file.bin",
      });
      expect([grant.bucket, grant.object], context).toEqual([bucket, object]);
    }
    console.log(`forms, seed ${runSeed() + 2}: ${equal} of ${COUNT} equal; not equal:`, differing);
    expect(equal).toBeGreaterThan(COUNT / 2);
  });
});

test(`HMAC keys, which no client signs with: a second opinion agrees on ${COUNT} random requests of both versions`, () => {
  const credentials = { accessKeyId: "GOOG1EXAMPLE+/=", secretAccessKey: "bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ" };
  const v4 = perBucket((wish) => gcsHmacSigner({ ...ourOptions(wish), credentials }));
  const v2 = perBucket((wish) => gcsV2HmacSigner({ ...ourOptions(wish), credentials }));
  const random = seeded(runSeed() + 3);
  for (let left = COUNT; left > 0; left--) {
    const wish = randomGcsWish(random);
    vi.setSystemTime(wish.signedAt);
    const context = JSON.stringify(wish);
    expect(sorted(v4(wish).sign(ourRequest(wish)).url), context).toBe(sorted(goog4(wish, credentials)));
    expect(signatureOf(v2(wish).sign(ourV2Request(wish)).url), context).toBe(goog2Signature(wish, credentials));
  }
});

function signatureOf(url: string): string {
  return new URL(url).searchParams.get("Signature") ?? "";
}

const decode = ({ fields }: GcsForm): string => Buffer.from(fields["policy"] ?? "", "base64").toString();
const sortedFields = ({ fields }: GcsForm) => Object.entries(fields).sort();

/** What the policy leaves to the holder, filled in as its conditions ask. */
function freeFields({ conditions }: GcsFormWish): readonly (readonly [string, string])[] {
  return conditions.flatMap((condition) => {
    if (!Array.isArray(condition)) return Object.entries(condition as Readonly<Record<string, string>>);
    const [operator, field, value] = condition as readonly [string, string, string];
    return operator === "content-length-range" ? [] : [[String(field).slice(1), value] as const];
  });
}
