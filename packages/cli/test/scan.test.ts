import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { akamaiSigner } from "daypass/akamai";
import { azureSigner } from "daypass/azure";
import { bunnySigner } from "daypass/bunny";
import { cloudCdnSigner } from "daypass/cloud-cdn";
import { cloudfrontSigner } from "daypass/cloudfront";
import { cosSigner } from "daypass/cos";
import { fastlySigner } from "daypass/fastly";
import { gcsHmacSigner } from "daypass/gcs";
import { imgixSigner } from "daypass/imgix";
import { imgproxySigner } from "daypass/imgproxy";
import { laravelSigner } from "daypass/laravel";
import { ossSigner } from "daypass/oss";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { s3V4aSigner } from "daypass/s3/v4a";
import { swiftSigner } from "daypass/swift";
import { symfonySigner } from "daypass/symfony";
import { urlSigner } from "daypass/url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cpuMilliseconds } from "../../daypass/test/cpu-time.ts";
import { findingReader } from "../src/scan/finding.ts";
import { textRegions } from "../src/scan/text-regions.ts";
import { readings, urlsInText } from "../src/scan/urls-in-text.ts";
import { daypass, parseLines, peakMemory, start, temporaryFolder } from "./command.ts";

const NOW = "2026-01-02T03:10:00Z";
const clock = (): Date => new Date("2026-01-02T03:04:05Z");
const sessionToken = `IQoJb3JpZ2luX2VjE+/${"t0k3n+/".repeat(40)}==`;
const credentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken,
};
const s3 = s3Signer({ region: "us-east-1", credentials, clock });

/** A URL of its own for each place, so that none is told for another. */
function url(key: string, expiresIn = 900): string {
  return s3.sign({ bucket: "media", key, expiresIn }).url;
}

interface Finding {
  readonly file: string;
  readonly line?: number;
  readonly commit?: string;
  readonly life: string;
  readonly scheme: string;
  readonly signedBy: string;
  readonly resource: string;
  readonly endsAt?: string;
  readonly url: string;
}

