/**
 * The part of the storage contract that lists keys.
 * @module
 */

/** Where a listing continues: after a key, or after every key that begins with a rolled-up prefix. */
export type ListPosition = { readonly key: string } | { readonly prefix: string };

/** Which keys a page shows. */
export interface ListOptions {
  /** The beginning of the listed keys; empty for all. */
  readonly prefix: string;
  /** Keys that contain it after the prefix are rolled up into one entry, which ends with it. */
  readonly delimiter?: string | undefined;
  readonly after?: ListPosition | undefined;
  /** Entries of the page, at least 1. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** An object in a listing. */
export interface ListedObject {
  readonly kind: "object";
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Without quotes. The same as in `head`. */
  readonly etag: string;
  /** The same as in `head`. */
  readonly lastModified: Date;
  /** The same as in `head`. Omitted if there is none, or if the driver would need a request per object. */
  readonly checksums?: Readonly<Record<string, string>> | undefined;
}

/** Keys that share everything up to a delimiter. */
export interface ListedPrefix {
  readonly kind: "prefix";
  readonly prefix: string;
}

/** An object, or keys that share everything up to a delimiter. */
export type ListEntry = ListedObject | ListedPrefix;

/** A page of a listing. The next one begins after its last entry. */
export interface ListPage {
  /** Sorted by their UTF-8 bytes, which differs from the order of JavaScript strings for characters above U+FFFF. */
  readonly entries: readonly ListEntry[];
  /** Whether there are more after the last entry. */
  readonly truncated: boolean;
}

/** The part of {@link Storage} that lists keys. */
export interface Listing {
  /** Reflects everything that was stored, replaced or deleted before the call. @throws {StorageError} `NO_SUCH_BUCKET` */
  list(bucket: string, options: ListOptions): Promise<ListPage>;
}

/** The position after an entry: consecutive pages show every key once. */
export function positionAfter(entry: ListEntry): ListPosition {
  return entry.kind === "object" ? { key: entry.key } : { prefix: entry.prefix };
}

/**
 * The first text, in the order of UTF-8, after every text that begins with this one; `undefined` if none follows. That order is the
 * order of code points.
 */
export function textAfterPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10ffff) continue;
    // No text has a lone surrogate.
    return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return undefined;
}

/** Compares in the order of UTF-8. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    // Surrogates encode the last characters, but are in the middle of the 16-bit units.
    if (left !== right) return shifted(left) - shifted(right);
  }
  return a.length - b.length;
}

function shifted(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit;
}
