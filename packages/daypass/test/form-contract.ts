import { describe, expect, it } from "vitest";
import type { FormGrant, FormVerifier, ReceivedForm, SignedForm } from "../src/forms/form.ts";
import { expectRefusal } from "./wire-request.ts";

/** What a scheme of signed forms hands to the suite that all of them share. */
export interface FormContract {
  /** Identifier of the scheme, as its grants carry it. */
  readonly scheme: string;
  /** Signs one form for this bucket and key, good for `expiresIn` seconds from `at`, with a limit of 1 to 1000 bytes. */
  sign(request: {
    readonly at: Date;
    readonly expiresIn: number;
    readonly bucket: string;
    readonly key: string;
    readonly fields: Readonly<Record<string, string>>;
  }): SignedForm | Promise<SignedForm>;
  verifier(options: {
    readonly now: Date;
    readonly key: "right" | "foreign" | "unknown";
    readonly enforces?: readonly ["body-length"] | undefined;
  }): FormVerifier;
  /** Every field of the signature without which a form must be refused, as the signer spells it. */
  readonly required: readonly string[];
  readonly signatureField: string;
  /** `policy` unless the signer spells it otherwise. */
  readonly policyField?: string | undefined;
  /** The grant's key, in whatever word the provider has for it. */
  keyOf(grant: FormGrant): string;
}

const AT = new Date("2026-01-02T03:04:05Z");
const LIFE = 900;
const FIELDS = { acl: "private", "Content-Type": "image/png" };
const seconds = (count: number): Date => new Date(AT.getTime() + count * 1000);

