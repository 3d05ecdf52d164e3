import { createHash, createHmac } from "node:crypto";
import { cosSigner } from "daypass/cos";
import type { CauseCode } from "daypass/explain";
import { describe, expect, it } from "vitest";
import { askingAt } from "./asking.ts";

const credentials = { secretId: "AKIDEXAMPLE", secretKey: "BQYIM75p8x0iWVFSIgqEKwFprpRSVHlz" };
const signedAt = new Date("2026-01-02T03:04:05Z");
const options = { region: "ap-guangzhou", credentials, clock: () => signedAt };
const cos = cosSigner(options);
const wish = { bucket: "media-1250000000", key: "talks/a b.txt", expiresIn: 3600 };
const host = "media-1250000000.cos.ap-guangzhou.myqcloud.com";
const keys = [credentials];
const { ask, causeOf, trapsOf } = askingAt("2026-01-02T03:30:00Z");

interface Wrong {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: string;
  readonly secret?: string;
  readonly lists?: readonly [headers: string, parameters: string];
  readonly more?: string;
}

/** A URL of a signer that may err: what it signs and what stands in the URL can differ. */
function wrongUrl(wrong: Wrong): string {
  const { method = "get", path = "/talks/a b.txt", query = "", headers = `host=${host}`, more = "" } = wrong;
  const [headerList, parameterList] = wrong.lists ?? ["host", ""];
  const time = "1767323045;1767326645";
  const hash = createHash("sha1").update(`${method}\n${path}\n${query}\n${headers}\n`).digest("hex");
  const key = createHmac("sha1", wrong.secret ?? credentials.secretKey)
    .update(time)
    .digest("hex");
  const signature = createHmac("sha1", key).update(`sha1\n${time}\n${hash}\n`).digest("hex");
  return `https://${host}/talks/a%20b.txt?q-sign-algorithm=sha1&q-ak=AKIDEXAMPLE&q-sign-time=${time}&q-key-time=${time}&q-header-list=${headerList}&q-url-param-list=${parameterList}&q-signature=${signature}${more}`;
}

describe("a COS URL", () => {
  it("is explained: what it is, what it binds, when it begins and ends", async () => {
    const { url } = cos.sign({ ...wish, method: "PUT", query: { versionId: "1" }, bind: { contentType: "image/png" } });
    const request = { method: "PUT", headers: { "content-type": "image/png" } };
    const told = await ask(url, { keys, request });
    expect(told).toMatchObject({
      scheme: "cos",
      signedBy: "AKIDEXAMPLE",
      grants: { methods: ["PUT"], resource: "object talks/a b.txt in bucket media-1250000000" },
      startsAt: signedAt,
      endsAt: new Date("2026-01-02T04:04:05Z"),
      mustSend: [{ name: "content-type" }],
    });
    expect(told.cause).toBe(undefined);
    expect(told.binds).toContain("query parameters versionid");
    expect(told.stringToSign).toMatch(/^sha1\n1767323045;1767326645\n[0-9a-f]{40}\n$/);
  });

  it("has no signature, secret or token in any text", async () => {
    const session = { ...credentials, sessionToken: "abcdefghijklmnop-token" };
    const { url } = cosSigner({ ...options, credentials: session }).sign(wish);
    const text = JSON.stringify(await ask(url, { keys: [session], request: { method: "PUT" } }));
    for (const secret of [session.secretKey, session.sessionToken, new URL(url).searchParams.get("q-signature")]) {
      expect(text).not.toContain(secret);
    }
    expect(await trapsOf(url)).toContain("session-token");
  });

  const wrong: readonly (readonly [string, CauseCode, RegExp, Wrong])[] = [
    ["another method", "METHOD", /signed for PUT and sent with GET/, { method: "put" }],
    ["a damaged secret", "WRONG_SECRET", /last character cut off/, { secret: credentials.secretKey.slice(0, -1) }],
    ["another host", "HOST", /as files\.example\.com/, { headers: "host=files.example.com" }],
    ["an encoded path", "PATH", /encoded/, { path: "/talks/a%20b.txt" }],
    ["a parameter that is listed and not signed", "QUERY", /acl was added/, { lists: ["host", "acl"], more: "&acl=" }],
  ];
  it.each(wrong)("that was signed with %s is found out by its key", async (_, code, sentence, made) => {
    const cause = await causeOf(wrongUrl(made), { keys, request: { method: "GET" }, hosts: ["files.example.com"] });
    expect(cause?.sentence).toMatch(sentence);
    expect(cause?.code).toBe(code);
  });

  it("of a signer that errs not at all has no cause", async () => {
    expect(await causeOf(wrongUrl({}), { keys, request: { method: "GET" } })).toBe(undefined);
  });

  it("that leaves host or parameters open has that for a trap, and no cause, as COS takes it", async () => {
    const url = wrongUrl({ headers: "", lists: ["", ""], more: "&free=1" });
    const told = await ask(url, { keys, request: { method: "GET" } });
    expect(told.cause).toBe(undefined);
    expect(told.traps.map(({ name }) => name)).toEqual(expect.arrayContaining(["host-open", "unsigned-parameter"]));
    expect(told.leavesOpen[0]).toBe("scheme, host and bucket");
  });

  it("is compared with the server's own string to sign, without a key", async () => {
    const url = wrongUrl({});
    const told = (path: string) => {
      const hash = createHash("sha1").update(`get\n${path}\n\nhost=${host}\n`).digest("hex");
      const text = `sha1\n1767323045;1767326645\n${hash}\n`;
      return {
        errorBody: `<Error><Code>SignatureDoesNotMatch</Code><Message>The Signature you specified is invalid.</Message><StringToSign>${text}</StringToSign></Error>`,
      };
    };
    expect(await causeOf(url, told("/talks/a b.txt"))).toMatchObject({ code: "WRONG_SECRET" });
    expect(await causeOf(url, told("/talks/a+b.txt"))).toMatchObject({ code: "PATH" });
  });

  it("tells time, unknown keys and what cannot be read", async () => {
    const { url } = cos.sign(wish);
    expect(await causeOf(url, { clock: () => new Date("2026-01-02T04:04:05Z") })).toMatchObject({ code: "EXPIRED" });
    expect(await causeOf(url, { clock: () => new Date("2026-01-02T03:04:04Z") })).toMatchObject({
      code: "NOT_YET_VALID",
    });
    expect(await causeOf(url, { keys: [{ ...credentials, secretId: "AKIDOTHER" }] })).toMatchObject({
      code: "UNKNOWN_KEY",
    });
    expect(await causeOf(url, { keys: [{ ...credentials, secretKey: "another" }] })).toMatchObject({
      code: "WRONG_SECRET",
    });
    expect(await causeOf(url.replace(/q-signature=..../, "q-signature="))).toMatchObject({ code: "MALFORMED" });
  });
});
