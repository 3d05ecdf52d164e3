import type { ReceivedForm, SignedForm } from "../../src/forms/form.ts";
import type { Subject } from "../registry.ts";
import type { Random } from "./seeded.ts";

/** A posted form with a valid signature, and the conditions that it signs. */
export interface FormBase {
  readonly form: ReceivedForm;
  readonly conditions: readonly unknown[];
  readonly proof: string;
}

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the providers' own spelling
const WISHES: readonly { readonly bucket: string; readonly key?: string; readonly [option: string]: unknown }[] = [
  { bucket: "media", key: "a.txt" },
  { bucket: "media", key: "up/${filename}", contentLength: { min: 1, max: 1000 } },
  { bucket: "media", key: "up/${filename}.txt" },
  { bucket: "other", prefix: "users/7/", bind: { contentType: "image/png" } },
  { bucket: "media", key: "é/日本/🚀 +%&=\\$x", fields: { acl: "private", "x-amz-meta-note": 'a, "b"' } },
  {
    bucket: "media",
    key: "free",
    fields: { success_action_status: "201" },
    conditions: [
      ["starts-with", "$Content-Type", "image/"],
      ["starts-with", "$x-amz-meta-tag", ""],
    ],
  },
  {
    bucket: "media",
    key: "sum",
    fields: { "x-amz-checksum-crc32": "AAAAAA==", success_action_redirect: "https://app.example/${filename}" },
  },
];
const FREE = [
  ["Content-Type", "image/png,image/webp"],
  ["x-amz-meta-tag", "anything"],
] as const;
const KEYS = ["a.txt", "up/x", "up/", "up", "users/7/x", "users/8/x", "..", "up/../a.txt", "${filename}", "", "\0"];
const FILE_NAMES = ["a b.png", "C:\\x\\y.png", "../../etc/passwd", "..", ".", "", "a/", "$&", "${filename}", "\u0000"];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: the providers' own spelling

/** Signed forms of an example, with the fields filled in that the holder chooses. */
export async function formBases(subject: Subject): Promise<readonly FormBase[]> {
  const isGoogle = subject.row.id.startsWith("gcs");
  // Cloud Storage has another word for a key, and other fields.
  const inWords = <T>(value: T): T =>
    isGoogle ? JSON.parse(JSON.stringify(value).replaceAll("x-amz-", "x-goog-").replace('"key":', '"object":')) : value;
  return Promise.all(
    WISHES.map(async (wish): Promise<FormBase> => {
      const signed = (await subject.signed({
        [isGoogle ? "object" : "key"]: undefined,
        ...inWords(wish),
      })) as SignedForm;
      const fields = [...Object.entries(signed.fields), ...(wish.key === "free" ? inWords(FREE) : [])];
      const form = { bucket: wish.bucket, fields, fileName: "a b.png" };
      return { form, conditions: documentOf(signed).conditions, proof: proofOf(fields) };
    }),
  );
}

interface Document {
  readonly conditions: readonly unknown[];
  readonly expiration: string;
}

function documentOf({ fields }: Pick<SignedForm, "fields">): Document {
  const policy = fields["Policy"] ?? fields["policy"] ?? "";
  return JSON.parse(Buffer.from(policy, "base64").toString()) as Document;
}

const PROOF =
  /^(?:policy|signature|awsaccesskeyid|x-(?:amz|goog)-(?:algorithm|credential|date|signature|security-token))$/;
const UNNAMED = /^(?:policy|signature|awsaccesskeyid|x-(?:amz|goog)-signature|file|x-ignore-.*)$/s;

/**
 * Judges a form by S3's page: returns the key that it may be stored under, or `undefined` if it must be refused. The proof must equal
 * the proof of a signed form byte for byte. Its conditions are then checked against the other fields.
 */
