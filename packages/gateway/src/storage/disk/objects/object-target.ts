/** Where an upload goes: the place of its file, found by looking at what lies there now. */
import { dirname } from "node:path";
import type { Layout, Places } from "../layout.ts";
import { lstatOrAbsent } from "./open-file.ts";

/** Where the object is; else its path, if that is free; else under its hash. */
export function targetOf(layout: Layout, { base, plain, hashed }: Places): string {
  if (plain === undefined) return hashed;
  const way = wayTo(base, plain);
  if (way === undefined || isTooDeep(base, plain)) return hashed;
  const there = lstatOrAbsent(plain);
  if (there !== undefined) return there.isFile() && layout.isSpelledSo(base, plain, there.dev) ? plain : hashed;
  return lstatOrAbsent(hashed) === undefined && layout.isSpelledSo(base, way.path, way.device) ? plain : hashed;
}

/**
 * Folders in each other that are made for a key. One of 1024 bytes could have five hundred: each a flush, and a place of the file system that
 * stays, and a listing of the bucket takes the square of their number.
 */
const MAX_DEPTH = 64;

/** What lies in a folder that is there already lies beside the others. */
function isTooDeep(base: string, path: string): boolean {
  const depth = path.slice(base.length + 1).split("/").length - 1;
  return depth > MAX_DEPTH && lstatOrAbsent(dirname(path)) === undefined;
}

/** The last folder on the way to a path that is there; `undefined` where something else is in the way. */
function wayTo(base: string, path: string): { readonly path: string; readonly device: number } | undefined {
  let way = { path: base, device: lstatOrAbsent(base)?.dev ?? NaN };
  for (let end = path.indexOf("/", base.length + 1); end !== -1; end = path.indexOf("/", end + 1)) {
    const folder = path.slice(0, end);
    const stats = lstatOrAbsent(folder);
    if (stats === undefined) return way;
    if (!stats.isDirectory()) return undefined;
    way = { path: folder, device: stats.dev };
  }
  return way;
}
