/** Merkle trees over records, as in RFC 9162, section 2.1, with SHA-256. */
import { hash } from "node:crypto";

/** Bytes of a hash. */
export const HASH_BYTES = 32;

/** The hash of one record. */
export function leafHash(record: string): Buffer {
  // In one call, which takes half the time of a Hash object. U+0000 is one zero byte in UTF-8.
  return hash("sha256", `\0${record}`, "buffer");
}

/** SHA-256 of a head or a key, base64url. */
export function textHash(text: string | Uint8Array): string {
  return hash("sha256", text, "base64url");
}

const node = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return hash("sha256", node, "buffer");
}

/** The levels of a tree, from its leaves to its root. A last node without a neighbour moves up unchanged, which is the tree of RFC 9162. */
function levelsOf(leaves: readonly Buffer[]): readonly (readonly Buffer[])[] {
  const levels = [leaves];
  for (let level = leaves; level.length > 1; levels.push(level)) {
    const above: Buffer[] = [];
    for (let at = 0; at < level.length; at += 2) {
      const [left, right] = [level[at] as Buffer, level[at + 1]];
      above.push(right === undefined ? left : nodeHash(left, right));
    }
    level = above;
  }
  return levels;
}

/** The root over at least one leaf, base64url. */
export function rootOf(leaves: readonly Buffer[]): string {
  return levelsOf(leaves).at(-1)?.[0]?.toString("base64url") ?? "";
}

/** The neighbours that lead from the leaf `index` to the root, base64url, the lowest first; empty if the leaf is the root. */
export function pathOf(leaves: readonly Buffer[], index: number): readonly string[] {
  const path: string[] = [];
  let at = index;
  for (const level of levelsOf(leaves)) {
    const neighbour = level[at ^ 1];
    if (neighbour !== undefined) path.push(neighbour.toString("base64url"));
    at >>= 1;
  }
  return path;
}

/** The root that a path leads to from a leaf; `undefined` if the path has the wrong length. */
export function rootFromPath(
  leaf: Buffer,
  path: readonly string[],
  { index, size }: { readonly index: number; readonly size: number },
): string | undefined {
  const left = [...path];
  let value = leaf;
  for (let at = index, width = size; width > 1; at >>= 1, width = (width + 1) >> 1) {
    if ((at ^ 1) >= width) continue;
    const text = left.shift();
    if (text === undefined) return undefined;
    const neighbour = Buffer.from(text, "base64url");
    value = at % 2 === 0 ? nodeHash(value, neighbour) : nodeHash(neighbour, value);
  }
  return left.length === 0 && index < size ? value.toString("base64url") : undefined;
}
