import { describe, expect, it } from "vitest";
import type { FormGrant, FormVerifier, ReceivedForm, SignedForm } from "../src/forms/form.ts";
import { AT, LIFE, subjects } from "./registry.ts";
import { expectRefusal } from "./wire-request.ts";

const FIELDS = { acl: "private", "Content-Type": "image/png" };
const seconds = (count: number): Date => new Date(AT.getTime() + count * 1000);
const PROOF = /^(?:signature|awsaccesskeyid|x-(?:amz|goog)-(?:algorithm|credential|date|signature|security-token))$/i;

type Fields = readonly (readonly [string, string])[];

describe.each(subjects.filter(({ isForm }) => isForm))("the form of $name", async (subject) => {
  const { example, row } = subject;
  const { right, wrong } = example.keys;
  // Cloud Storage has another word for a key.
  const word = row.id.startsWith("gcs") ? "object" : "key";
  const keyOf = (grant: FormGrant): string => (grant as unknown as Record<string, string>)[word] as string;
  const verifier = (now: Date, keys: unknown, enforces: readonly "body-length"[] = []): FormVerifier =>
    example.verifier(keys as never, { origins: [], clock: () => now, enforces }) as unknown as FormVerifier;
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the providers' own spelling
  const KEY = "up/${filename}";
  const signed = (key = KEY, fields: object = FIELDS): Promise<SignedForm> =>
    subject.signed({ [word]: key, contentLength: { min: 1, max: 1000 }, fields }) as Promise<SignedForm>;
  const names = Object.keys((await signed()).fields);
  const required = names.filter((name) => PROOF.test(name));
  const signatureField = names.find((name) => example.signature.test(name)) as string;
  const policyField = names.find((name) => /^policy$/i.test(name)) as string;
  const form = async (change: (fields: Fields) => Fields = (fields) => fields): Promise<ReceivedForm> => ({
    bucket: "media",
    fields: change(Object.entries((await signed()).fields)),
    fileName: "a b.png",
  });
  const verify = async (
    received: ReceivedForm | Promise<ReceivedForm>,
    now = AT,
    keys: unknown = right,
  ): Promise<FormGrant> => verifier(now, keys, ["body-length"]).verify(await received);
  const set =
    (name: string, value: string) =>
    (fields: Fields): Fields => {
      expect(fields.map(([field]) => field)).toContain(name);
      return fields.map(([field, old]) => [field, field === name ? value : old]);
    };

  it("is verified with the signer's id", async () => {
    const link = await signed();
    const grant = await verify(form());
    expect(grant.id).toBe(link.id);
    expect(JSON.parse(JSON.stringify(link)).id).toBe(link.id);
    const members = ["bound", "expiresAt", "fields", "id", "method", "unbound", "url", "warnings"];
    expect(Object.keys(JSON.parse(JSON.stringify(link))).sort()).toEqual(members);
    expect(grant).toMatchObject({
      scheme: row.id,
      methods: ["POST"],
      bucket: "media",
      target: "/media/up/a%20b.png",
      expiresAt: seconds(LIFE),
      obligations: [{ kind: "body-length", min: 1, max: 1000 }],
    });
    expect(keyOf(grant)).toBe("up/a b.png");
    expect(grant.fields).toEqual({ acl: "private", "content-type": "image/png" });
    expect(link.expiresAt).toEqual(seconds(LIFE));
    expect(link.method).toBe("POST");
  });

  it("is detected by its verifier, and a plain form is not", async () => {
    const asked = verifier(AT, right);
    expect(asked.detects((await form()).fields)).toBe(true);
    const plain = [["key", "a"] as const, ["acl", "private"] as const];
    expect(asked.detects(plain)).toBe(false);
    await expectRefusal(verify({ bucket: "media", fields: plain }), "NO_SIGNATURE");
  });

  it("is accepted in its last second, and refused at the end and with a broken clock", async () => {
    await expect(verify(form(), seconds(LIFE - 1))).resolves.toBeDefined();
    await expectRefusal(verify(form(), seconds(LIFE)), "EXPIRED");
    await expectRefusal(verify(form(), new Date(Number.NaN)), "EXPIRED");
  });

  it("is refused for a wrong secret and for an unknown key, with different codes", async () => {
    await expectRefusal(verify(form(), AT, wrong), "SIGNATURE_MISMATCH");
    await expectRefusal(
      verify(form(), AT, () => []),
      "UNKNOWN_KEY",
    );
  });

  it("is refused if the caller does not enforce the length", async () => {
    await expectRefusal(verifier(AT, right).verify(await form()), "UNENFORCED_CONSTRAINT");
  });

  it("limits the length of the body", async () => {
    const grant = await verify(form());
    const take = async (size: number): Promise<number> => {
      let taken = 0;
      for await (const chunk of grant.limitBody(chunks(size))) taken += chunk.length;
      return taken;
    };
    expect([await take(1), await take(1000)]).toEqual([1, 1000]);
    await expectRefusal(take(0), "BODY_LENGTH");
    await expectRefusal(take(1001), "BODY_LENGTH");
  });

  it("is refused for another bucket, also if a field names it (CVE-2023-43040)", async () => {
    await expectRefusal(verify({ ...(await form()), bucket: "other" }), "POLICY_NOT_MET");
    for (const bucket of ["media", "other"]) {
      const withField = await form((fields) => [...fields, ["bucket", bucket]]);
      await expectRefusal(verify({ ...withField, bucket: "other" }), "POLICY_NOT_MET");
    }
    await expectRefusal(verify(form((fields) => [...fields, ["bucket", "other"]])), "POLICY_NOT_MET");
    await expect(verify(form((fields) => [...fields, ["bucket", "media"]]))).resolves.toBeDefined();
  });

  it.each([...required, "key", policyField])("refuses a form without %s", async (name) => {
    const without = form((fields) => fields.filter(([field]) => field !== name));
    expect((await without).fields.length).toBe((await form()).fields.length - 1);
    await expectRefusal(verify(without));
    await expectRefusal(verify(form(set(name, ""))));
  });

  it.each([...required, "key", policyField, "acl"])("refuses a form with %s twice, in any case", async (name) => {
    const [, value] = (await form()).fields.find(([field]) => field === name) ?? ["", ""];
    for (const again of [name, name.toLowerCase(), name.toUpperCase()]) {
      await expectRefusal(verify(form((fields) => [...fields, [again, value]])), "MALFORMED");
    }
  });

  it("compares names without case, and values with it", async () => {
    const upper = form((fields) => fields.map(([name, value]) => [name.toUpperCase(), value]));
    expect((await verify(upper)).id).toBe((await signed()).id);
    await expectRefusal(verify(form(set("acl", "Private"))), "POLICY_NOT_MET");
  });

  it("refuses a field that no condition names, but for x-ignore-*", async () => {
    for (const name of [
      "x-amz-meta-a",
      "x-goog-meta-a",
      "cache-control",
      "success_action_redirect",
      "submit",
      "__proto__",
    ]) {
      await expectRefusal(verify(form((fields) => [...fields, [name, "1"]])), "POLICY_NOT_MET");
    }
    const ignored = await verify(form((fields) => [...fields, ["x-ignore-submit", "Upload"]]));
    expect(ignored.fields).not.toHaveProperty("x-ignore-submit");
  });

  it("refuses another key, and reads a file's name after its last slash or backslash", async () => {
    await expectRefusal(verify(form(set("key", "other/a"))), "POLICY_NOT_MET");
    await expectRefusal(verify(form(set("key", "up/\ud800"))), "MALFORMED");
    await expectRefusal(verify({ ...(await form()), fileName: "\udfff.png" }), "MALFORMED");
    const base = await form();
    for (const [fileName, key] of [
      ["C:\\Program Files\\x\\file1.txt", "up/file1.txt"],
      ["../../etc/passwd", "up/passwd"],
      ["a/../..\\b", "up/b"],
      ["$&$1", "up/$&$1"],
      ["", "up/"],
      ["dir/", "up/"],
    ] as const) {
      expect(keyOf(await verify({ ...base, fileName }))).toBe(key);
    }
    for (const fileName of ["..", ".", "a/..", "x\\."]) await expectRefusal(verify({ ...base, fileName }), "MALFORMED");
    const { fileName: _, ...without } = base;
    expect(keyOf(await verify(without))).toBe("up/");
  });

  it("is refused when a byte of the policy or the signature changes", async () => {
    const original = await signed();
    // One verifier for all changes: reading a key takes longer than they do.
    const asked = verifier(AT, right, ["body-length"]);
    const unchanged = Object.entries(original.fields);
    const verified = (fields: readonly (readonly [string, string])[]) =>
      asked.verify({ bucket: "media", fields, fileName: "a b.png" });
    const refuses = (name: string, value: string): Promise<void> =>
      expectRefusal(verified(set(name, value)(unchanged)));
    await expect(verified(unchanged)).resolves.toBeDefined();
    for (const name of [policyField, signatureField]) {
      const value = original.fields[name] as string;
      for (let i = 0; i < value.length; i++) {
        const byte = String.fromCharCode(value.charCodeAt(i) ^ 1);
        const changed = value.slice(0, i) + byte + value.slice(i + 1);
        await refuses(name, changed);
      }
      for (const other of [
        `${value}=`,
        `${value} `,
        ` ${value}`,
        `${value}\n`,
        `${value}\0`,
        value.slice(1),
        value.repeat(50_000),
      ]) {
        await refuses(name, other);
      }
    }
  });

  it("refuses a field of another form", async () => {
    const other = await signed("other/x", { acl: "public-read" });
    for (const name of [policyField, signatureField, "key", "acl"]) {
      await expectRefusal(verify(form(set(name, other.fields[name] as string))));
    }
  });

  it("signs a key as data", async () => {
    for (const key of ["a b+c&d=e.txt", "ü€𝄞/\"'\\", "100%", "x//y", "/lead", "$key", "\\$foo.txt"]) {
      const { fields } = await signed(key);
      expect(keyOf(await verify({ bucket: "media", fields: Object.entries(fields) }))).toBe(key);
    }
  });
});

async function* chunks(size: number): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0; left -= 300) yield new Uint8Array(Math.min(left, 300));
}
