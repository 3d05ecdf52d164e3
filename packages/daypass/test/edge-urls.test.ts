import { expect, it } from "vitest";
import { seeded } from "../../../tools/seeded-random.ts";
import { isDaypassError, type SignedRequest } from "../src/index.ts";
import { verdictOf } from "./code-of.ts";
import { ORIGIN, type Subject, subjects, wire } from "./registry.ts";

// A signer refuses an option, or makes a URL that browsers send unchanged and whose signature is valid.

const tokens = subjects.filter(
  ({ example, isForm, row }) =>
    !isForm &&
    "url" in example.request &&
    !example.anyPathBelow &&
    !/^(?:url|cloudfront|media-cdn)$/.test(row.id) &&
    !example.name.endsWith("below a prefix"),
);

/** Options that hold a text. */
const OPTIONS: readonly ((text: string) => object)[] = [
  (text) => ({ bind: { query: { w: text } } }),
  (text) => ({ bind: { query: { [text]: text } } }),
  ...[(data: string) => ({ data }), (sessionId: string) => ({ sessionId })],
  (text) => ({ acl: ["/x/*", `/a*${text}`, "*/*", `/${text}`] }),
  (text) => ({ pathGlobs: ["/x/*", `/a*${text}`, "*/*", `/${text}`] }),
  (text) => ({ prefix: `/${text}/` }),
];

/** The URL, or `undefined` if the signer refuses. */
async function signedUrl({ signed }: Subject, wish: object): Promise<string | undefined> {
  try {
    return ((await signed(wish)) as SignedRequest).url;
  } catch (error) {
    expect(isDaypassError(error), `${String(error)}: ${JSON.stringify(wish)}`).toBe(true);
    return undefined;
  }
}

function verdict(subject: Subject, url: string): Promise<string> {
  const request = wire({ url, method: "GET", headers: {} } as SignedRequest);
  return verdictOf(subject.verifier(subject.example.keys.right).verify(request));
}

const CHARACTERS = "abz09/?&=#%+;:@!$'\"<>\\^`{}|~[](),._-* \t\u0000\u00e9\u6f22\ud83d\ude80";

it.each(tokens)("$name: signs URLs that browsers leave unchanged, or refuses", async (subject) => {
  const random = seeded(20_261_128);
  const text = () => Array.from({ length: 1 + random.below(5) }, () => random.pick([...CHARACTERS])).join("");
  const known: ((text: string) => object)[] = [];
  for (const option of OPTIONS) {
    const refused = await signedUrl(subject, { url: `${ORIGIN}/a/b.ts`, ...option("a") });
    if (refused !== undefined) known.push(option);
  }
  let accepted = 0;
  for (let left = 300; left > 0; left--) {
    const option = known.length === 0 ? undefined : random.pick(known);
    const value = random.chance(0.3) ? random.pick(["a", "a b", "1=2"]) : text();
    const path = random.chance(0.5) ? "/a/b.ts" : `/${value}/${random.chance(0.5) ? "b" : text()}`;
    const wish = { url: ORIGIN + path, ...(random.chance(0.8) ? option?.(value) : {}) };
    const url = await signedUrl(subject, wish);
    if (url === undefined) continue;
    expect(new URL(url).href, JSON.stringify(wish)).toBe(url);
    // Some verifiers read a path in one spelling only, and refuse parameters that are not signed.
    const found = await verdict(subject, url);
    expect(["accepted", "MALFORMED", "UNSIGNED_PARAMETER", "KEY_SCOPE"], url).toContain(found);
    if (found === "accepted") accepted += 1;
  }
  expect(accepted).toBeGreaterThan(30);
});

// Chromium escapes a | in a path, and not in a query.
it.each(tokens)("$name: refuses a | in a path, and signs one in a query", async (subject) => {
  expect(await signedUrl(subject, { url: `${ORIGIN}/a|b` })).toBe(undefined);
  // A URL of imgproxy has no query.
  if (subject.row.id === "imgproxy") return;
  const url = (await signedUrl(subject, { url: `${ORIGIN}/a?roles=x|y` })) ?? "";
  expect(new URL(url).href).toBe(url);
  expect(["accepted", "UNSIGNED_PARAMETER"]).toContain(await verdict(subject, url));
});
