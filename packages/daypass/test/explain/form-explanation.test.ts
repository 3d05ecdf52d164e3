import { explainForm } from "daypass/explain";
import { describe, expect, it } from "vitest";
import { rawForm, withFields } from "./raw-forms.ts";
import {
  clock,
  form,
  keys,
  list,
  mismatch,
  request,
  s3,
  sent,
  signedAt,
  temporary,
  withToken,
} from "./signed-forms.ts";

describe("explainForm", () => {
  it("returns kind, grant, bound and open parts, and the end", async () => {
    const found = await explainForm(form, { clock });
    expect(found).toMatchObject({
      scheme: "s3/form",
      signedBy: "AKIDEXAMPLE",
      grants: { methods: ["POST"], resource: "objects whose key starts with up/ in bucket media" },
      signedAt,
      endsAt: new Date("2026-11-24T12:10:00Z"),
      leavesOpen: expect.arrayContaining(["the file", 'field key behind its start "up/"']),
      mustSend: expect.arrayContaining([
        { name: "acl", value: "private" },
        { name: "content-type", value: "image/png" },
      ]),
    });
    expect(found.binds).toEqual(expect.arrayContaining(["bucket", "length of the file", "field acl", "end"]));
    expect(found.summary).toMatch(/^An S3 upload form .* signed by AKIDEXAMPLE for eu-west-1, valid until 2026-11-24/);
  });

  it("returns each condition in words, and whether the form meets it", async () => {
    const { conditions } = await explainForm(form, {
      clock,
      sent: { fileSize: 5, fields: withFields(form.fields, { acl: "x" }) },
    });
    const told = conditions?.map(({ condition, says, met }) => [condition, says, met]);
    expect(told).toEqual(
      expect.arrayContaining([
        ['["content-length-range",10,1000]', "the file has from 10 to 1000 bytes", false],
        ['["eq", "$acl", "private"]', 'the field acl is exactly "private"', false],
        ['["eq", "$bucket", "media"]', 'the bucket is exactly "media"', true],
        ['["starts-with", "$key", "up/"]', 'the field key starts with "up/"', true],
      ]),
    );
    const unknown = await explainForm(form, { clock });
    expect(unknown.conditions?.find(({ says }) => says.startsWith("the file"))?.met).toBeUndefined();
  });

  it.each([
    ["open-length", {}],
    ["any-key", { conditions: [["starts-with", "$key", ""]] }],
    ["loose-prefix", { conditions: [["starts-with", "$key", "up"]] }],
    ["open-content-type", { conditions: [["starts-with", "$Content-Type", ""]] }],
    ["open-redirect", { conditions: [["starts-with", "$success_action_redirect", ""]] }],
    ["open-acl", { conditions: [["starts-with", "$acl", ""]] }],
    ["too-long-life", { expiration: "2027-11-24T12:10:00Z" }],
    ["expired", { expiration: "2026-11-24T12:04:00Z" }],
  ])("returns the trap %s", async (name, options) => {
    const { traps } = await explainForm(rawForm(options), { clock });
    expect(traps.map((trap) => trap.name)).toContain(name);
  });

  it("returns no trap if everything is bound", async () => {
    const bound = s3.sign({ ...request, key: "up/a.png" });
    expect((await explainForm(bound, { clock })).traps).toEqual([]);
  });

  it("returns the rules that a page needs to post the form", async () => {
    const { browser } = await explainForm(form, { clock, origin: "https://app.example" });
    expect(browser?.contentSecurityPolicy).toBe(
      "connect-src https://media.s3.eu-west-1.amazonaws.com; form-action https://media.s3.eu-west-1.amazonaws.com",
    );
    expect(browser?.cors).toMatchObject({
      CORSRules: [{ AllowedOrigins: ["https://app.example"], AllowedMethods: ["POST"] }],
    });
  });

  it("hides signature and session token unless reveal is set, and secrets always", async () => {
    const given = { clock, keys: [temporary], ...sent({ acl: "public-read" }, withToken) };
    const hidden = JSON.stringify(await explainForm(withToken, given));
    for (const secret of [withToken.fields["X-Amz-Signature"], temporary.sessionToken, temporary.secretAccessKey]) {
      expect(hidden).not.toContain(secret);
    }
    const shown = JSON.stringify(await explainForm(withToken, { ...given, reveal: true }));
    expect(shown).toContain(temporary.sessionToken);
    expect(shown).not.toContain(temporary.secretAccessKey);
  });

  it("rejects a form without a signature", async () => {
    await expect(explainForm({ url: "https://media.s3.amazonaws.com/", fields: { key: "a" } })).rejects.toMatchObject({
      code: "NO_SIGNATURE",
    });
    await expect(explainForm({ url: "media", fields: form.fields })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  it("returns a cause for every damaged field", async () => {
    const deep = Buffer.from(`{"conditions":${"[".repeat(7000)}${"]".repeat(7000)}}`).toString("base64");
    for (const [name, value] of list) {
      for (const damaged of [
        "",
        value.slice(1),
        `${value}\0`,
        value.repeat(50),
        "\ud800",
        "[]",
        "bnVsbA==",
        "W10=",
        deep,
      ]) {
        const fields = withFields(form.fields, { [name]: damaged });
        // A search with the key for each would take half a minute.
        const given = /^(?:policy|x-amz-signature)$/i.test(name) && damaged.length < 2000 ? keys : [];
        const found = await explainForm({ url: form.url, fields }, { clock, keys: given, errorBody: mismatch() });
        expect(found.cause, `${name}=${damaged}`).toBeDefined();
      }
    }
  });
});