/** Runs the suite. A new scheme makes one call. */
export function testForms(contract: FormContract): void {
  const { policyField = "policy" } = contract;
  type Fields = readonly (readonly [string, string])[];
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the providers' own spelling
  const KEY = "up/${filename}";
  const signed = async (key = KEY): Promise<SignedForm> =>
    contract.sign({ at: AT, expiresIn: LIFE, bucket: "media", key, fields: FIELDS });
  const form = async (change: (fields: Fields) => Fields = (fields) => fields): Promise<ReceivedForm> => ({
    bucket: "media",
    fields: change(Object.entries((await signed()).fields)),
    fileName: "a b.png",
  });
  const verify = async (
    received: ReceivedForm | Promise<ReceivedForm>,
    now = AT,
    key: "right" | "foreign" | "unknown" = "right",
  ): Promise<FormGrant> => contract.verifier({ now, key, enforces: ["body-length"] }).verify(await received);
  const set =
    (name: string, value: string) =>
    (fields: Fields): Fields => {
      expect(fields.map(([field]) => field)).toContain(name);
      return fields.map(([field, old]) => [field, field === name ? value : old]);
    };

  describe(`form contract: ${contract.scheme}`, () => {
    it("verifies what it signed, with the same id on both sides", async () => {
      const link = await signed();
      const grant = await verify(form());
      expect(grant.id).toBe(link.id);
      expect(JSON.parse(JSON.stringify(link)).id).toBe(link.id);
      // What goes to a browser is what `SignedForm` says.
      const members = ["bound", "expiresAt", "fields", "id", "method", "unbound", "url", "warnings"];
      expect(Object.keys(JSON.parse(JSON.stringify(link))).sort()).toEqual(members);
      expect(grant).toMatchObject({
        scheme: contract.scheme,
        methods: ["POST"],
        bucket: "media",
        target: "/media/up/a%20b.png",
        expiresAt: seconds(LIFE),
        obligations: [{ kind: "body-length", min: 1, max: 1000 }],
      });
      expect(contract.keyOf(grant)).toBe("up/a b.png");
      expect(grant.fields).toEqual({ acl: "private", "content-type": "image/png" });
      expect(link.expiresAt).toEqual(seconds(LIFE));
      expect(link.method).toBe("POST");
    });

    it("is detected by its own verifier, and a plain form is not", async () => {
      const verifier = contract.verifier({ now: AT, key: "right" });
      expect(verifier.detects((await form()).fields)).toBe(true);
      const plain = [["key", "a"] as const, ["acl", "private"] as const];
      expect(verifier.detects(plain)).toBe(false);
      await expectRefusal(verify({ bucket: "media", fields: plain }), "NO_SIGNATURE");
    });

    it("is valid in its last second and not at the instant it ends, nor by a broken clock", async () => {
      await expect(verify(form(), seconds(LIFE - 1))).resolves.toBeDefined();
      await expectRefusal(verify(form(), seconds(LIFE)), "EXPIRED");
      await expectRefusal(verify(form(), new Date(Number.NaN)), "EXPIRED");
    });

    it("tells a foreign secret from an unknown key", async () => {
      await expectRefusal(verify(form(), AT, "foreign"), "SIGNATURE_MISMATCH");
      await expectRefusal(verify(form(), AT, "unknown"), "UNKNOWN_KEY");
    });

    it("is refused by a caller that does not limit the length", async () => {
      await expectRefusal(contract.verifier({ now: AT, key: "right" }).verify(await form()), "UNENFORCED_CONSTRAINT");
    });

    it("holds a body to its length", async () => {
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

    it("is for the bucket that it was signed for, whatever a field says (CVE-2023-43040)", async () => {
      await expectRefusal(verify({ ...(await form()), bucket: "other" }), "POLICY_NOT_MET");
      for (const bucket of ["media", "other"]) {
        const withField = await form((fields) => [...fields, ["bucket", bucket]]);
        await expectRefusal(verify({ ...withField, bucket: "other" }), "POLICY_NOT_MET");
      }
      await expectRefusal(verify(form((fields) => [...fields, ["bucket", "other"]])), "POLICY_NOT_MET");
      await expect(verify(form((fields) => [...fields, ["bucket", "media"]]))).resolves.toBeDefined();
    });

    it.each([...contract.required, "key", policyField])("refuses a form without %s", async (name) => {
      const without = form((fields) => fields.filter(([field]) => field !== name));
      expect((await without).fields.length).toBe((await form()).fields.length - 1);
      await expectRefusal(verify(without));
      await expectRefusal(verify(form(set(name, ""))));
    });

    it.each([...contract.required, "key", policyField, "acl"])(
      "refuses a form with %s twice, in any case",
      async (name) => {
        const [, value] = (await form()).fields.find(([field]) => field === name) ?? ["", ""];
        for (const again of [name, name.toLowerCase(), name.toUpperCase()]) {
          await expectRefusal(verify(form((fields) => [...fields, [again, value]])), "MALFORMED");
        }
      },
    );

    it("does not look at the case of names, and does at that of values", async () => {
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

    it("refuses another key, and takes the file's name from its last slash or backslash on", async () => {
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
        expect(contract.keyOf(await verify({ ...base, fileName }))).toBe(key);
      }
      for (const fileName of ["..", ".", "a/..", "x\\."])
        await expectRefusal(verify({ ...base, fileName }), "MALFORMED");
      const { fileName: _, ...without } = base;
      expect(contract.keyOf(await verify(without))).toBe("up/");
    });

    it("never gives a grant when a byte of the policy or the signature changes", async () => {
      const original = await signed();
      // One for all changes: to sign, and to read a key, would take longer than they do.
      const verifier = contract.verifier({ now: AT, key: "right", enforces: ["body-length"] });
      const unchanged = Object.entries(original.fields);
      const verified = (fields: readonly (readonly [string, string])[]) =>
        verifier.verify({ bucket: "media", fields, fileName: "a b.png" });
      const refuses = (name: string, value: string): Promise<void> =>
        expectRefusal(verified(set(name, value)(unchanged)));
      await expect(verified(unchanged)).resolves.toBeDefined();
      for (const name of [policyField, contract.signatureField]) {
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

    it("lets a field of one form into no other", async () => {
      const other = await contract.sign({
        at: AT,
        expiresIn: LIFE,
        bucket: "media",
        key: "other/x",
        fields: { acl: "public-read" },
      });
      for (const name of [policyField, contract.signatureField, "key", "acl"]) {
        await expectRefusal(verify(form(set(name, other.fields[name] as string))));
      }
    });

    it("signs a key as data", async () => {
      for (const key of ["a b+c&d=e.txt", "ü€𝄞/\"'\\", "100%", "x//y", "/lead", "$key", "\\$foo.txt"]) {
        const { fields } = await signed(key);
        expect(contract.keyOf(await verify({ bucket: "media", fields: Object.entries(fields) }))).toBe(key);
      }
    });
  });
}

async function* chunks(size: number): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0; left -= 300) yield new Uint8Array(Math.min(left, 300));
}