export function judgeForm(
  { bucket, fields, fileName = "" }: ReceivedForm,
  bases: readonly FormBase[],
): string | undefined {
  const names = fields.map(([name]) => name.toLowerCase());
  if (new Set(names).size !== names.length) return undefined;
  const file = fileName.slice(Math.max(fileName.lastIndexOf("/"), fileName.lastIndexOf("\\")) + 1);
  const values = new Map<string, string>();
  for (const [at, [, value]] of fields.entries()) {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the providers' own spelling
    const parts = value.split("${filename}");
    if (parts.length > 1 && (file === "." || file === "..")) return undefined;
    const text = parts.join(file);
    // No form in UTF-8 can have carried half of a surrogate pair.
    if (Buffer.from(text).toString() !== text) return undefined;
    values.set(names[at] as string, text);
  }
  const proof = proofOf(fields);
  const base = bases.find((candidate) => candidate.proof === proof);
  if (base === undefined || (values.get("bucket") ?? bucket) !== bucket) return undefined;
  const open = new Set(names.filter((name) => !UNNAMED.test(name) && name !== "bucket"));
  for (const condition of base.conditions) {
    const [operator, name, wanted] = Array.isArray(condition)
      ? (condition as [string, string, string])
      : ["eq", `$${Object.keys(condition as object)[0]}`, Object.values(condition as object)[0] as string];
    if (operator === "content-length-range") continue;
    const field = name.slice(1).toLowerCase();
    const value = field === "bucket" ? bucket : values.get(field);
    if (value === undefined) return undefined;
    const items = operator === "starts-with" && field === "content-type" ? value.split(",") : [value];
    if (!items.every((item) => (operator === "eq" ? item === wanted : item.slice(0, wanted.length) === wanted)))
      return undefined;
    open.delete(field);
  }
  const key = values.get("key");
  const isWhole = base.conditions.some(
    (condition) => !Array.isArray(condition) && Object.hasOwn(condition as object, "key"),
  );
  // Daypass is stricter than S3 here: what only begins with `up/` may not climb out of it.
  if (!isWhole && key?.split(/[/\\]/).some((segment) => segment === "." || segment === "..")) return undefined;
  return open.size === 0 && key !== "" ? key : undefined;
}

function proofOf(fields: ReceivedForm["fields"]): string {
  const proof = fields
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => PROOF.test(name));
  return JSON.stringify(proof.sort(([a], [b]) => (a < b ? -1 : 1)));
}

type Fields = ReceivedForm["fields"];
type Change = (form: ReceivedForm, random: Random, others: readonly FormBase[]) => ReceivedForm;
const edit = (form: ReceivedForm, change: (fields: Fields) => Fields): ReceivedForm => ({
  ...form,
  fields: change(form.fields),
});
const spot = (text: string, random: Random, byte: string): string => {
  const at = random.below(text.length + 1);
  return text.slice(0, at) + byte + text.slice(at + random.below(2));
};

const EXTRA: Fields = [
  ["x-goog-meta-tag", "more"],
  ["X-Goog-Algorithm", "none"],
  ["acl", "public-read"],
  ["bucket", "media"],
  ["bucket", "other"],
  ["x-ignore-submit", "Upload"],
  ["x-amz-copy-source", "/media/secret"],
  ["x-amz-meta-tag", "more"],
  ["success_action_redirect", "https://evil.example/"],
  ["Content-Type", "text/html"],
  ["X-Amz-Security-Token", "other"],
  ["X-Amz-Algorithm", "none"],
  ["AWSAccessKeyId", "AKIDEXAMPLE"],
  ["signature", "AAAA"],
  ["__proto__", "1"],
  ["", ""],
];
const BYTES = ["\0", "\n", "\r\n", " ", "=", "%", "é", "\ud800", "a", "/", "\\", "$"];

