import { explain, unwrapUrl } from "daypass/explain";
import { describe, expect, it } from "vitest";
import { rawUrl } from "./raw-requests.ts";
import { soon } from "./signed-urls.ts";

const signed = rawUrl({ query: "response-content-disposition=attachment%3B%20filename%3Da_b-c.txt" });
const encoded = encodeURIComponent(signed);

/** As URL Defense writes it: - for %, _ for /, and both of them escaped. */
const version2 = signed
  .replace(/[^\w./]|_/g, (character) => `-${character.charCodeAt(0).toString(16).toUpperCase()}`)
  .replaceAll("/", "_");
const version3 = (() => {
  let list = "";
  const text = signed.replace(/%|;/g, (character) => {
    list += character;
    return "*";
  });
  return `https://urldefense.com/v3/__${text}__;${Buffer.from(list).toString("base64url")}!!PzM!abc-def_g$ `;
})();

const WRAPPED: readonly (readonly [string, string])[] = [
  [
    "Outlook's Safe Links",
    `https://eur01.safelinks.protection.outlook.com/?url=${encoded}&data=05%7C02&sdata=a%3D&reserved=0`,
  ],
  [
    "Safe Links, escaped by HTML",
    `https://nam02.safelinks.protection.outlook.com/ap/t-59/?url=${encoded}&amp;data=05%7C02`,
  ],
  ["Proofpoint's URL Defense 2", `https://urldefense.proofpoint.com/v2/url?u=${version2}&d=DwMFAg&c=x&r=y&m=z&s=w&e=`],
  ["Proofpoint's URL Defense 3", version3],
  ["Barracuda", `https://linkprotect.cudasvc.com/url?a=${encoded}&c=E,1,abc&typo=1`],
  ["Cisco", `https://secure-web.cisco.com/1abcDEF-_/${encoded}`],
  ["Google", `https://www.google.com/url?q=${encoded}&sa=D&usg=AOvVaw`],
  ["Facebook", `https://l.facebook.com/l.php?u=${encoded}&h=AT0`],
  ["Slack", `https://slack-redir.net/link?url=${encoded}`],
];
const twice = `https://eur01.safelinks.protection.outlook.com/?url=${encodeURIComponent(WRAPPED[2]?.[1] ?? "")}&data=0`;

describe("a URL inside a link", () => {
  it.each([...WRAPPED, ["Safe Links around URL Defense", twice] as const])(
    "is found in a link of %s",
    async (_, link) => {
      expect(unwrapUrl(link)).toBe(signed);
      const told = await explain(link, { clock: soon });
      expect([told.scheme, told.cause, told.traps[0]?.name]).toEqual(["s3", undefined, "wrapped-link"]);
      expect(told.grants).toEqual((await explain(signed, { clock: soon })).grants);
    },
  );

  it("expands a run of characters of URL Defense 3", () => {
    const list = Buffer.from("%äöü").toString("base64url");
    expect(unwrapUrl(`https://urldefense.com/v3/__http:/a.example/*20b**Ac__;${list}!!x!y$`)).toBe(
      "http://a.example/%20bäöc",
    );
  });

  it.each([
    signed,
    `https://app.example.com/login?next=${encoded}`,
    `https://safelinks.protection.outlook.com.example.com/?url=${encoded}`,
    "https://eur01.safelinks.protection.outlook.com/?url=javascript%3Aalert(1)&data=05",
    "https://urldefense.com/v3/__not a url__;!!x",
    "https://urldefense.proofpoint.com/v2/url?u=https-3A__%ZZ",
    `https://urldefense.com/v3/${"__*".repeat(5000)}`,
    `https://slack-redir.net/link?url=${encoded}${"a".repeat(20_000)}`,
    "text",
  ])("leaves another text unchanged", (text) => {
    expect(unwrapUrl(text)).toBe(text);
  });
});

describe("a link of the gateway", () => {
  const id = "5dydZz2wBb1PmmEb6U7tsC";
  const link = `https://files.example.com/l/${id}`;

  it.each([
    [404, "NOT_FOUND", /no such link/],
    [410, "EXPIRED", /expired, is used up or was withdrawn/],
    [401, "PERMISSION", /password/],
    [403, "IP", /network/],
    [503, "SERVER", /limiting requests/],
  ])("is explained by the status %i", async (status, code, sentence) => {
    for (const errorBody of status === 503 ? [undefined] : [undefined, "<!doctype html><title>Ended</title>"]) {
      const told = await explain(link, { status, ...(errorBody !== undefined && { errorBody }) });
      expect(told).toMatchObject({ scheme: "link", cause: { code, sentence: expect.stringMatching(sentence) } });
      expect(JSON.stringify(told)).not.toContain(id);
    }
  });

  it("has no cause without an answer, and shows its address only if asked", async () => {
    expect(await explain(`${link}/a/b.txt`)).toMatchObject({ scheme: "link", cause: undefined });
    expect(JSON.stringify(await explain(link, { reveal: true }))).toContain(id);
  });

  it("can be a delivery", async () => {
    const token = "a-_4".repeat(11).slice(1);
    const told = await explain(`https://files.example.com/d/${token}`);
    expect(told).toMatchObject({ scheme: "link", summary: expect.stringMatching(/^A delivery/) });
    expect(JSON.stringify(told)).not.toContain(token);
  });

  it.each(["/l/short", `/x/${id}`, `/l/${id}x`, "/d/short"])("is not the address %s", async (path) => {
    await expect(explain(`https://files.example.com${path}`)).rejects.toMatchObject({ code: "NO_SIGNATURE" });
  });
});
