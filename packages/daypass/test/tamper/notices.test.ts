import { createHash } from "node:crypto";
import type { SchemeRow } from "daypass/schemes";
import { expect, test } from "vitest";
import { DaypassError } from "../../src/core/errors.ts";
import type { Clock, SignedRequest, Verifier, WireRequest } from "../../src/index.ts";
import { LIFE, subjects, subjectsOf } from "../registry.ts";
import { tamperTotal } from "./seeded.ts";
import { tamperOptions, tamperSuites } from "./suites.ts";
import { tamper } from "./tamper.ts";

// What the suites are worth: they must notice a verifier that ignores one part of a request.

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A scheme whose signature covers the expiry, and not the path. */
const dummy: SchemeRow = {
  id: "dummy",
  secretParameters: ["sig"],
  load: async () => ({}),
  example: async () => ({
    examples: [
      {
        ...{ name: "dummy", keys: { right: "key", wrong: "other", invalid: [""] }, signature: /sig=([^&]+)/ },
        request: { url: "https://media.example.com/talks/keynote.mp4" },
        signer: (clock: Clock) => ({ sign: ({ url }: { readonly url: string }) => signed(url, clock) }),
        verifier: () => ({ detects: () => true, verify: async (request: WireRequest) => granted(request) }),
      },
    ],
  }),
};

function signed(url: string, clock: Clock): SignedRequest {
  const expires = clock().getTime() / 1000 + LIFE;
  const query = `expires=${expires}&sig=${digest(`${expires}key`)}`;
  const expiresAt = new Date(expires * 1000);
  const whole = `${url}${url.includes("?") ? "&" : "?"}${query}`;
  return { url: whole, method: "GET", headers: {}, expiresAt, id: query, bound: [], unbound: [], warnings: [] };
}

function granted({ authority, target }: WireRequest): object {
  const [, path = "", expires = "", sig] = /^([^?]*)\?(?:.*&)?expires=([0-9]+)&sig=([0-9a-f]+)$/.exec(target) ?? [];
  if (sig !== digest(`${expires}key`)) throw new DaypassError("SIGNATURE_MISMATCH", "expected another signature");
  return { id: expires, origin: `https://${authority}`, path, target };
}

test("notices a registered scheme whose verifier ignores the path", async () => {
  const suites = tamperSuites(await subjectsOf({ dummy }));
  expect(suites.map(({ name }) => name)).toEqual(["dummy"]);
  for (const suite of suites) {
    const { wrong } = await tamper({ ...(await tamperOptions(suite)), count: 500 });
    expect(wrong.filter((text) => text.includes("change the path"))).not.toEqual([]);
  }
});

/** Requests as a verifier sees them that ignores one part. */
const blind: readonly (readonly [suite: string, part: string, change: (request: WireRequest) => WireRequest])[] = [
  ["s3", "HEAD", (request) => (request.method === "HEAD" ? { ...request, method: "GET" } : request)],
  [
    "gcs, HMAC",
    "x-goog-acl",
    (request) => ({ ...request, headers: request.headers.filter(([name]) => name.toLowerCase() !== "x-goog-acl") }),
  ],
  [
    "s3/v4a",
    "a region",
    (request) => ({ ...request, target: request.target.replace(/(X-Amz-Region-Set=)%2A[^&]+/, "$1%2A") }),
  ],
  ["s3/express", "a port", (request) => ({ ...request, authority: request.authority.replace(/:80$/, "") })],
];

test.each(blind)("notices a verifier of %s that ignores %s", async (name, _, change) => {
  const suite = tamperSuites(subjects.filter(({ row }) => name.startsWith(row.id))).find((one) => one.name === name);
  const options = await tamperOptions(suite as NonNullable<typeof suite>);
  const { detects, verify } = options.verifier;
  const verifier: Verifier = { detects, verify: (request, proof) => verify(change(request), proof) };
  // A base that the change would make invalid says nothing.
  const bases = options.bases.filter((request) => JSON.stringify(change(request)) === JSON.stringify(request));
  const { wrong } = await tamper({ ...options, bases, verifier, count: 8_000 });
  expect(wrong.length).toBeGreaterThan(0);
});

test("makes a million tampered requests and more by default", () => {
  expect(tamperTotal).toBeGreaterThanOrEqual(1_000_000);
});
