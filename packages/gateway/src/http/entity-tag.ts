/**
 * Entity tags, RFC 9110 §8.8.3.
 * @module
 */

export interface EntityTag {
  readonly weak: boolean;
  /** Without quotes. */
  readonly opaque: string;
}

const ENTITY_TAG = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/;
// Only one place matches the blanks of an empty member: with two, the regular expression backtracks, and 16 KB of blanks took 0.3 s.
const LIST_MEMBER = /[ \t]*(?:(?:(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"|([^\s",]+))[ \t]*)?(?:,|$)/y;

/** Parses one quoted tag; `undefined` for anything else. */
export function parseEntityTag(text: string): EntityTag | undefined {
  const match = ENTITY_TAG.exec(text);
  return match === null ? undefined : { weak: match[1] !== undefined, opaque: match[2] ?? "" };
}

/**
 * Parses the list of `If-Match` and `If-None-Match`; `undefined` if it is not a list. Accepts tags without quotes, because S3 does and old
 * SDKs send them.
 */
export function parseEntityTagList(text: string): readonly EntityTag[] | undefined {
  const tags: EntityTag[] = [];
  LIST_MEMBER.lastIndex = 0;
  while (LIST_MEMBER.lastIndex < text.length) {
    const match = LIST_MEMBER.exec(text);
    if (match === null) return undefined;
    const opaque = match[2] ?? match[3];
    // RFC 9110 §5.6.1.2: "A recipient MUST parse and ignore a reasonable number of empty list elements".
    if (opaque !== undefined) tags.push({ weak: match[1] !== undefined, opaque });
  }
  return tags.length === 0 ? undefined : tags;
}

/** Strong comparison, RFC 9110 §8.8.3.2: "two entity tags are equivalent if both are not weak and their opaque-tags match". */
export function strongMatch(tags: readonly EntityTag[], etag: string): boolean {
  return tags.some((tag) => !tag.weak && tag.opaque === etag);
}

/** Weak comparison: "equivalent if their opaque-tags match character-by-character, regardless of either … being tagged weak". */
export function weakMatch(tags: readonly EntityTag[], etag: string): boolean {
  return tags.some((tag) => tag.opaque === etag);
}
