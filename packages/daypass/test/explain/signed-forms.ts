import { gcsFormSigner, gcsHmacFormSigner } from "daypass/gcs/form";
import { s3FormSigner } from "daypass/s3/form";
import { s3FormV2Signer } from "daypass/s3/form/v2";
import { rsaPem } from "../rsa-pair.ts";
import { withFields } from "./raw-forms.ts";
import { credentials, errorXml } from "./raw-requests.ts";

// Upload forms of every scheme, signed at one time with one request, and what may become of them.

export const signedAt = new Date("2026-11-24T12:00:00Z");
export const clock = () => new Date("2026-11-24T12:05:00Z");
export const at = { clock: () => signedAt };
export const keys = [credentials];
export const request = {
  bucket: "media",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the providers' own spelling
  key: "up/${filename}",
  contentLength: { min: 10, max: 1000 },
  bind: { contentType: "image/png" },
  fields: { acl: "private" },
  expiresIn: 600,
};
export const s3 = s3FormSigner({ region: "eu-west-1", credentials, ...at });
export const form = s3.sign(request);
export const temporary = { ...credentials, accessKeyId: "ASIAEXAMPLE", sessionToken: "FwoGZXIvYXdzE/ABC+def/ghi==" };
export const withToken = s3FormSigner({ region: "eu-west-1", credentials: temporary, ...at }).sign(request);
export const signV2 = s3FormV2Signer({ region: "us-east-1", credentials, ...at }).sign;
export const v2 = signV2(request);
/** One whose signature has a plus in it. */
export const v2WithPlus = Array.from({ length: 100 }, (_item, i) => signV2({ ...request, key: `up/${i}` })).find(
  ({ fields }) => fields["signature"]?.includes("+"),
) as typeof v2;
export const hmacKey = { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ" };
const { key: _, ...rest } = request;

export { rest };
export const object = "up/a.png";
export const gcs = gcsHmacFormSigner({ credentials: hmacKey, ...at }).sign({ ...rest, object });
export const account = { client_email: "app@project.iam.gserviceaccount.com", private_key: rsaPem.privateKey };
export const rsa = await gcsFormSigner({ credentials: account, ...at }).sign({ ...rest, object });

export const sent = (changes: Readonly<Record<string, string | undefined>>, from: typeof form = form) => ({
  sent: { fields: withFields(from.fields, changes) },
});
export const policyOf = (fields: Readonly<Record<string, string>>): string =>
  fields["Policy"] ?? fields["policy"] ?? "";
export const policy = policyOf(form.fields);
export const inLines = (text: string, size = 76): string => text.replace(new RegExp(`.{${size}}`, "g"), "$&\n");
export const python = (value: unknown): string =>
  JSON.stringify(value, undefined, 1)
    .replace(/\n */g, " ")
    .replace(/([[{]) /g, "$1")
    .replace(/ ([\]}])/g, "$1");
export const recoded = (change: (document: { expiration: string; conditions: unknown[] }) => unknown): string =>
  Buffer.from(JSON.stringify(change(JSON.parse(Buffer.from(policy, "base64").toString())))).toString("base64");
export const denied = (message: string) => errorXml("AccessDenied", `Invalid according to Policy: ${message}`);
export const list = Object.entries(form.fields);
export const mismatch = (fields: Readonly<Record<string, string>> = {}) =>
  errorXml("SignatureDoesNotMatch", "The request signature we calculated does not match", fields);
