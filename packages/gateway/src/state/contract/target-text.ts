import type { Link } from "./fields.ts";

const MAX_TEXT = 1000;

/** What a link opens, in records and notifications: `bucket/key`, or of a set `bucket/folder/{a.jpg,notes/}`, cut if it is long. */
export function targetText({ bucket, key, targets }: Pick<Link, "bucket" | "key" | "targets">): string {
  if (targets === undefined) return `${bucket}/${key}`;
  const text = targets.map((target) => target.key.slice(key.length)).join(",");
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… ${targets.length} in all` : text;
  return `${bucket}/${key}{${cut}}`;
}
