import { invalidInput } from "../../../core/errors.ts";
import { base64, fromBase64, utf8 } from "../../../wire/encoding.ts";
import type { Operation } from "./operation.ts";
import type { CommandInput, SdkConfig } from "./sdk.ts";

const KEYS = ["SSECustomerKey", "CopySourceSSECustomerKey"] as const;

/** Whether an input is sent as it is: nearly all are. */
export function isComplete({ name }: Operation, input: CommandInput): boolean {
  // By name: a list of names costs as much as a tenth of a hash.
  return name !== "CreateBucket" && !input["SSECustomerKey"] && !input["CopySourceSSECustomerKey"];
}

/**
 * What the SDK adds to an input. SSE-C: a key is sent in base64 together with its MD5; 32 bytes in base64 are taken for such,
 * any other text for the key itself. And a bucket is created in the client's region unless it is told another.
 */
export async function completeInput(
  { name }: Operation,
  input: CommandInput,
  { md5, region }: { readonly md5: SdkConfig["md5"] | undefined; readonly region: unknown },
): Promise<CommandInput> {
  const completed: Record<string, unknown> = { ...input };
  for (const member of KEYS) {
    const value = completed[member];
    if (!value) continue;
    const key = keyBytes(value);
    if (key === undefined || md5 === undefined)
      throw invalidInput(member, "text or bytes, and the client's md5", typeof value);
    const digest = new md5();
    digest.update(key);
    completed[member] = base64(key);
    completed[`${member}MD5`] = base64(await digest.digest());
  }
  if (name === "CreateBucket") {
    const told = (completed["CreateBucketConfiguration"] ?? {}) as Readonly<Record<string, unknown>>;
    if (region !== "us-east-1" && !told["LocationConstraint"] && !told["Location"]) {
      completed["CreateBucketConfiguration"] = { ...told, LocationConstraint: region };
    }
  }
  return completed;
}

function keyBytes(value: unknown): Uint8Array | undefined {
  if (typeof value === "string") {
    const decoded = fromBase64(value);
    return decoded?.length === 32 ? decoded : utf8(value);
  }
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : undefined;
}
