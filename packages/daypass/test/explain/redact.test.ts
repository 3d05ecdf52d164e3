import { describe, expect, it } from "vitest";
import { redactUrl } from "../../src/explain/index.ts";
import { subjects } from "../registry.ts";

/** What is signed in its URL, by the signature that makes the URL open. Forms, headers and cookies are no URLs. */
const signed = await Promise.all(
  subjects.map(async ({ name, example: { signature }, request }) => {
    const { authority, target } = await request();
    return { name, url: `https://${authority}${target}`, secret: signature.exec(target)?.[1] };
  }),
);
const urls = signed.filter((one): one is typeof one & { readonly secret: string } => one.secret !== undefined);

describe("a URL for logs", () => {
  it.each(urls)("does not show the signature of $name", ({ url, secret }) => {
    expect(redactUrl(url)).toContain("REDACTED");
    expect(redactUrl(url)).not.toContain(secret);
  });

  it.each(urls)("does not show the signature of $name in a link that leads to it", ({ url, secret }) => {
    const once = `https://slack-redir.net/link?url=${encodeURIComponent(url)}`;
    for (const link of [once, `https://a.example.com/?next=${encodeURIComponent(once)}`]) {
      expect(redactUrl(link)).toContain("REDACTED");
      for (const part of secret.match(/[\w-]{12,}/g) ?? []) expect(redactUrl(link)).not.toContain(part);
    }
  });

  it.each([
    "X-Amz-Security-Token",
    "X-Amz-S3session-Token",
    "x-oss-security-token",
    "security-token",
    "x-cos-security-token",
  ])("does not show the session in %s, however the name is written", (name) => {
    const token = "IQoJb3JpZ2luX2VjEXAMPLE";
    const escaped = name.replace(/[^A-Z]/gi, (character) => `%${character.charCodeAt(0).toString(16)}`);
    const fully = [...name].map((character) => `%${character.charCodeAt(0).toString(16)}`).join("");
    for (const spelt of [name, name.toLowerCase(), escaped, fully])
      expect(redactUrl(`https://b.example.com/k?a=b&${spelt}=${token}&c=d`)).toBe(
        `https://b.example.com/k?a=b&${spelt}=REDACTED&c=d`,
      );
  });

  it("does not show who opens a URL by name and password, in a link that leads to it either", () => {
    const url = "https://alice:s3cret@files.example.com/a";
    let link = url;
    for (let depth = 0; depth < 3; depth++) {
      expect(redactUrl(link)).toContain("REDACTED");
      expect(redactUrl(link)).not.toMatch(/alice|s3cret/);
      link = `https://slack-redir.net/link?url=${encodeURIComponent(link)}`;
    }
  });

  it.each([
    ["/x?access_token=opaque", "/x?access_token=REDACTED"],
    ["/x?a=b&amp;sig=0123&amp;c=d", "/x?a=b&amp;sig=REDACTED&amp;c=d"],
    ["/bcdn_token=HS256-0123&expires=1/x.png", "/bcdn_token=REDACTED/x.png"],
    ["/edge-cache-token=Expires=1~Signature=0123/x.m3u8?a=b", "/edge-cache-token=REDACTED/x.m3u8?a=b"],
  ])("does not show what opens %s, whole or as a request target", (target, shown) => {
    expect(redactUrl(target)).toBe(shown);
    expect(redactUrl(`https://files.example.com${target}`)).toBe(`https://files.example.com${shown}`);
  });

  it("is known of every scheme that signs URLs", () => {
    const others = signed.filter(({ secret }) => secret === undefined).map(({ name }) => name);
    expect(others.filter((name) => !/form|header|cookie/.test(name))).toEqual([]);
  });
});
