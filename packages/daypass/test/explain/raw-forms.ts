import { createHmac } from "node:crypto";
import { credentials } from "./raw-requests.ts";

/** A form's fields with some of them changed; `undefined` leaves one out. */
export function withFields(
  fields: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const entries = Object.entries({ ...fields, ...changes });
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** The parts that a form's signer signs. Each can be wrong. */
export interface RawForm {
  readonly bucket?: string;
  readonly conditions?: readonly unknown[];
  readonly fields?: Readonly<Record<string, string>>;
  readonly expiration?: string;
  readonly secret?: string;
  readonly region?: string;
  readonly keyRegion?: string;
  readonly keyDate?: string;
  readonly keyService?: string;
  /** The policy's text, from the document. */
  readonly write?: (document: unknown) => string;
  /** What is signed, from the base64 that is sent. */
  readonly signs?: (policy: string) => string;
  /** Signs with the secret itself. */
  readonly underived?: boolean;
}

const TIME = "20261124T120000Z";

/** An S3 form in SigV4 by a signer with the given mistakes. */
export function rawForm(options: RawForm = {}): {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
} {
  const { bucket = "media", region = "eu-west-1", expiration = "2026-11-24T12:10:00Z" } = options;
  const { secret = credentials.secretAccessKey, keyRegion = region, keyDate = "20261124", keyService = "s3" } = options;
  const { write = JSON.stringify, signs = (policy) => policy, fields = { key: "up/a.png" } } = options;
  const own = {
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": `${credentials.accessKeyId}/20261124/${region}/s3/aws4_request`,
    "x-amz-date": TIME,
  };
  const named = Object.entries({ ...fields, ...own }).map(([name, value]) => ({ [name]: value }));
  const conditions = options.conditions ?? [{ bucket }, ...named];
  const policy = Buffer.from(write({ expiration, conditions })).toString("base64");
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
  let key = hmac(`AWS4${secret}`, keyDate);
  for (const step of [keyRegion, keyService, "aws4_request"]) key = hmac(key, step);
  const signature = hmac(options.underived === true ? Buffer.from(secret) : key, signs(policy)).toString("hex");
  return {
    url: `https://${bucket}.s3.eu-west-1.amazonaws.com/`,
    fields: { ...fields, ...own, policy, "x-amz-signature": signature },
  };
}
