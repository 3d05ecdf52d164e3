/** The form of a link's page. */
import type { WireRequest } from "daypass";
import { Refusal } from "../../pipeline/refusal.ts";

/** The fields of the form. */
export interface LinkForm {
  readonly claim?: string | undefined;
  readonly password?: string | undefined;
  readonly proof?: string | undefined;
}

/** A claim key, a proof and a password of 256 bytes, percent-encoded. */
const MAX_FORM = 2048;

/** Reads a form of `application/x-www-form-urlencoded`. @throws {Refusal} `DOCUMENT_TOO_LARGE`, `INVALID_ARGUMENT` */
export async function readLinkForm({ headers }: WireRequest, body: AsyncIterable<Uint8Array>): Promise<LinkForm> {
  const type = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  if (!/^application\/x-www-form-urlencoded(?:;|$)/i.test(type)) {
    throw new Refusal("INVALID_ARGUMENT", "a link takes the form of its page only", { header: "content-type" });
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_FORM) {
      throw new Refusal("DOCUMENT_TOO_LARGE", `the form has more than ${MAX_FORM} bytes`, { limit: MAX_FORM });
    }
    chunks.push(chunk);
  }
  const fields = new URLSearchParams(Buffer.concat(chunks).toString());
  const field = (name: string): string | undefined => fields.get(name) ?? undefined;
  return { claim: field("claim"), password: field("password"), proof: field("proof") };
}
