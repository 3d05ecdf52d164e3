import type { StoredScope } from "./key-record.ts";

/** A scope for a person. */
export function scopeText(scope: StoredScope): string {
  const parts = Object.entries(scope).map(
    ([name, value]) => `${name}=${Array.isArray(value) ? value.join(",") : value}`,
  );
  return parts.length === 0 ? "everything" : parts.join(" ");
}
