import fc from "fast-check";
import { expect, test } from "vitest";
import { findingReader } from "../src/commands/scan/finding.ts";
import { textRegions } from "../src/commands/scan/text-regions.ts";
import { readings, urlsInText } from "../src/commands/scan/urls-in-text.ts";
import { NOW, SIGNED, scan, url } from "./scanning.ts";

const escaped = (text: string): string => text.replaceAll("/", "\\/").replaceAll("&", "\\u0026");
/** Quoted-printable: lines of 76 characters at most, each broken one ends with `=`. */
const mailSource = (text: string): string =>
  (text.replaceAll("=", "=3D").match(/(?:=3D|[^=]){1,70}/g) ?? []).join("=\r\n");
const PLACES: readonly (readonly [string, (found: string) => string])[] = [
  ["a Markdown link", (found) => `See [it](${found}), or not.`],
  ["bold and italic text", (found) => `**${found}** and _${found}_`],
  ["a sentence in brackets", (found) => `(as in ${found}.)`],
  ["an address in angle brackets", (found) => `<${found}>`],
  ["HTML with entities", (found) => `<a href="${found.replaceAll("&", "&amp;")}">`],
  [
    "HTML with numbers for entities",
    (found) => `<a href='${found.replaceAll("&", "&#38;").replaceAll("=", "&#x3d;")}'>`,
  ],
  [
    "HTML that was escaped twice, in a quoted attribute",
    (found) => `&quot;${found.replaceAll("&", "&amp;amp;")}&quot;`,
  ],
  ["JSON", (found) => JSON.stringify({ found, next: 1 })],
  ["JSON with escaped slashes and ampersands", (found) => `{"url":"${escaped(found)}"}`],
  ["JSON inside of JSON", (found) => JSON.stringify({ log: `{"url":"${escaped(found)}"}` })],
  ["a shell script", (found) => `curl ${found.replaceAll("&", "\\&").replaceAll("?", "\\?")} | tar x`],
  ["a line of CSV", (found) => `1,${found},200`],
  ["a table", (found) => `| x | ${found}|`],
  ["Chinese text", (found) => `见${found}，过期时间=10分钟`],
  ["Chinese text without a space", (found) => `见${found}中文`],
  ["a list with bars", (found) => `${url("other")}|${found}|${url("another")}`],
  ["a template", (found) => `{${found}}`],
  ["a script that escapes ampersands", (found) => `window.x='${found.replaceAll("&", "\\x26")}'`],
  ["quoted-printable", (found) => found.replaceAll("=", "=3D")],
  ["the source of a mail", (found) => `\n${mailSource(`Get it: ${found} today`)}`],
  ["a page without the protocol", (found) => `<img src="${found.replace("https:", "")}">`],
  ["another URL's parameter", (found) => `https://x.example/?to=${encodeURIComponent(found)}&lang=de`],
  ["another URL's parameter, not encoded", (found) => `https://x.example/?to=${found}`],
];

test.each(PLACES)("finds a URL in %s", async (_, place) => {
  const expected = url("talks/a (1) é.txt");
  const candidates = [...urlsInText(`text before ${place(expected)} and behind`)].flatMap(({ raw }) => readings(raw));
  expect(candidates).toContain(expected);
});

const UNENCODED = ["a|b", "a^b", "{guid}", "Report–2026", "Don’t", "文件（1）", "“x”"];

test.each(UNENCODED)("finds a URL with an unencoded %s in its path", async (name) => {
  const found = url(`PLACE-${UNENCODED.indexOf(name)}`).replace(/PLACE-\d/, name);
  const { pathname } = new URL(found);
  const path = found.slice(found.indexOf(name) - 1);
  for (const text of [`see ${found} now`, `见${found}。谢谢`, `"GET /media${path} HTTP/1.1" 200`]) {
    const { status, found: findings } = await scan(["-"], text);
    expect([status, findings.map(({ life, scheme }) => [life, scheme])]).toEqual([1, [["live", "s3"]]]);
    expect(findings[0]?.resource).toContain(decodeURIComponent(pathname.slice(1)));
  }
});

test("finds a URL with escaped equals signs, as Gson and Handlebars write it", async () => {
  const texts = [
    JSON.stringify({ url: url("gson") })
      .replaceAll("&", "\\u0026")
      .replaceAll("=", "\\u003d"),
    url("script").replaceAll("&", "\\x26").replaceAll("=", "\\x3d"),
    url("handlebars").replaceAll("&", "&amp;").replaceAll("=", "&#x3D;"),
    url("template").replaceAll("&", "&#38;").replaceAll("=", "&#61;"),
  ];
  for (const text of texts) {
    const { status, found } = await scan(["-"], text);
    expect([status, found.map(({ life, scheme }) => [life, scheme])]).toEqual([1, [["live", "s3"]]]);
  }
});

