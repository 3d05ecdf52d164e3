import type { Random } from "./seeded.ts";

const NASTY = [
  ...[
    "..",
    ".",
    "",
    "...",
    "..a",
    ".hidden",
    "%2e%2e",
    "%2F",
    "%",
    "%20",
    "%zz",
    "+",
    " ",
    "  ",
    "?",
    "#",
    "&",
    "=",
    ";",
  ],
  ...["'()!*", '"<>', "[]{}|^`\\", "~-_.", ":@", ",$", "a+b", "100%.txt", "q?x=1#y&z", "a%20b", "..;", "C:\\x"],
  ...["é", "e\u0301", "ü ß", "日本語", "Ω≈ç", "🚀", "👩‍👩‍👧", "\u202egnp.exe", "\u00a0", "\ufeff", "\u{10ffff}"],
  ...["\t", "\n", "\r\n", "\u0000", "\u0001", "\u007f", "\u0085", "\u2028"],
] as const;
const PLAIN = [
  "a",
  "reports",
  "2026",
  "photo.jpg",
  "talk-final_v2.mp4",
  "index.html",
  "x",
  "0",
  "Ab",
  "README",
] as const;

/** An object key: one in four is what people use, the rest is what has broken a signer somewhere. */
export function randomKey(random: Random): string {
  if (random.chance(0.03)) return longKey(random);
  const hostile = random.chance(0.75);
  const segments: string[] = [];
  for (let left = 1 + random.below(5); left > 0; left--) {
    let segment = hostile && random.chance(0.6) ? random.pick(NASTY) : random.pick(PLAIN);
    if (hostile && random.chance(0.3)) segment += random.pick(NASTY);
    segments.push(segment);
  }
  let key = segments.join("/");
  if (hostile && random.chance(0.1)) key = `/${key}`;
  if (hostile && random.chance(0.1)) key += "/";
  return key === "" ? "/" : key;
}

// S3 keys have at most 1,024 bytes of UTF-8.
function longKey(random: Random): string {
  const unit = random.pick(["a", "ab/", "é", "日", "🚀", "+ ", "%25"]);
  return unit.repeat(Math.floor(1024 / Buffer.byteLength(unit)));
}

/** Any text that a query value may hold. */
export function randomText(random: Random): string {
  let text = "";
  for (let left = random.below(4); left > 0; left--)
    text += random.chance(0.5) ? random.pick(NASTY) : random.pick(PLAIN);
  return text;
}

/** Whether a URL parser would change the path of this key. */
export function hasDotSegment(key: string): boolean {
  return key.split("/").some((segment) => segment === "." || segment === "..");
}
