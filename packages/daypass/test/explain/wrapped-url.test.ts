import { explain, redactUrl } from "daypass/explain";
import { s3Signer } from "daypass/s3";
import { describe, expect, it } from "vitest";
import { cpuMilliseconds } from "../cpu-time.ts";
import { awsErrorBody, credentials, rawUrl } from "./broken-requests.ts";

const clock = () => new Date("2026-11-24T12:05:00Z");
const keys = [credentials];
const token = "IQoJb3JpZ2luX2VjEC+wDmFwLXNvdXRoZWFzdC0xexample";
const at = () => new Date("2026-11-24T12:00:00Z");
const temporary = { ...credentials, sessionToken: token };
const signer = s3Signer({ region: "eu-west-1", endpoint: "https://s3.example.com", credentials: temporary, clock: at });
const { url } = signer.sign({ bucket: "media", key: "a b.txt", expiresIn: 900 });
const signature = new URL(url).searchParams.get("X-Amz-Signature") as string;

/** As Proofpoint writes it: of three letters and more a run. */
function proofpoint(text: string): string {
  const letters = text.match(/%/g)?.join("") ?? "";
  return `https://urldefense.com/v3/__${text.replaceAll("%", "*")}__;${Buffer.from(letters).toString("base64url")}!!AbC-dEf!ghi$`;
}
const dashes = (text: string): string =>
  encodeURIComponent(text).replaceAll("-", "-2D").replaceAll("_", "-5F").replaceAll("%2F", "_").replaceAll("%", "-");

const WRAPPED: readonly (readonly [host: string, link: string])[] = [
  [
    "eur01.safelinks.protection.outlook.com",
    `https://eur01.safelinks.protection.outlook.com/?url=${encodeURIComponent(url)}&data=05%7C02%7Cme%40example.com&sdata=AbC%2F%3D&reserved=0`,
  ],
  ["slack-redir.net", `https://slack-redir.net/link?url=${encodeURIComponent(url)}`],
  ["www.google.com", `https://www.google.com/url?q=${encodeURIComponent(url)}&sa=D&usg=AOvVaw0`],
  ["app.example.com", `https://app.example.com/login?a=1&next=${encodeURIComponent(url)}`],
  ["urldefense.proofpoint.com", `https://urldefense.proofpoint.com/v2/url?u=${dashes(url)}&d=DwMFAg&c=x&r=y&s=w&e=`],
  ["urldefense.com", proofpoint(url)],
  ["secure-web.cisco.com", `https://secure-web.cisco.com/1AbC-dEf/${encodeURIComponent(url)}`],
  ["url.avanan.click", `https://url.avanan.click/v2/___${url}___.YXBzMTp`],
];

