import { once } from "node:events";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { findingReader } from "../src/commands/scan/finding.ts";
import { daypass, parseLines, peakMemory, start } from "./command.ts";
import { type Finding, NOW, SIGNED, s3, scan, url } from "./scanning.ts";

const urlOf = (scheme: string): string => SIGNED.find((each) => each.scheme === scheme)?.url ?? "";

test("finds live and expired URLs of every scheme, and shows no signature", async () => {
  const urls = SIGNED.map(({ url: signed }) => signed);
  const text = `${urls.join("\n")}\nhttps://example.com/?a=1&b=2\n${url("ended.txt", 60)}\n`;
  const { status, found, stderr } = await scan(["-"], text);
  const count = urls.length;
  expect(found.map(({ life, scheme, line }) => [line, life, scheme])).toEqual([
    ...SIGNED.map(({ scheme }, i) => [i + 1, "live", scheme]),
    [count + 2, "ended", "s3"],
  ]);
  expect([status, stderr]).toEqual([1, `${count + 1} presigned URLs: ${count} live, 1 ended\n`]);
  const last = found.at(-1);
  expect(last).toMatchObject({ file: "-", signedBy: "AKIDEXAMPLE", endsAt: "2026-01-02T03:05:05.000Z" });
  expect(last?.url).toMatch(/ended\.txt\?.*X-Amz-Security-Token=REDACTED&.*X-Amz-Signature=REDACTED$/);
  // A signature has at least 16 bytes.
  const shown = JSON.stringify(found.map(({ url: of, resource }) => [of, resource]));
  const long = urls
    .flatMap((signed) => signed.match(/[A-Za-z0-9_~-]{22,}/g) ?? [])
    .filter((word) => !/^(?:20\d{6}T|AWS4|GOOG4|OSS4|x-oss-)/.test(word));
  // Percent escapes split some of the signatures into shorter words.
  expect(long.length).toBeGreaterThan(count - 4);
  for (const word of long) expect(shown).not.toContain(word);
});

test("reports a URL as live if its damage can be repaired", async () => {
  const azure = urlOf("azure");
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

test("reports a redacted signature as malformed", async () => {
  const text = `${url("a").replace(/Signature=.*/, "Signature=REDACTED")} ${url("b").replace(/Signature=.*/, "Signature=…")}`;
  const { status, found } = await scan(["-"], text);
  expect([status, found.map(({ life }) => life)]).toEqual([0, ["malformed", "malformed"]]);
});

test("reports a truncated or redacted signature of a SAS or a CloudFront URL as malformed", async () => {
  for (const [scheme, parameter] of [
    ["azure", "sig"],
    ["cloudfront", "Signature"],
  ] as const) {
    const signed = urlOf(scheme);
    const [, before = "", signature = "", behind = ""] = signed.match(`^(.*[?&]${parameter}=)([^&]*)(.*)$`) ?? [];
    const short = [signature.slice(0, 20), "REDACTED", "***", "", "AAAA%3D"];
    const { status, found } = await scan(["-"], short.map((text) => before + text + behind).join("\n"));
    expect([status, new Set(found.map((finding) => `${finding.life} ${finding.scheme}`))]).toEqual([
      0,
      new Set([`malformed ${scheme}`]),
    ]);
  }
});

test("reports a SAS as live if the padding of its signature is missing or followed by other text", async () => {
  const signed = urlOf("azure");
  const begin = signed.slice(0, signed.indexOf("%3D", signed.indexOf("sig=")));
  for (const end of ["", "%3Dx", "%3D%22", "="]) {
    const { status, found } = await scan(["-"], begin + end);
    expect([status, found.map(({ life }) => life)]).toEqual([1, ["live"]]);
  }
});

test("prints that an S3 URL does not state its method", async () => {
  const { stdout } = await daypass(["scan", "-", "--at", NOW], { input: url("z") });
  expect(stdout).toContain("s3: one method (the URL does not say which) on object z in bucket");
});

test("escapes control characters of a key", async () => {
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

test.skipIf(!existsSync("/proc/self/status"))("scans long lines and many lines in constant memory", async () => {
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

test("finds a URL in a command for Windows' cmd, which escapes & and % with a caret", async () => {
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

test("reports a URL as ended from the instant of its expiry on", async () => {
  const end = Date.parse("2026-01-02T03:05:05Z");
  const lifeAt = async (time: number) => (await findingReader()(url("a", 60), new Date(time)))?.life;
  expect([await lifeAt(end - 1), await lifeAt(end), await lifeAt(end + 1)]).toEqual(["live", "ended", "ended"]);
});