async function scan(
  args: readonly string[],
  input?: string | Uint8Array,
): Promise<{ readonly status: number | null; readonly stderr: string; readonly found: readonly Finding[] }> {
  const options = input === undefined ? {} : { input };
  const { status, stdout, stderr } = await daypass(["scan", ...args, "--json", "--at", NOW], options);
  // Whatever it says, no signature and no token is in it.
  expect(stdout + stderr).not.toMatch(/[0-9a-f]{64}(?!")|t0k3n/);
  return { status, stderr, found: stdout === "" ? [] : parseLines<Finding>(stdout) };
}

const media = "https://media.example.com/hls/a.m3u8";
const common = { expiresIn: 900 };
const base64 = Buffer.alloc(32, 7).toString("base64");
const { sessionToken: _, ...accessKey } = credentials;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" });

/** A URL of each scheme that `explain` knows. */
const SCHEMES: Readonly<Record<string, () => Promise<{ readonly url: string }> | { readonly url: string }>> = {
  s3: () => s3.sign({ bucket: "media", key: "live.txt", ...common }),
  "s3/v2": () =>
    s3V2Signer({ region: "us-east-1", credentials: accessKey, clock }).sign({ bucket: "media", key: "a", ...common }),
  "s3/v4a": () =>
    s3V4aSigner({ region: "us-east-1", credentials, clock }).sign({ bucket: "media", key: "a", ...common }),
  gcs: () => gcsHmacSigner({ credentials: accessKey, clock }).sign({ bucket: "media", object: "a", ...common }),
  azure: () =>
    azureSigner({ account: "acme", credentials: { accountKey: base64 }, clock }).sign({
      container: "media",
      blob: "a",
      permissions: "r",
      ...common,
    }),
  url: () =>
    urlSigner({
      key: { kid: "k1", kty: "oct", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" },
      clock,
    }).sign({ url: media, ...common }),
  oss: () =>
    ossSigner({ region: "cn-hangzhou", credentials: { accessKeyId: "LTAI", accessKeySecret: "x" }, clock }).sign({
      bucket: "media",
      key: "a",
      ...common,
    }),
  cos: () =>
    cosSigner({ region: "ap-guangzhou", credentials: { secretId: "AKID", secretKey: "x" }, clock }).sign({
      bucket: "media-125",
      key: "a",
      ...common,
    }),
  swift: () =>
    swiftSigner({ endpoint: "https://swift.example.com", account: "AUTH_a", key: "k", clock }).sign({
      container: "media",
      object: "a",
      ...common,
    }),
  cloudfront: () =>
    cloudfrontSigner({ keyPairId: "K2JCJMDEHXQW5F", privateKey: String(rsa), clock }).sign({ url: media, ...common }),
  "cloud-cdn": () =>
    cloudCdnSigner({ keyName: "k", key: "nZtRohdNF9m3cKM24IcK4w==", clock }).sign({ url: media, ...common }),
  akamai: () =>
    akamaiSigner({ secret: "52a152a152a152a152a152a152a1", parameter: "hdnts", clock }).sign({
      url: media,
      prefix: "/hls/",
      ...common,
    }),
  bunny: () => bunnySigner({ secret: "SecurityKey", clock }).sign({ url: media, ...common }),
  fastly: () => fastlySigner({ secret: base64, clock }).sign({ url: media, ...common }),
  imgix: () => imgixSigner({ secret: "FOO123bar", clock }).sign({ url: `${media}?w=1`, ...common }),
  imgproxy: () =>
    imgproxySigner({ key: "736563726574", salt: "68656c6c6f", clock }).sign({
      url: "https://img.example.com/plain/a.jpg",
      ...common,
    }),
  laravel: () =>
    laravelSigner({ secret: "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", clock }).sign({
      url: media,
      ...common,
    }),
  symfony: () => symfonySigner({ secret: "foobar", clock }).sign({ url: media, ...common }),
};

test("finds URLs of every scheme, tells which are live, and shows no signature", async () => {
  const urls: string[] = [];
  for (const sign of Object.values(SCHEMES)) urls.push((await sign()).url);
  const text = `${urls.join("\n")}\nhttps://example.com/?a=1&b=2\n${url("ended.txt", 60)}\n`;
  const { status, found, stderr } = await scan(["-"], text);
  const count = urls.length;
  expect(found.map(({ life, scheme, line }) => [line, life, scheme])).toEqual([
    ...Object.keys(SCHEMES).map((scheme, i) => [i + 1, "live", scheme]),
    [count + 2, "ended", "s3"],
  ]);
  expect([status, stderr]).toEqual([1, `${count + 1} presigned URLs: ${count} live, 1 ended\n`]);
  expect(found[0]).toMatchObject({ file: "-", signedBy: "AKIDEXAMPLE", endsAt: "2026-01-02T03:19:05.000Z" });
  expect(found[0]?.url).toMatch(/live\.txt\?.*X-Amz-Security-Token=REDACTED&.*X-Amz-Signature=REDACTED$/);
  // Whatever could be a signature is in none of them: it has at least 16 bytes.
  const shown = JSON.stringify(found.map(({ url: of, resource }) => [of, resource]));
  const long = urls
    .flatMap((signed) => signed.match(/[A-Za-z0-9_~-]{22,}/g) ?? [])
    .filter((word) => !/^(?:20\d{6}T|AWS4|GOOG4|OSS4|x-oss-)/.test(word));
  // Percent escapes cut some of them into shorter ones.
  expect(long.length).toBeGreaterThan(count - 4);
  for (const word of long) expect(shown).not.toContain(word);
});

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
  ["a page that tells no protocol", (found) => `<img src="${found.replace("https:", "")}">`],
  ["another URL's parameter", (found) => `https://x.example/?to=${encodeURIComponent(found)}&lang=de`],
  ["another URL's parameter, not encoded", (found) => `https://x.example/?to=${found}`],
];

test.each(PLACES)("finds a URL in %s", async (_, place) => {
  const expected = url("talks/a (1) é.txt");
  const candidates = [...urlsInText(`text before ${place(expected)} and behind`)].flatMap(({ raw }) => readings(raw));
  expect(candidates).toContain(expected);
});

const UNENCODED = ["a|b", "a^b", "{guid}", "Report–2026", "Don’t", "文件（1）", "“x”"];

test.each(UNENCODED)("finds a URL with %s in its path, which nobody has encoded", async (name) => {
  const found = url(`PLACE-${UNENCODED.indexOf(name)}`).replace(/PLACE-\d/, name);
  const { pathname } = new URL(found);
  const path = found.slice(found.indexOf(name) - 1);
  for (const text of [`see ${found} now`, `见${found}。谢谢`, `"GET /media${path} HTTP/1.1" 200`]) {
    const { status, found: findings } = await scan(["-"], text);
    expect([status, findings.map(({ life, scheme }) => [life, scheme])]).toEqual([1, [["live", "s3"]]]);
    expect(findings[0]?.resource).toContain(decodeURIComponent(pathname.slice(1)));
  }
});

test("finds a URL of which every = is escaped, as Gson and Handlebars do", async () => {
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

test("tells of a URL that is live as soon as its damage is undone that it is live", async () => {
  const azure = (await SCHEMES["azure"]?.())?.url ?? "";
  const sas = azure.slice(azure.indexOf("?") + 1);
  const twice = await scan(["-"], `${azure}&${sas}\n${azure}?${sas}#2\n`);
  expect([twice.status, twice.found.map(({ life, scheme }) => [life, scheme])]).toEqual([
    1,
    [
      ["live", "azure"],
      ["live", "azure"],
    ],
  ]);
  const verify = `https://a.example.com/x?verify=1767323045-${Buffer.alloc(32, 0xfb).toString("base64")}`;
  const cloudflare = await scan(["-"], verify);
  expect([cloudflare.status, cloudflare.found.map(({ life }) => life)]).toEqual([1, ["live"]]);
  const hidden = url("hidden").replace(/Signature=.*/, "Signature=REDACTED");
  const cut = await scan(["-"], `${hidden}&${hidden.slice(hidden.indexOf("?") + 1)}`);
  expect(cut.found.map(({ life }) => life)).toEqual(["malformed"]);
});

test("finds the request lines of a log, which tell no host", async () => {
  const { pathname, search } = new URL(url("x"));
  const log = `192.0.2.1 - - [02/Jan/2026:03:05:00 +0000] "GET /media${pathname}${search} HTTP/1.1" 200 5 "-" "curl/8"\n`;
  const { found } = await scan(["-"], log.repeat(3));
  expect(found).toEqual([expect.objectContaining({ life: "live", line: 1, resource: "object x in bucket media" })]);
  expect(found[0]?.url).toMatch(/^\/media\/x\?/);
});

test("finds the paths of a log in JSON, which tells no host", async () => {
  const { pathname, search } = new URL(url("y"));
  const plain = JSON.stringify({ request_uri: `/media${pathname}${search}`, status: 200 });
  for (const log of [plain, plain.replaceAll("/", "\\/"), JSON.stringify({ message: plain })]) {
    const { status, found } = await scan(["-"], `${log}\n`);
    expect(status).toBe(1);
    expect(found).toEqual([expect.objectContaining({ life: "live", resource: "object y in bucket media" })]);
  }
});

test("tells that a URL in the source of a mail is live, and none in a list of URLs is lost", async () => {
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

test("tells of a signature that is none that nothing is live", async () => {
  const text = `${url("a").replace(/Signature=.*/, "Signature=REDACTED")} ${url("b").replace(/Signature=.*/, "Signature=…")}`;
  const { status, found } = await scan(["-"], text);
  expect([status, found.map(({ life }) => life)]).toEqual([0, ["malformed", "malformed"]]);
});

test("tells of a SAS or a CloudFront URL whose signature was cut or redacted that nothing is live", async () => {
  for (const [scheme, parameter] of [
    ["azure", "sig"],
    ["cloudfront", "Signature"],
  ] as const) {
    const signed = (await SCHEMES[scheme]?.())?.url ?? "";
    const [, before = "", signature = "", behind = ""] = signed.match(`^(.*[?&]${parameter}=)([^&]*)(.*)$`) ?? [];
    const short = [signature.slice(0, 20), "REDACTED", "***", "", "AAAA%3D"];
    const { status, found } = await scan(["-"], short.map((text) => before + text + behind).join("\n"));
    expect([status, new Set(found.map((finding) => `${finding.life} ${finding.scheme}`))]).toEqual([
      0,
      new Set([`malformed ${scheme}`]),
    ]);
  }
});

test("tells of a SAS that has lost the padding of its signature, or got something behind it, that it is live", async () => {
  const signed = (await SCHEMES["azure"]?.())?.url ?? "";
  const begin = signed.slice(0, signed.indexOf("%3D", signed.indexOf("sig=")));
  for (const end of ["", "%3Dx", "%3D%22", "="]) {
    const { status, found } = await scan(["-"], begin + end);
    expect([status, found.map(({ life }) => life)]).toEqual([1, ["live"]]);
  }
});

test("reads UTF-16, with and without its mark, in either order of bytes", async () => {
  const little = Buffer.from(`é\r\n${url("a")}\r\n`, "utf16le");
  const marked = Buffer.concat([Buffer.from([0xff, 0xfe]), little]);
  for (const bytes of [marked, Buffer.from(marked).swap16(), little, Buffer.from(little).swap16()]) {
    const { status, found } = await scan(["-"], bytes);
    expect([status, found.map(({ life, line }) => [life, line])]).toEqual([1, [["live", 2]]]);
  }
});

test("looks through a folder, compressed files too, and tells what it cannot read", async () => {
  const root = temporaryFolder();
  mkdirSync(join(root, "logs"));
  writeFileSync(join(root, "logs", "app.log"), `\n\n${url("a")}\n`);
  writeFileSync(join(root, "logs", "old.log.gz"), gzipSync(`\n${url("b")}\n`));
  writeFileSync(join(root, "binary"), Buffer.concat([Buffer.from([0, 0xff, 0xfe]), Buffer.from(url("c"))]));
  writeFileSync(join(root, "again.txt"), url("a"));
  mkdirSync(join(root, ".git"));
  writeFileSync(join(root, ".git", "config"), url("d"));
  symlinkSync(join(root, "logs"), join(root, "link"));
  const { status, found } = await scan([root]);
  expect(status).toBe(1);
  expect(found.map(({ file, line, resource }) => [file.slice(root.length + 1), line, resource])).toEqual([
    ["again.txt", 1, "object a in bucket media"],
    ["binary", 1, "object c in bucket media"],
    [join("logs", "old.log.gz"), 2, "object b in bucket media"],
  ]);
  expect((await scan([join(root, "logs", "old.log.gz"), "--live"])).found).toHaveLength(1);
  writeFileSync(join(root, "broken.gz"), "no gzip");
  expect((await scan([join(root, "broken.gz")])).status).toBe(1);
});

test("goes on behind compressed files that are damaged, empty or cut short", async () => {
  const root = temporaryFolder();
  writeFileSync(join(root, "a.gz"), "no gzip");
  writeFileSync(join(root, "b.gz"), "");
  writeFileSync(join(root, "c.gz"), gzipSync(url("c").repeat(9)).subarray(0, -9));
  writeFileSync(join(root, "d.log"), url("d"));
  const { status, stderr, found } = await scan([root]);
  expect([status, found.map(({ file }) => file)]).toEqual([1, [join(root, "d.log")]]);
  for (const name of ["a.gz", "b.gz", "c.gz"]) expect(stderr).toContain(`${join(root, name)} (damaged`);
});

test.skipIf(process.getuid?.() === 0)("goes on behind a folder that may not be read", async () => {
  const root = temporaryFolder();
  mkdirSync(join(root, "a"), { mode: 0 });
  writeFileSync(join(root, "b"), url("b"));
  const { status, stderr, found } = await scan([root]);
  expect([status, stderr, found.length]).toEqual([1, expect.stringContaining("a (EACCES)"), 1]);
});

test.skipIf(process.getuid?.() === 0)("goes on behind a file that may not be read", async () => {
  const root = temporaryFolder();
  writeFileSync(join(root, "a"), "");
  chmodSync(join(root, "a"), 0);
  writeFileSync(join(root, "b"), url("b"));
  const { status, stderr, found } = await scan([root]);
  expect([status, found.length, stderr]).toEqual([1, 1, expect.stringContaining("EACCES")]);
});

test("looks through the history of a repository: what was removed, and what was said", async () => {
  const repo = temporaryFolder();
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-C", repo, "-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
      encoding: "utf8",
    }).trim();
  git("init", "-q");
  const commit = (message: string, files: Readonly<Record<string, string>>): string => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(repo, name), text);
    git("add", "-A");
    git("commit", "-q", "-m", message);
    return git("rev-parse", "HEAD");
  };
  const first = commit("one", { "été.md": `\n${url("first")}\n` });
  commit("two", { "été.md": "gone\n" });
  git("checkout", "-q", "-b", "side", first);
  const side = commit(`see ${url("message")}`, { "b.txt": `${url("side", 60)}\n` });
  git("checkout", "-q", "-");
  const all = await scan(["--git", "--repo", repo]);
  expect(all.status).toBe(1);
  expect(new Set(all.found.map(({ commit: of, file, life, resource }) => `${of} ${file} ${life} ${resource}`))).toEqual(
    new Set([
      `${side} (message) live object message in bucket media`,
      `${side} b.txt ended object side in bucket media`,
      expect.stringMatching(/été\.md live object first in bucket media$/),
    ]),
  );
  const range = await scan(["--git", "HEAD~1..HEAD", "--repo", repo]);
  expect(range.found.map(({ file }) => file)).toEqual(["été.md"]);
  expect((await scan(["--git", "side", "--repo", repo])).found).toHaveLength(3);
  expect((await scan(["--git", "nothing..here", "--repo", repo])).status).toBe(1);
  expect((await scan(["--git", "HEAD", "--repo", temporaryFolder()])).status).toBe(1);
});

test("finds a URL in the history of a file in UTF-16", async () => {
  const repo = temporaryFolder();
  const git = (...args: readonly string[]) =>
    execFileSync("git", ["-C", repo, "-c", "user.name=a", "-c", "user.email=a@example.com", ...args]);
  git("init", "-q");
  const little = Buffer.from(`\ufeff${url("little")}\r\nmore\r\n`, "utf16le");
  writeFileSync(join(repo, "a"), little);
  writeFileSync(join(repo, "b"), Buffer.from(`\ufeffmore\n${url("big")}\n`, "utf16le").swap16());
  git("add", "-A");
  git("commit", "-q", "-m", "one");
  const { found } = await scan(["--git", "--repo", repo]);
  expect(found.map(({ life, file, resource }) => [life, file, resource])).toEqual([
    ["live", "a", "object little in bucket media"],
    ["live", "b", "object big in bucket media"],
  ]);
});

test.each([
  [["scan"], 2],
  [["scan", "a", "b"], 2],
  [["scan", "/no/such/file"], 1],
  [["scan", ".", "--repo", "."], 2],
])("tells by its exit status what went wrong: %j", async (args, status) => {
  const finished = await daypass(args);
  expect([finished.status, finished.stdout]).toEqual([status, ""]);
});

test("finds the same URLs however the stream is cut", async () => {
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

test("finds the path of each scheme that tells no host, and passes over others soon", async () => {
  const paths = (await Promise.all(Object.values(SCHEMES).map((sign) => sign()))).map(({ url: signed }) =>
    signed.replace(/^https:\/\/[^/]+/, ""),
  );
  const read = findingReader();
  for (const path of paths) {
    for (const raw of [`"${path}`, `GET ${path}`, `"${escaped(path)}`, `"${path.replaceAll("&", "&amp;")}`])
      expect(await findingReader()(raw, new Date(NOW)), raw).toMatchObject({ life: "live" });
  }
  const spent = async (beginning: string): Promise<number> =>
    cpuMilliseconds(async () => {
      for (let i = 0; i < 20_000; i += 1) await read(`${beginning}/assets/app.${i}.js?v=${i}&lang=de`, new Date(NOW));
    });
  const slow = await spent("https://a.example");
  expect(await spent('"')).toBeLessThan(slow / 4);
});

test("takes hostile text in linear time", async () => {
  const size = 1_000_000;
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
    const spent = await cpuMilliseconds(() => {
      for (const { raw } of urlsInText(text)) readings(raw);
    });
    expect(spent, part).toBeLessThan(4000);
  }
});

test("says that a URL does not tell its method", async () => {
  const { stdout } = await daypass(["scan", "-", "--at", NOW], { input: url("z") });
  expect(stdout).toContain("s3: one method, which the URL does not tell, on object z in bucket");
});

test("writes nothing to the terminal that a stranger's key would make it do", async () => {
  const { url } = s3.sign({
    bucket: "media",
    key: "a\u001b]0;title\u0007\nb.log:1: ended\u202etxt\u009b1m",
    expiresIn: 900,
  });
  for (const args of [
    ["scan", "-", "--at", NOW],
    ["explain", url],
    ["verify", url, "--at", NOW],
  ]) {
    const { stdout, stderr } = await daypass(args, {
      input: url,
      env: { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "s" },
    });
    expect(stdout + stderr).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
    expect(stdout).not.toMatch(/^b\.log/m);
  }
});

test.skipIf(!existsSync("/proc/self/status"))("scans long lines and many lines in flat memory", async () => {
  const child = start(["scan", "-", "--json", "--at", NOW]);
  let stdout = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  const write = async (text: string, times: number): Promise<void> => {
    for (let i = 0; i < times; i++) if (!child.stdin.write(text)) await once(child.stdin, "drain");
  };
  await write("x".repeat(65_536), 400);
  await write(`\n${`GET /a?b=${"y".repeat(120)}\n`.repeat(500)}`, 60);
  const peak = peakMemory(child.pid);
  child.stdin.end(url("last"));
  await once(child, "close");
  expect(parseLines<Finding>(stdout).map(({ line }) => line)).toEqual([30_061]);
  expect(peak).toBeLessThan(200);
});

test("finds a URL in a command for Windows' cmd, where each & and % has a caret", async () => {
  const escaped = (link: string) => link.replace(/[&%]/g, "^$&").replace(/\^%(?=[0-9A-F])/g, "^%^");
  const text = ["of chrome.txt", "older chrome.txt"].map((key) => url(key));
  const lines = [`curl ^"${escaped(text[0] as string)}^" ^`, `curl "${(text[1] as string).replace(/[&%]/g, "^$&")}" ^`];
  const { status, found } = await scan(["-"], lines.join("\r\n"));
  expect(found.map(({ life, line }) => [life, line])).toEqual([
    ["live", 1],
    ["live", 2],
  ]);
  expect(status).toBe(1);
});
