import { lookup } from "mrmime";

/** What S3 calls bytes of which nothing is known. */
const UNKNOWN = "binary/octet-stream";

/** The type of a file by its extension. Text is taken for UTF-8, as nothing else has been written for long. */
export function contentTypeOf(key: string): string {
  const name = key.slice(key.lastIndexOf("/") + 1);
  // mrmime would take the whole of a name without a dot for an extension.
  const type = name.includes(".") ? lookup(name) : undefined;
  if (type === undefined) return UNKNOWN;
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}