describe("a link that leads to a signed URL", () => {
  it.each(WRAPPED)("by %s is explained as that URL", async (host, link) => {
    const told = await explain(link, { clock, keys: [temporary], request: { method: "GET", headers: {} } });
    expect(told).toMatchObject({ scheme: "s3", cause: undefined });
    expect(told.traps[0]).toMatchObject({ name: "wrapped-link", text: expect.stringContaining(host) });
    expect((await explain(link, { clock, errorBody: awsErrorBody(url, { method: "PUT" }) })).cause?.sentence).toMatch(
      /PUT/,
    );
  });

  it.each(WRAPPED)("by %s shows no signature in a log", (_, link) => {
    const shown = redactUrl(link);
    expect(shown).toContain("REDACTED");
    for (const secret of [signature, token, encodeURIComponent(token), token.slice(0, 12)]) {
      expect(shown).not.toContain(secret);
    }
  });

  it("is one of a link", async () => {
    const link = `https://slack-redir.net/link?url=${encodeURIComponent(WRAPPED[0]?.[1] as string)}`;
    expect((await explain(link, { clock, keys: [temporary] })).scheme).toBe("s3");
    expect(redactUrl(link)).not.toContain(signature);
  });

  it("shows no password in front of a host", async () => {
    const link = `https://bob:secretpass@login.example.com/?next=${encodeURIComponent(url)}`;
    const [trap] = (await explain(link, { clock })).traps;
    expect(trap?.text).toContain("a link of login.example.com,");
    const nested = `https://slack-redir.net/link?url=${encodeURIComponent("https://bob:secretpass@example.com/a@b?c=d@e")}`;
    expect(redactUrl(nested)).toBe(nested.replace("bob%3Asecretpass", "REDACTED"));
  });

  it.each([
    ["hdnts", "exp=1~acl=*~hmac=0123456789abcdef"],
    ["__token__", "exp=1~hmac=0123456789abcdef"],
    ["URISigningPackage", "0123456789abcdef0123"],
    ["__cld_token__", "st=1~exp=2~0123456789abcdef"],
    ["pub_secret", "0123456789"],
    ["rlkey", "0123456789abcdef"],
    ["ik-s", "0123456789abcdef0123"],
    ["s", "0123456789abcdef0123456789abcdef"],
    ["md5", "0123456789abcdef012345"],
    ["verify", "1795522800-0123456789abcdef"],
    // What ends a value is escaped as the rest is.
    ["dp-signature", "abc-26defghijk-23lmnopq"],
  ])("shows no %s in a log, whatever leads to it", (name, value) => {
    const inner = `https://a.example.com/x?a=1&${name}=${encodeURIComponent(value)}&b=2`;
    const once = `https://slack-redir.net/link?url=${encodeURIComponent(inner)}`;
    const links = [once, `https://b.example.com/?next=${encodeURIComponent(once)}`, proofpoint(once)];
    const wrapped = [...links, `https://urldefense.proofpoint.com/v2/url?u=${dashes(inner)}&d=DwMFAg`];
    for (const link of wrapped) {
      const shown = redactUrl(link);
      expect(shown).toMatch(/REDACTED(?:%|\*|-)(?:25)*26b(?:%|\*|-)/);
      for (const part of value.split(/[~*=-]/).filter(({ length }) => length > 5)) expect(shown).not.toContain(part);
    }
  });

  it("keeps what is no secret", () => {
    for (const kept of [
      "https://b.example.com/token-3D-model.stl?a=1",
      `https://b.example.com/?next=${encodeURIComponent("https://a.example.com/?s=abc&verify=yes&code=7")}`,
    ])
      expect(redactUrl(kept)).toBe(kept);
    const source = encodeURIComponent("https://a.example.com/x?sig=0123456789");
    expect(redactUrl(`https://images.example.com/${source}?w=3`)).toMatch(/sig%3DREDACTED\?w=3$/);
  });

  it("is another one where the link is signed itself, and none where what it leads to is not", async () => {
    const outer = rawUrl({ query: `next=${encodeURIComponent(url)}` });
    const told = await explain(outer, { clock, keys });
    expect(told.traps.map(({ name }) => name)).not.toContain("wrapped-link");
    expect(told.summary).toMatch(/a\/b\.txt/);
    const plain = `https://slack-redir.net/link?url=${encodeURIComponent("https://example.com/a?b=1")}`;
    await expect(explain(plain, { clock })).rejects.toMatchObject({ code: "NO_SIGNATURE" });
    expect(redactUrl(plain)).toBe(plain);
  });

  it("costs no more than its length, whatever stands in it", async () => {
    const texts = [
      "%26".repeat(5000),
      "%26a%3D".repeat(2300),
      `%26${"a".repeat(16_000)}`,
      "-26aaaa".repeat(2300),
      "*".repeat(16_000),
    ];
    const links = texts.flatMap((text) => [
      `https://a.example/?u=${text}`,
      `https://urldefense.com/v3/__${text}__;${text}!`,
    ]);
    const spent = await cpuMilliseconds(async () => {
      for (const link of links) {
        redactUrl(link);
        await explain(link, { clock }).catch(() => undefined);
      }
    });
    expect(spent).toBeLessThan(2000);
  });
});
