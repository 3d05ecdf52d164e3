import { explain, redactUrl } from "daypass/explain";
import { describe, expect, test } from "vitest";
import { BEARER_KINDS } from "../../src/explain/bearer/kinds.ts";
import { cpuMilliseconds } from "../cpu-time.ts";
import { BEARER_URLS, END, jwt, SIGNED } from "./bearer-urls.ts";

const clock = () => new Date((SIGNED + 30) * 1000);
const rows = BEARER_URLS.map((row, i) => [i, row.scheme, row] as const);

describe("a URL that opens something, and that Daypass can only read", () => {
  test.each(rows)("%i, %s: what it is, and when it ends", async (_, scheme, { url, ends }) => {
    const explanation = await explain(url, { clock });
    expect([explanation.scheme, explanation.cause]).toEqual([scheme, undefined]);
    expect(explanation.endsAt).toEqual(ends ? new Date(END * 1000) : undefined);
    const names = explanation.traps.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["bearer", "not-checked"]));
    expect(names.includes("no-end")).toBe(!ends);
  });

  test.each(rows.filter(([, , { ends }]) => ends))("%i, %s: that it has ended", async (_, __, { url }) => {
    const { cause } = await explain(url, { clock: () => new Date(END * 1000) });
    expect(cause?.code).toBe("EXPIRED");
  });

  test.each(rows)("%i, %s: shows nothing that opens it, in no text and in no log", async (_, __, { url, secret }) => {
    for (const text of [JSON.stringify(await explain(url, { clock })), redactUrl(url)]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(decodeURIComponent(secret));
    }
    expect(redactUrl(url)).toContain("REDACTED");
  });

  test("has an example of every kind", () => {
    const known = new Set(BEARER_URLS.map(({ scheme }) => scheme));
    expect(BEARER_KINDS.map(({ scheme }) => scheme).filter((scheme) => !known.has(scheme))).toEqual([]);
  });

  test("names what a token of Supabase's or Mux' is for, where that is another one", async () => {
    const url = "https://x.supabase.co/storage/v1/object/sign/avatars/b.png?token=";
    const supabase = await explain(`${url}${jwt({ url: "avatars/a.png", exp: END })}`, { clock });
    expect(supabase.cause).toMatchObject({
      code: "PATH",
      sentence: expect.stringMatching(/for avatars\/a\.png.*avatars\/b\.png/),
    });
    const stats = await explain(`https://stats.mux.com/counts?token=${jwt({ sub: "abc", exp: END })}`, { clock });
    expect(stats.cause).toBeUndefined();
    const mux = await explain(`https://stream.mux.com/other.m3u8?token=${jwt({ sub: "abc", exp: END })}`, { clock });
    expect(mux.cause).toMatchObject({
      code: "PATH",
      sentence: expect.stringMatching(/for the playback id abc.*other/),
    });
  });

  test("promises of no new JWT secret of Supabase's that it ends what another key has signed", async () => {
    const url = "https://x.supabase.co/storage/v1/object/sign/avatars/a.png?token=";
    const { signedBy, mayEndEarlier } = await explain(`${url}${jwt({ url: "avatars/a.png", exp: END })}`, { clock });
    expect(signedBy).toMatch(/\bkid\b/);
    expect(mayEndEarlier).toMatch(/only tokens whose header names no key/);
  });

  test("leaves nothing open that it says to be bound", async () => {
    const of = async (scheme: string) => {
      const { url = "" } = BEARER_URLS.find((row) => row.scheme === scheme) ?? {};
      const { traps, leavesOpen } = await explain(url, { clock });
      return [traps.find(({ name }) => name === "bearer")?.text, leavesOpen.join()];
    };
    expect(await of("aws/quicksight")).toEqual([expect.anything(), expect.not.stringMatching(/how often/)]);
    expect(await of("googlevideo")).toEqual([expect.stringMatching(/beyond what it binds/), expect.anything()]);
    expect(await of("cloudflare-stream")).toEqual([expect.anything(), expect.stringMatching(/without accessRules/)]);
  });

  test("tells when Django and itsdangerous have signed", async () => {
    for (const { url } of BEARER_URLS.filter(({ scheme }) => /^(?:django|itsdangerous)$/.test(scheme))) {
      expect((await explain(url, { clock })).signedAt).toEqual(new Date(SIGNED * 1000));
    }
  });

  test("says that a form is one of several signers", async () => {
    for (const { url } of BEARER_URLS.filter(({ scheme }) => /^(?:token-and-end|keycdn|jwt)$/.test(scheme))) {
      expect((await explain(url, { clock })).traps.map(({ name }) => name)).toContain("shared-form");
    }
  });

  test("reads the claims of SharePoint's tokens where they stand in front, and an upload's session as one", async () => {
    const claims = Buffer.from(JSON.stringify({ siteid: "s", exp: String(END) })).toString("base64url");
    const site = "https://acme.sharepoint.com";
    const download = await explain(`${site}/_layouts/15/download.aspx?UniqueId=1&tempauth=v1.${claims}.CgoKBHNuaWQ`, {
      clock,
    });
    expect([download.endsAt, download.grants.methods]).toEqual([new Date(END * 1000), ["GET", "HEAD"]]);
    const upload = await explain(
      `${site}/_api/v2.0/drives/b!x/items/01/uploadSession?guid=1&tempauth=v1.${claims}.Cgo`,
      {
        clock,
      },
    );
    expect(upload.grants.methods).toEqual(["PUT", "GET", "DELETE"]);
  });

  test("makes up no methods: an upload of Rails' is a PUT, and of a token of somebody's own only its server knows", async () => {
    const methods = async (url: string) => (await explain(url, { clock })).grants.methods;
    const message = `eyJfcmFpbHMiOnt9fQ==--${"0a".repeat(20)}`;
    const rails = "https://app.example.com/rails/active_storage/disk";
    expect(await methods(`${rails}/${message}`)).toEqual(["PUT"]);
    expect(await methods(`${rails}/${message}/a.png`)).toEqual(["GET", "HEAD"]);
    for (const { url } of BEARER_URLS.filter(({ scheme }) =>
      /^(?:jwt|django|itsdangerous|rails.message)$/.test(scheme),
    )) {
      expect(await methods(url)).toBeUndefined();
    }
  });

  test("takes no end without a zone for one of this machine's", async () => {
    const message = (exp: string) => {
      const data = Buffer.from(JSON.stringify({ _rails: { data: "x", exp } })).toString("base64");
      return `https://app.example.com/rails/active_storage/blobs/${data}--${"0a".repeat(20)}/a.png`;
    };
    expect((await explain(message("2026-01-02T04:00:00.000Z"))).endsAt).toEqual(new Date("2026-01-02T04:00:00Z"));
    expect((await explain(message("2026-01-02T04:00:00"))).endsAt).toBeUndefined();
  });

  test("calls no store's URL a JSON Web Token for its session token, which MinIO's are", async () => {
    const token = jwt({ accessKey: "k", exp: END });
    const url = `https://minio.example.com/b/k?x-amz-algorithm=AWS4-HMAC-SHA256&x-amz-security-token=${token}&x-amz-signature=00`;
    await expect(explain(url, { clock })).rejects.toMatchObject({
      code: "NO_SIGNATURE",
      message: expect.stringContaining("in this case"),
    });
  });

  test("a refusal is told, also one that nobody can check", async () => {
    const url = BEARER_URLS.find(({ scheme }) => scheme === "discord")?.url ?? "";
    const body = (code: string) => `<Error><Code>${code}</Code><Message>No.</Message></Error>`;
    const cause = async (code: string) => (await explain(url, { clock, errorBody: body(code) })).cause;
    expect(await cause("SignatureDoesNotMatch")).toMatchObject({ code: "SIGNATURE" });
    expect(await cause("SomethingElse")).toMatchObject({
      code: "SERVER",
      sentence: expect.stringContaining("SomethingElse"),
    });
  });

  test("hides a token in a target, inside of another URL, and a short one", () => {
    const token = jwt({ sub: "x" });
    for (const [text, secret] of [
      [`/${"a".repeat(27)}=/300x200/x.png`, "a".repeat(27)],
      [`/${"a".repeat(22)},${END}/x.mp4`, "a".repeat(22)],
      [`/${"a".repeat(43)}/rs:fit:1:1/plain/x`, "a".repeat(43)],
      [`https://a.example/?to=https%3A%2F%2Fb.example%2F%3Ftoken%3D${token}`, token],
      [`https://media.licdn.com/x?e=${END}&t=${"b".repeat(24)}`, "b".repeat(24)],
      [`https://eu-west-1.quicksight.aws.amazon.com/embed/x?code=${"c".repeat(24)}`, "c".repeat(24)],
    ] as const) {
      expect(redactUrl(text)).not.toContain(secret);
      expect(redactUrl(text)).toContain("REDACTED");
    }
  });

  test("leaves what a scheme or a key knows to that one", async () => {
    const hash = "Zm9vYmFyYmF6cXV4Zm9vYg";
    const nginx = {
      scheme: "nginx" as const,
      secret: "s",
      expression: "$secure_link_expires$uri $secret",
      parameters: { signature: "token", expires: "expires" },
    };
    const url = `https://cdn.example.com/a.png?token=${hash}&expires=${END}`;
    expect((await explain(url, { clock })).scheme).toBe("token-and-end");
    const keyed = await explain(url, { clock, keys: [nginx] }).catch((error: unknown) => error);
    expect(keyed).toMatchObject({ scheme: "nginx" });
  });

  test.each([
    "https://example.com/a?page=2&token=abc",
    "https://example.com/a--b/c:d:e",
    "https://github.com/o/r?tab=readme",
    "https://res.cloudinary.com/demo/image/upload/sample.jpg",
    "https://example.com/s--short--/x",
    "https://www.dropbox.com/home?x=1",
    "https://cdn.discordapp.com/attachments/1/2/a.png",
    "https://example.com/v1.2.3/file.tar.gz?x=1.000000.aaa",
    `https://example.com/blog/my-long-title--${"0a".repeat(20)}`,
    `https://example.com/chunk.0a1b2c.${"A".repeat(27)}`,
  ])("%s is none", async (url) => {
    await expect(explain(url)).rejects.toMatchObject({ code: "NO_SIGNATURE" });
    expect(redactUrl(url)).toBe(url.replace("token=abc", "token=REDACTED"));
  });

  test("is read in a time that its length tells, whatever stands in it", async () => {
    const pieces = [
      "=",
      "/",
      "a.",
      "eyJ",
      "--",
      "%3A",
      "/rails/active_storage/",
      "&token=eyJhbGciOi",
      "/s--",
      "~exp=1",
      "oh=aaaaaaaaaaaaaaaaaaaaaaa&",
      "/object/sign/",
    ];
    const spent = await cpuMilliseconds(async () => {
      for (const host of ["example.com", "x.fbcdn.net", "raw.githubusercontent.com"]) {
        for (const piece of pieces) {
          const text = `https://${host}/?${piece.repeat(15_000 / piece.length)}`;
          await explain(text).catch(() => undefined);
          redactUrl(text);
          redactUrl(text.replace("?", ""));
        }
      }
    });
    expect(spent).toBeLessThan(8000);
  });
});
