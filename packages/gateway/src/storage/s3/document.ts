import { createHash } from "node:crypto";

/** A document as the body of a call, with the digest that S3 wants of some. */
export function document(text: string): { readonly body: Buffer; readonly headers: Readonly<Record<string, string>> } {
  const body = Buffer.from(text);
  const md5 = createHash("md5").update(body).digest("base64");
  return { body, headers: { "content-type": "application/xml", "content-md5": md5 } };
}
