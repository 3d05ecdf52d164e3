import { spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { fileURLToPath } from "node:url";
import { S3Client } from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { FILE_NAME, type FormWish, type WishedCondition } from "../random/forms.ts";
import { PYTHON } from "./boto3.ts";

/** What any client gives back. */
export interface Form {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** The official client. It reads the clock of the process, which the caller sets. */
export async function awsSdkForm(wish: FormWish): Promise<Form> {
  const client = new S3Client({
    region: wish.region,
    endpoint: wish.endpoint,
    forcePathStyle: wish.addressing === "path",
    credentials: { ...wish.credentials },
  });
  return createPresignedPost(client, {
    Bucket: wish.bucket,
    Key: wish.key,
    Fields: { ...wish.fields },
    // Its type knows no tuples that are read-only.
    Conditions: wish.conditions as never[],
    Expires: wish.expiresIn,
  });
}

/** Signs all of them in one process. */
export function boto3Forms(wishes: readonly FormWish[], version: "v2" | "v4"): readonly Form[] {
  const lines = wishes.map((wish) => JSON.stringify({ ...wish, conditions: boto3Conditions(wish), version }));
  const { stdout, stderr, status } = spawnSync(
    PYTHON,
    [fileURLToPath(new URL("../clients/post.py", import.meta.url))],
    {
      input: lines.join("\n"),
      encoding: "utf8",
      env: { PATH: "/usr/bin:/bin", AWS_EC2_METADATA_DISABLED: "true", PYTHONIOENCODING: "utf8" },
      maxBuffer: 2 ** 28,
    },
  );
  if (status !== 0) throw new Error(`boto3 failed: ${stderr.slice(-2000)}`);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Form);
}

function boto3Conditions({ fields, conditions }: FormWish): readonly WishedCondition[] {
  return [...conditions, ...Object.entries(fields).map(([name, value]) => fieldCondition(name, value))];
}

/** What binds a field to its value: as far as the file's own name, if it contains the name. */
export function fieldCondition(name: string, value: string): WishedCondition {
  const at = value.indexOf(FILE_NAME);
  return at < 0 ? { [name]: value } : ["starts-with", `$${name}`, value.slice(0, at)];
}

/** The policy of a form in one spelling: its end, and its conditions as a set. */
export function policyOf({ fields }: Form): { readonly expiration: string; readonly conditions: readonly string[] } {
  const encoded = fields["policy"] ?? fields["Policy"] ?? "";
  const { expiration, conditions, ...others } = JSON.parse(Buffer.from(encoded, "base64").toString()) as {
    readonly expiration: string;
    readonly conditions: readonly WishedCondition[];
  };
  if (Object.keys(others).length > 0) throw new Error(`more in a policy than is known: ${Object.keys(others)}`);
  return { expiration, conditions: [...new Set(conditions.map(spelling))].sort() };
}

/** `{"acl":"private"}` and `["eq","$Acl","private"]` are one condition: fields have no case. */
export function spelling(condition: WishedCondition): string {
  if (!Array.isArray(condition)) {
    const [[name, value] = ["", ""]] = Object.entries(condition as Readonly<Record<string, string>>);
    return JSON.stringify(["eq", `$${name.toLowerCase()}`, value]);
  }
  const [operator, field, value] = condition;
  return JSON.stringify([operator, typeof field === "string" ? field.toLowerCase() : field, value]);
}

/** Fields by lower-case name, without the policy and its signature, which are compared on their own. */
export function otherFields({ fields }: Form): Readonly<Record<string, string>> {
  const named = Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(named.filter(([name]) => !/^(?:policy|signature|x-amz-signature)$/.test(name)));
}

/** The signature that belongs to a form's policy, from AWS's pages and from nothing of ours. */
export function formSignature({ fields }: Form, { credentials, region }: FormWish, version: "v2" | "v4"): string {
  const policy = fields["policy"] ?? fields["Policy"] ?? "";
  if (version === "v2") return createHmac("sha1", credentials.secretAccessKey).update(policy).digest("base64");
  const date = (fields["x-amz-date"] ?? fields["X-Amz-Date"] ?? "").slice(0, 8);
  let key = Buffer.from(`AWS4${credentials.secretAccessKey}`);
  for (const step of [date, region, "s3", "aws4_request"]) key = createHmac("sha256", key).update(step).digest();
  return createHmac("sha256", key).update(policy).digest("hex");
}

export function signatureOf({ fields }: Form): string {
  return fields["x-amz-signature"] ?? fields["X-Amz-Signature"] ?? fields["signature"] ?? "";
}
