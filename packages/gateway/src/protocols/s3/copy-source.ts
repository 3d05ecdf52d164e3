import type { Conditions } from "../../http/conditional.ts";
import type { PermittedObject } from "../../permit.ts";
import { permitObject } from "../../pipeline/authorize.ts";
import type { ObjectRef } from "../../storage/contract/storage.ts";
import { expectNullVersion, invalidArgument } from "./arguments.ts";
import type { S3Call } from "./operation.ts";

export const COPY_SOURCE = "x-amz-copy-source";

/** The `x-amz-*` with which a request says what to copy, besides {@link COPY_SOURCE}. */
export const COPY_SOURCE_FIELDS: readonly string[] = [
  "x-amz-copy-source-if-match",
  "x-amz-copy-source-if-modified-since",
  "x-amz-copy-source-if-none-match",
  "x-amz-copy-source-if-unmodified-since",
];

/**
 * The source of a copy, permitted to the key that signed as a read of its own: who may write somewhere may not for that
 * reason read everything (CVE-2026-54330). It is a name in this storage; nothing is fetched.
 *
 * @throws {DaypassError} `KEY_SCOPE`
 * @throws {Refusal} `INVALID_ARGUMENT`, `NO_SUCH_VERSION`, `KEY_TOO_LONG`
 */
export function readCopySource({ amz, permit }: S3Call): PermittedObject {
  return permitObject(permit, parseCopySource(amz.get(COPY_SOURCE) ?? ""), { method: "GET", action: "s3:GetObject" });
}

/**
 * Reads `bucket/key` or `/bucket/key`, percent-encoded, with `?versionId=…` behind it. The version is cut off while it is still encoded, so
 * that an encoded `?` is one of the key's own; the rest is decoded once and split then, because many clients encode the slash
 * behind the bucket like any other (`encodeURIComponent`). A `+` is a space, as in Amazon's reading: Go's `url.QueryEscape` writes one so.
 */
export function parseCopySource(value: string): ObjectRef {
  // What is signed has one blank for a run of them, and for a tab: a holder could add some, and copy another key than was signed for.
  if (/\t| {2}/.test(value))
    throw invalidArgument(COPY_SOURCE, value, "Blanks of a copy source must be encoded as %20");
  const [, encoded = "", version] = /^([^?]*)(?:\?versionId=([^&]*))?$/.exec(value) ?? [];
  const [, bucket = "", key = ""] = /^\/?([^/]+)\/(.+)$/s.exec(decoded(encoded, value)) ?? [];
  if (key === "") {
    throw invalidArgument(
      COPY_SOURCE,
      value,
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    );
  }
  expectNullVersion(version === undefined ? undefined : decoded(version, value), key);
  return { bucket, key };
}

function decoded(text: string, value: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw invalidArgument(COPY_SOURCE, value, "Invalid copy source encoding");
  }
}

/** The conditions on the source, `undefined` when there are none. */
export function readSourceConditions({ amz }: S3Call): Conditions | undefined {
  if (!COPY_SOURCE_FIELDS.some((name) => amz.has(name))) return undefined;
  return {
    ifMatch: amz.get("x-amz-copy-source-if-match"),
    ifNoneMatch: amz.get("x-amz-copy-source-if-none-match"),
    ifModifiedSince: amz.get("x-amz-copy-source-if-modified-since"),
    ifUnmodifiedSince: amz.get("x-amz-copy-source-if-unmodified-since"),
  };
}
