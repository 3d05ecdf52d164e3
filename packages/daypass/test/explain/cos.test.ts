import { createHash, createHmac } from "node:crypto";
import { cosSigner } from "daypass/cos";
import { describe, expect, it } from "vitest";
import { askingAt } from "./asking.ts";
import { errorXml, expectCause, named } from "./raw-requests.ts";

const credentials = { secretId: "AKIDEXAMPLE", secretKey: "BQYIM75p8x0iWVFSIgqEKwFprpRSVHlz" };
const signedAt = new Date("2026-01-02T03:04:05Z");
const options = { region: "ap-guangzhou", credentials, clock: () => signedAt };
const cos = cosSigner(options);
const wish = { bucket: "media-1250000000", key: "talks/a b.txt", expiresIn: 3600 };
const host = "media-1250000000.cos.ap-guangzhou.myqcloud.com";
const keys = [credentials];
const clock = () => new Date("2026-01-02T03:30:00Z");
const { ask, trapsOf } = askingAt(clock());

interface Wrong {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: string;
  readonly secret?: string;
  readonly lists?: readonly [headers: string, parameters: string];
  readonly more?: string;
}

/** A URL of a signer with mistakes: the signed parts can differ from those in the URL. */
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

describe("explain for a COS URL", () => {
  it("returns grants, bindings and times", async () => {
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

  it("hides signature, secret and token in every text", async () => {
    const session = { ...credentials, sessionToken: "abcdefghijklmnop-token" };
    const { url } = cosSigner({ ...options, credentials: session }).sign(wish);
    const text = JSON.stringify(await ask(url, { keys: [session], request: { method: "PUT" } }));
    for (const secret of [session.secretKey, session.sessionToken, new URL(url).searchParams.get("q-signature")]) {
      expect(text).not.toContain(secret);
    }
    expect(await trapsOf(url)).toContain("session-token");
  });

  const get = { keys, request: { method: "GET" }, hosts: ["files.example.com"] };
  const good = cos.sign(wish).url;
  const saw = (path: string) => {
    const hash = createHash("sha1").update(`get\n${path}\n\nhost=${host}\n`).digest("hex");
    const text = `sha1\n1767323045;1767326645\n${hash}\n`;
    return { errorBody: errorXml("SignatureDoesNotMatch", "The Signature is invalid.", { StringToSign: text }) };
  };

  it.each(
    named([
      [/^undefined/, wrongUrl({}), get],
      [/^METHOD: .*signed for PUT and sent with GET/, wrongUrl({ method: "put" }), get],
      [/^WRONG_SECRET: .*last character cut off/, wrongUrl({ secret: credentials.secretKey.slice(0, -1) }), get],
      [/^HOST: .*as files\.example\.com/, wrongUrl({ headers: "host=files.example.com" }), get],
      [/^PATH: .*encoded/, wrongUrl({ path: "/talks/a%20b.txt" }), get],
      [/^QUERY: .*acl was added/, wrongUrl({ lists: ["host", "acl"], more: "&acl=" }), get],
      [/^WRONG_SECRET/, wrongUrl({}), saw("/talks/a b.txt")],
      [/^PATH/, wrongUrl({}), saw("/talks/a+b.txt")],
      [/^EXPIRED/, good, { clock: () => new Date("2026-01-02T04:04:05Z") }],
      [/^NOT_YET_VALID/, good, { clock: () => new Date("2026-01-02T03:04:04Z") }],
      [/^UNKNOWN_KEY/, good, { keys: [{ ...credentials, secretId: "AKIDOTHER" }] }],
      [/^WRONG_SECRET/, good, { keys: [{ ...credentials, secretKey: "another" }] }],
      [/^MALFORMED/, good.replace(/q-signature=..../, "q-signature=")],
    ]),
  )("returns %s", async (_, refusal) => {
    await expectCause(refusal, clock);
  });

  it("returns traps and no cause for an open host and open parameters, which COS accepts", async () => {
    const url = wrongUrl({ headers: "", lists: ["", ""], more: "&free=1" });
    const told = await ask(url, get);
    expect(told.cause).toBe(undefined);
    expect(told.traps.map(({ name }) => name)).toEqual(expect.arrayContaining(["host-open", "unsigned-parameter"]));
    expect(told.leavesOpen[0]).toBe("scheme, host and bucket");
  });
});