test("finds a URL in the request line of a log without hosts", async () => {
  const { pathname, search } = new URL(url("x"));
  const log = `192.0.2.1 - - [02/Jan/2026:03:05:00 +0000] "GET /media${pathname}${search} HTTP/1.1" 200 5 "-" "curl/8"\n`;
  const { found } = await scan(["-"], log.repeat(3));
  expect(found).toEqual([expect.objectContaining({ life: "live", line: 1, resource: "object x in bucket media" })]);
  expect(found[0]?.url).toMatch(/^\/media\/x\?/);
});

test("finds a URL in a JSON log without hosts", async () => {
  const { pathname, search } = new URL(url("y"));
  const plain = JSON.stringify({ request_uri: `/media${pathname}${search}`, status: 200 });
  for (const log of [plain, plain.replaceAll("/", "\\/"), JSON.stringify({ message: plain })]) {
    const { status, found } = await scan(["-"], `${log}\n`);
    expect(status).toBe(1);
    expect(found).toEqual([expect.objectContaining({ life: "live", resource: "object y in bucket media" })]);
  }
});

test("finds a URL that the source of a mail breaks into lines, and every URL of a list", async () => {
  const { status, found } = await scan(["-", "--live"], mailSource(`Get it: ${url("mail")} today\n`));
  expect([status, found.map(({ life }) => life)]).toEqual([1, ["live"]]);
  for (let at = 1; at <= "https://".length; at += 1) {
    const line = `${"x ".repeat(40).slice(at - 75)}${url(`mail-${at}`)}`.replaceAll("=", "=3D");
    const { found: broken } = await scan(
      ["-"],
      `${line.slice(0, 75)}=\r\n${mailSource(line.slice(75).replaceAll("=3D", "="))}\r\n`,
    );
    expect([at, broken.map(({ life }) => life)]).toEqual([at, ["live"]]);
  }
  const list = Array.from(
    { length: 12 },
    (_, i) => `https://example.com/a-file-of-a-name?n=${i}&md5=2e4Xr0aa1bb2cc3dd4ee5f==`,
  );
  expect([...urlsInText(list.join("\n"))]).toHaveLength(12);
});

test("finds the same URLs for any chunks of the stream", async () => {
  const words = fc.constantFrom(
    "word ",
    "\n",
    "é",
    url("x"),
    "https://a.example/?x=1",
    "GET /a?b=c HTTP/1.1",
    '"',
    "\\/",
    `${"https://a.example/?b=".padEnd(73, "c")}=\n`,
    "=\r\n",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(words, { maxLength: 20 }),
      fc.array(fc.nat(3000)),
      fc.boolean(),
      async (parts, cuts, is16) => {
        const text = parts.join("");
        const bytes = is16 ? Buffer.from(`\ufeff${text}`, "utf16le") : Buffer.from(text);
        const places = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort(
          (a, b) => a - b,
        );
        async function* chunks(): AsyncGenerator<Uint8Array> {
          for (const [i, end] of places.slice(1).entries()) yield bytes.subarray(places[i], end);
        }
        const found: string[] = [];
        for await (const region of textRegions(chunks()))
          found.push(...[...urlsInText(region.text)].map(({ raw }) => raw));
        expect(found).toEqual([...urlsInText(text)].map(({ raw }) => raw));
      },
    ),
  );
});

test("finds the path of a URL of each scheme", async () => {
  const paths = SIGNED.map(({ url: signed }) => signed.replace(/^https:\/\/[^/]+/, ""));
  for (const path of paths) {
    for (const raw of [`"${path}`, `GET ${path}`, `"${escaped(path)}`, `"${path.replaceAll("&", "&amp;")}`])
      expect(await findingReader()(raw, new Date(NOW)), raw).toMatchObject({ life: "live" });
  }
});

test("reads hostile text in linear time", () => {
  const size = 200_000;
  for (const part of [
    "http://",
    "https://a/?",
    "GET /",
    "https%3A%2F%2F",
    "\\",
    "http:\\/\\/a\\u0026",
    "https://a?b=c&",
    "https:",
    "a",
    "htt=\r\nps:/=\n/",
    "h=\n",
    '"/',
    "'//a?b=c&",
    `${"x https://a.example/?b=".padEnd(73, "c")}=\r\n`,
  ]) {
    const text = part.repeat(size / part.length);
    // A quadratic scan would exceed the timeout of the test.
    for (const { raw } of urlsInText(text)) readings(raw);
  }
});

test("shows no value of more than 16 characters, and no fragment", async () => {
  const [short, long] = ["0123456789abcdef", "0123456789abcdefg"];
  const told = await findingReader()(`${url("long")}&a=${short}&b=${long}#access=${short}`, new Date(NOW));
  expect(told?.url).toMatch(/&a=0123456789abcdef&b=REDACTED$/);
});
