import { lookup } from "mrmime";

/** S3's type for unknown bytes. */
const UNKNOWN = "binary/octet-stream";

/** Returns the type of a file by its extension. Text is declared as UTF-8. */
export function contentTypeOf(key: string): string {
  const name = key.slice(key.lastIndexOf("/") + 1);
  // mrmime reads a name without a dot as an extension.
  const type = name.includes(".") ? lookup(name) : undefined;
  if (type === undefined) return UNKNOWN;
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}