const CHANGES: Readonly<Record<string, Change>> = {
  "change a value": (form, random) =>
    edit(form, (fields) => {
      const at = random.below(fields.length);
      const [name, value] = fields[at] as Fields[number];
      const one = random.pick([spot(value, random, random.pick(BYTES)), "", value.toUpperCase(), `${value},text/html`]);
      return fields.with(at, [name, one]);
    }),
  "change a name": (form, random) =>
    edit(form, (fields) => {
      const at = random.below(fields.length);
      const [name, value] = fields[at] as Fields[number];
      return fields.with(at, [random.pick([name.toUpperCase(), name.toLowerCase(), spot(name, random, "x")]), value]);
    }),
  "drop a field": (form, random) => edit(form, (fields) => fields.toSpliced(random.below(fields.length), 1)),
  "add a field": (form, random) =>
    edit(form, (fields) => fields.toSpliced(random.below(fields.length + 1), 0, random.pick(EXTRA))),
  "repeat a field": (form, random) => edit(form, (fields) => [...fields, random.pick(fields)]),
  "take from another form": (form, random, others) =>
    edit(form, (fields) => {
      const at = random.below(fields.length);
      const [name] = fields[at] as Fields[number];
      const there = random.pick(others).form.fields.find(([other]) => other === name);
      return there === undefined ? fields : fields.with(at, there);
    }),
  "swap values": (form, random) =>
    edit(form, (fields) => {
      const [i, j] = [random.below(fields.length), random.below(fields.length)];
      const [a, b] = [fields[i] as Fields[number], fields[j] as Fields[number]];
      return fields.with(i, [a[0], b[1]]).with(j, [b[0], a[1]]);
    }),
  "another order": (form, random) =>
    edit(form, (fields) => {
      const at = random.below(fields.length);
      return [...fields.slice(at), ...fields.slice(0, at)];
    }),
  "another key": (form, random) =>
    edit(form, (fields) => fields.map(([name, value]) => [name, name === "key" ? random.pick(KEYS) : value])),
  "another policy": (form, random) =>
    edit(form, (fields) =>
      fields.map(([name, value]) => [name, name.toLowerCase() === "policy" ? respell(value, random) : value]),
    ),
  "another file": (form, random) => ({ ...form, fileName: random.pick(FILE_NAMES) }),
  // Half of the time with a field that says the old one (CVE-2023-43040).
  "another bucket": (form, random) => ({
    ...edit(form, (fields) => (random.chance(0.5) ? fields : [...fields, ["bucket", form.bucket]])),
    bucket: random.pick(["media", "other", "", "Media"]),
  }),
};

const formChanges: readonly string[] = Object.keys(CHANGES);

/** The policy with fewer conditions or a later end, or the same one in other bytes. */
function respell(policy: string, random: Random): string {
  let document: Document;
  try {
    document = documentOf({ fields: { policy } });
  } catch {
    return `${policy}=`;
  }
  const encode = (text: string): string => Buffer.from(text).toString("base64");
  const { conditions, expiration } = document;
  return random.pick([
    encode(JSON.stringify({ conditions: conditions.toSpliced(random.below(conditions.length), 1), expiration })),
    encode(JSON.stringify({ conditions, expiration: "2099-01-01T00:00:00Z" })),
    encode(JSON.stringify({ expiration, conditions })),
    encode(JSON.stringify({ conditions: [], expiration })),
    encode(`${JSON.stringify(document)} `),
    policy.replace(/=+$/, ""),
    policy.replaceAll("+", "-").replaceAll("/", "_"),
    `${policy.slice(0, 76)}\n${policy.slice(76)}`,
    `${policy}=`,
  ]);
}

/** A changed copy of a form, and the names of its changes: one or several. */
export function changeForm(
  form: ReceivedForm,
  random: Random,
  others: readonly FormBase[],
): { readonly form: ReceivedForm; readonly change: string } {
  const names: string[] = [];
  let changed = form;
  do {
    const name = random.pick(formChanges);
    names.push(name);
    changed = (CHANGES[name] as Change)(changed, random, others);
  } while (random.chance(0.25) && changed.fields.length > 0);
  return { form: changed, change: names.join(", then ") };
}
