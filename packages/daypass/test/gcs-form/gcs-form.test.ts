import { createHmac } from "node:crypto";
import type { ErrorCode } from "daypass";
import {
  type GcsFormRequest,
  gcsFormSigner,
  gcsFormVerifier,
  gcsHmacFormSigner,
  gcsHmacFormVerifier,
} from "daypass/gcs/form";
import { describe, expect, it } from "vitest";
import { codeOf } from "../code-of.ts";
import { account, hmacKey, publicAccount } from "../gcs/account.ts";
import { expectRefusal } from "../wire-request.ts";

const NOW = new Date("2026-01-02T03:04:05Z");
const clock = () => NOW;
const forms = gcsHmacFormSigner({ credentials: hmacKey, clock });
const verifier = gcsHmacFormVerifier({ keys: hmacKey, clock, enforces: ["body-length", "body-checksum"] });
const sign = (extra: Partial<GcsFormRequest> = {}) =>
  forms.sign({ bucket: "media", object: "up/a.png", expiresIn: 600, ...extra });
const verify = (form: { fields: Readonly<Record<string, string>> }, extra: Readonly<Record<string, string>> = {}) =>
  verifier.verify({ bucket: "media", fields: Object.entries({ ...form.fields, ...extra }) });

describe("a GCS form", () => {
  it("signs the policy in base64 by the key that is derived of the HMAC secret", () => {
    const { fields } = sign();
    const key = ["20260102", "auto", "storage", "goog4_request"].reduce<string | Buffer>(
      (secret, step) => createHmac("sha256", secret).update(step).digest(),
      `GOOG4${hmacKey.secretAccessKey}`,
    );
    expect(fields["x-goog-signature"]).toBe(
      createHmac("sha256", key)
        .update(fields["policy"] ?? "")
        .digest("hex"),
    );
    expect(fields).not.toHaveProperty("bucket");
  });

  it("keeps a policy in ASCII, one unit of UTF-16 an escape", async () => {
    const form = sign({ object: "ü€𝄞" });
    const text = Buffer.from(form.fields["policy"] ?? "", "base64").toString("latin1");
    expect(text).toContain('{"key":"\\u00fc\\u20ac\\ud834\\udd1e"}');
    expect((await verify(form)).object).toBe("ü€𝄞");
  });

  it("gives what the answer needs: where to go, and the status", async () => {
    const redirect = "https://app.example.com/done";
    expect(await verify(sign({ fields: { success_action_redirect: redirect } }))).toMatchObject({
      redirect,
      status: 204,
    });
    expect(await verify(sign({ fields: { success_action_status: "201" } }))).toMatchObject({ status: 201 });
    expect(await verify(sign({ fields: { success_action_status: "404" } }))).toMatchObject({ status: 204 });
  });

  it("holds uploads to a checksum that it was signed with", async () => {
    const md5 = "1B2M2Y8AsgTpgAmY7PhCfg==";
    const grant = await verify(sign({ fields: { "content-md5": md5 }, contentLength: 0 }));
    expect(grant.obligations).toEqual([
      { kind: "body-length", min: 0, max: 0 },
      { kind: "body-checksum", header: "content-md5", value: md5 },
    ]);
    const hash = "crc32c=AAAAAA==";
    expect((await verify(sign({ fields: { "x-goog-hash": hash } }))).obligations).toEqual([
      { kind: "body-checksum", header: "x-goog-hash", value: hash },
    ]);
  });

  it("requires a condition for each field, even with a name similar to the signature's own", async () => {
    for (const name of ["x-goog-signature2", "my-x-goog-signature", "x-goog-acl"])
      await expectRefusal(verify(sign(), { [name]: "a" }), "POLICY_NOT_MET");
    expect((await verify(sign({ fields: { "x-goog-date2": "a" } }))).fields).toEqual({ "x-goog-date2": "a" });
  });

  it("knows which kind of key a form is for", async () => {
    const rsa = gcsFormVerifier({ keys: publicAccount, clock });
    const byAccount = await gcsFormSigner({ credentials: account, clock }).sign({
      bucket: "b",
      object: "o",
      expiresIn: 9,
    });
    const fields = (form: { fields: Readonly<Record<string, string>> }) => Object.entries(form.fields);
    expect([rsa.detects(fields(byAccount)), rsa.detects(fields(sign()))]).toEqual([true, false]);
    expect([verifier.detects(fields(byAccount)), verifier.detects(fields(sign()))]).toEqual([false, true]);
    await expectRefusal(rsa.verify({ bucket: "media", fields: fields(sign()) }), "MALFORMED");
    const relabelled = { ...sign().fields, "x-goog-algorithm": "GOOG4-RSA-SHA256" };
    await expectRefusal(rsa.verify({ bucket: "media", fields: Object.entries(relabelled) }), "UNKNOWN_KEY");
  });

  it("refuses forms that live too long, or that begin later", async () => {
    const strict = gcsHmacFormVerifier({ keys: hmacKey, clock, maxLife: 599 });
    const received = { bucket: "media", fields: Object.entries(sign().fields) };
    await expectRefusal(strict.verify(received), "KEY_SCOPE");
    const behind = (seconds: number) =>
      gcsHmacFormVerifier({ keys: hmacKey, clock: () => new Date(NOW.getTime() - seconds * 1000) });
    await expect(behind(900).verify(received)).resolves.toBeDefined();
    await expectRefusal(behind(901).verify(received), "NOT_YET_VALID");
  });

  it.each<[string, Partial<GcsFormRequest>, ErrorCode]>([
    ["a field of the signature's own", { fields: { "X-Goog-Date": "x" } }, "INVALID_INPUT"],
    ["a policy of the caller's", { fields: { policy: "x" } }, "INVALID_INPUT"],
    ["dot segments", { object: "a/../b" }, "DOT_SEGMENTS"],
    ["a start", { notBefore: NOW }, "UNSUPPORTED_CONSTRAINT"],
    ["an object by Amazon's name", { key: "only.txt" } as object, "UNSUPPORTED_CONSTRAINT"],
    ["addresses", { bind: { ip: "203.0.113.9" } }, "UNSUPPORTED_CONSTRAINT"],
    ["a life of more than a week", { expiresIn: 604_801 }, "INVALID_EXPIRY"],
    ["no name at all", { object: undefined }, "INVALID_INPUT"],
    ["conditions in other words", { conditions: [["contains", "$key", "a"] as never] }, "INVALID_INPUT"],
  ])("refuses %s", (_, extra, code) => {
    expect(codeOf(() => sign(extra))).toBe(code);
  });

  it.each([
    ["another service", { "x-goog-credential": "GOOG1EXAMPLE/20260102/auto/compute/goog4_request" }, "WRONG_SCOPE"],
    ["another date", { "x-goog-date": "20260103T030405Z" }, "MALFORMED"],
    ["no date", { "x-goog-date": "tomorrow" }, "MALFORMED"],
    ["no credential", { "x-goog-credential": "GOOG1EXAMPLE" }, "MALFORMED"],
    ["another algorithm", { "x-goog-algorithm": "AWS4-HMAC-SHA256" }, "MALFORMED"],
    ["a later date of the same day", { "x-goog-date": "20260102T030406Z" }, "POLICY_NOT_MET"],
  ] as const)("refuses a form that says %s", async (_, change, code) => {
    await expectRefusal(verify(sign(), change), code);
  });

  it("signs many by an account, a bad one in its place", async () => {
    const requests = Array.from({ length: 20 }, (_, i) => ({
      bucket: "b",
      object: i === 3 ? ".." : `${i}`,
      expiresIn: 9,
    }));
    const keys: (string | undefined)[] = [];
    for await (const item of gcsFormSigner({ credentials: account, clock }).signMany(requests)) {
      keys.push("error" in item ? undefined : item.fields["key"]);
    }
    expect(keys).toEqual(requests.map(({ object }) => (object === ".." ? undefined : object)));
  });
});
