/**
 * Where the file of a key lies. Only text: nothing here reads a disk.
 *
 * A key that can be a path below its bucket's folder is that path. Every other key is stored under the hash of its name. So a key
 * never has to be cleaned, and a client cannot choose a path outside of its bucket.
 */
import { createHash } from "node:crypto";

/** The gateway's own folder in the root, and the beginning of every name that the gateway chooses. */
export const OWN_PREFIX = ".daypass";

/** The bucket of the files that lie in the root itself. */
export const LOOSE_BUCKET = "files";

/** NAME_MAX of every file system in use. */
const MAX_NAME_BYTES = 255;
/** Linux' PATH_MAX counts the final NUL. */
const MAX_PATH_BYTES = 4095;

export interface KeyPathOptions {
  /** The file system folds case or Unicode. Most of these have Windows' rules for names. */
  readonly foldsNames: boolean;
  /** Only names without a slash: the bucket of loose files must not reach into the other buckets. */
  readonly flat: boolean;
}

// S3 allows no bucket name with a leading dot, and folders such as `.git` are not meant to be served.
// biome-ignore lint/suspicious/noControlCharactersInRegex: a control character is what it looks for
const BUCKET = /^[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*$/;

/** Whether a folder of this name may be a bucket. `/-/` is the gateway's own path. */
export function isBucketName(name: string): boolean {
  return name !== "-" && BUCKET.test(name) && !hasLoneSurrogate(name) && Buffer.byteLength(name) <= MAX_NAME_BYTES;
}

/** Whether an object can have this key. Lone surrogates have no UTF-8, so two such keys would be one name. A NUL ends text in SQLite. */
export function isStorableKey(key: string): boolean {
  return key !== "" && !key.includes("\0") && !hasLoneSurrogate(key);
}

/** The path of a key below its bucket's folder, or `undefined` if no path can hold it. */
export function plainPath(folder: string, key: string, options: KeyPathOptions): string | undefined {
  const segments = key.split("/");
  if (options.flat && segments.length > 1) return undefined;
  for (const segment of segments) {
    if (!isPlainName(segment) || (options.foldsNames && isReservedWhereNamesFold(segment))) return undefined;
  }
  const path = `${folder}/${key}`;
  return Buffer.byteLength(path) > MAX_PATH_BYTES ? undefined : path;
}

/** The path of a key by the hash of its name. */
export function hashedPath(root: string, bucket: string, key: string): string {
  const digest = createHash("sha256").update(bucket).update("\0").update(key).digest("hex");
  return `${root}/${OWN_PREFIX}/objects/${digest.slice(0, 2)}/${digest.slice(2)}`;
}

/** No empty and no dot segment, no separator of any system, no control character, no name that the gateway chooses. */
function isPlainName(name: string): boolean {
  if (name === "" || name === "." || name === ".." || name.startsWith(OWN_PREFIX)) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a control character is what it looks for
  if (/[\\\x00-\x1f\x7f]/.test(name)) return false;
  return name.length <= MAX_NAME_BYTES && Buffer.byteLength(name) <= MAX_NAME_BYTES;
}

/** Names that FAT, exFAT and NTFS refuse, cut or reserve for a device. */
function isReservedWhereNamesFold(name: string): boolean {
  return /[<>:"|?*]|[. ]$/.test(name) || /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i.test(name);
}

function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

const TEMP_NAME = /^\.daypass-([0-9a-f]+)-[0-9a-f]+\.tmp$/;

/** The name of a file that is being uploaded in this run of the gateway. */
export function tempName(run: string, random: string): string {
  return `${OWN_PREFIX}-${run}-${random}.tmp`;
}

/** The run that a temp file belongs to; `undefined` for any other name. */
export function runOfTemp(name: string): string | undefined {
  return TEMP_NAME.exec(name)?.[1];
}
