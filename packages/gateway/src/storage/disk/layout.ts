/** The folders of a root: which are buckets, where a key's bytes can lie, and how the file system treats names. */
import { accessSync, constants, mkdirSync, readdirSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { platform } from "node:process";
import { type ObjectRef, StorageError } from "../contract/storage.ts";
import { errnoOf, translated } from "./errors.ts";
import { looseBucket } from "./loose-bucket.ts";
import { bucketsOnOwnDisks } from "./mount-points.ts";
import { type SpellingCheck, spellingBelow } from "./objects/case-folding.ts";
import { hashedPath, isBucketName, isStorableKey, LOOSE_BUCKET, OWN_PREFIX, plainPath } from "./objects/key-path.ts";
import { lstatOrAbsent } from "./objects/open-file.ts";

/** The two places of a key. An object lies in one; where both have a file, the plain one is the object. */
export interface Places {
  readonly bucket: string;
  /** The folder that `plain` lies below. */
  readonly base: string;
  /** `undefined` when no path can hold the key. */
  readonly plain: string | undefined;
  readonly hashed: string;
}

export interface Layout {
  /** With no symbolic link in it. */
  readonly root: string;
  /** The gateway's own folder. Where nothing can be written it may not be there. */
  readonly own: string;
  /** Whether nothing can be written. */
  readonly readOnly: boolean;
  /** Whether the folder that was opened is still there, and not another in its place. */
  isHere(): boolean;
  /**
   * Asked before anything is stored, removed or listed, and before anything is said to be absent.
   *
   * @throws {StorageError} `UNAVAILABLE` where another folder has taken the root's or the bucket's place, as a mount point does when its disk is
   * away
   */
  hasBucket(name: string): boolean;
  /** `undefined` when no object can have this name. Touches no disk. */
  places(ref: ObjectRef): Places | undefined;
  /**
   * Before a file takes a place in a bucket, or where one has: an upload among the loose files stays in their bucket, also when somebody makes
   * a folder of its name and starts again.
   */
  settle(bucket: string): Promise<void>;
  /**
   * The folder of the plain files whose keys begin with a prefix and have no further slash: `""` for the bucket's own, else with a
   * slash at its end. `undefined` when no path can be that folder.
   */
  folder(bucket: string, prefix: string): string | undefined;
  /** The folders of many prefixes that are to be read, `""` for those that are not there in this very spelling. */
  foldersToRead(bucket: string, prefixes: readonly string[]): readonly string[];
  /** Whether what has this name in such a folder can be a key's file or folder. */
  isPlain(folder: string, name: string): boolean;
  /**
   * Whether the entry at a path of a bucket has this very spelling; always true where names that differ are different files.
   *
   * @param device the number of the device on which the entry lies: a bucket can have one of its own
   */
  isSpelledSo(base: string, path: string, device: number): boolean;
  /** Tells the same of many paths of a bucket in one step; `undefined` where names that differ are different files. */
  spellingIn(bucket: string): SpellingCheck | undefined;
}

/** Opens a root. The one process that owns its index (`owner`) also makes the gateway's folder in it. */
export function openLayout(path: string, options: { readonly owner: boolean }): Layout {
  if (platform === "win32") throw onWindows();
  const root = resolveRoot(path);
  const own = join(root, OWN_PREFIX);
  const readOnly = options.owner ? !makeOwnFolder(own) : !canWrite(root, own);
  const foldsNames = readOnly ? probeByNames(root) : probeFolding(own);
  const loose = looseBucket(root, own, { decides: options.owner && !readOnly });
  const isLoose = (bucket: string): boolean => bucket === LOOSE_BUCKET && loose.exists;
  // The index is open and stays it, so without this what is stored in another folder would be acknowledged, and gone when the root is back.
  const mark = lstatOrAbsent(own)?.ino;
  const isHere = (): boolean => mark === undefined || lstatOrAbsent(own)?.ino === mark;
  const ownDisks = bucketsOnOwnDisks({ root, rootDevice: () => statSync(root).dev });
  const rootDevice = statSync(root).dev;
  // The name of a bucket is one of the root's names.
  const spelling = (base: string): SpellingCheck => spellingBelow(foldsNames ? root : base, { folds: foldsNames });
  const baseOf = (bucket: string): string => (isLoose(bucket) ? root : `${root}/${bucket}`);
  const spellingIn = (bucket: string): SpellingCheck | undefined =>
    foldsNames || ownDisks.has(bucket) ? spelling(baseOf(bucket)) : undefined;

  function folder(bucket: string, prefix: string): string | undefined {
    const flat = isLoose(bucket);
    if (!isBucketName(bucket) || (flat && prefix !== "")) return undefined;
    const base = baseOf(bucket);
    return prefix === "" ? base : plainPath(base, prefix.slice(0, -1), { foldsNames, flat });
  }

  return {
    root,
    own,
    readOnly,
    isHere,
    hasBucket(name) {
      if (!isHere()) throw rootAway(root);
      if (isLoose(name)) return true;
      const stats = isBucketName(name) ? lstatOrAbsent(join(root, name)) : undefined;
      if (stats?.isDirectory() !== true || (foldsNames && !spelling(root)(join(root, name)))) return false;
      ownDisks.expectMounted(name, stats);
      return true;
    },
    places({ bucket, key }) {
      if (!isBucketName(bucket) || !isStorableKey(key)) return undefined;
      const flat = isLoose(bucket);
      const base = flat ? root : `${root}/${bucket}`;
      let hashed: string | undefined;
      return {
        bucket,
        base,
        plain: plainPath(base, key, { foldsNames, flat }),
        // Only a miss asks for it, and a hash costs as much as a system call.
        get hashed() {
          hashed ??= hashedPath(root, bucket, key);
          return hashed;
        },
      };
    },
    async settle(bucket) {
      if (isLoose(bucket)) await loose.keep();
    },
    folder,
    foldersToRead(bucket, prefixes) {
      const isSpelled = spellingIn(bucket);
      return prefixes.map((prefix) => {
        const path = folder(bucket, prefix);
        return path === undefined || isSpelled?.(path) === false ? "" : path;
      });
    },
    isPlain: (folder, name) => plainPath(folder, name, { foldsNames, flat: true }) !== undefined,
    // What is the gateway's own has names that it makes.
    isSpelledSo: (base, path, device) => (!foldsNames && device === rootDevice) || base === own || spelling(base)(path),
    spellingIn,
  };
}

/** A folder cannot be flushed there, and the checks of where a file lies and how it is spelled know one separator. */
function onWindows(): StorageError {
  return new StorageError(
    "UNAVAILABLE",
    "expected Linux or macOS for a folder as storage, found Windows: run the gateway in WSL or a container, or with an S3 server as storage",
  );
}

function resolveRoot(folder: string): string {
  try {
    const root = realpathSync.native(folder);
    if (statSync(root).isDirectory()) return root;
  } catch (error) {
    if (!NO_FOLDER.has(errnoOf(error) ?? "")) throw translated(error, "open the storage folder");
  }
  throw new StorageError(
    "UNAVAILABLE",
    `expected a folder to serve at ${folder}, found none: create it, or name another as \`root\``,
  );
}

const NO_FOLDER = new Set(["ENOENT", "ENOTDIR"]);

function rootAway(root: string): StorageError {
  return new StorageError(
    "UNAVAILABLE",
    `expected the folder that was opened at ${root}, found none or another: put it back (if it is a disk, mount it), or restart to serve what is there`,
  );
}

const NOT_WRITABLE = new Set(["EROFS", "EACCES", "EPERM"]);

/** False where nothing may be written. */
function makeOwnFolder(own: string): boolean {
  try {
    makeFolder(own, 0o700);
    makeFolder(join(own, "objects"));
    makeFolder(join(own, "uploads"));
    writeFileSync(join(own, PROBE), "");
    return true;
  } catch (error) {
    if (NOT_WRITABLE.has(errnoOf(error) ?? "")) return false;
    throw translated(error, `make the folder ${OWN_PREFIX} for the index`);
  }
}

/** Not by `recursive`, which calls a file system that cannot be written ENOENT. */
function makeFolder(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}

function canWrite(root: string, own: string): boolean {
  try {
    accessSync(lstatOrAbsent(own) === undefined ? root : own, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const PROBE = "Probe-\u00e9";

/** Whether a name with another case, with its accents written apart, or with a colon behind it (NTFS' streams) finds the same file. */
function probeFolding(own: string): boolean {
  if (lstatOrAbsent(join(own, PROBE)) === undefined) {
    throw new StorageError("UNAVAILABLE", "the storage folder was not opened by its first process yet");
  }
  return [PROBE.toLowerCase(), PROBE.normalize("NFD"), `${PROBE}:`].some(
    (name) => lstatOrAbsent(join(own, name)) !== undefined,
  );
}

/**
 * The same by a name that is there already. Only Linux has file systems that tell names apart by their bytes alone; where no name tells, each
 * path is spelled out.
 */
function probeByNames(root: string): boolean {
  if (platform !== "linux") return true;
  const names = new Set(readdirSync(root));
  for (const name of names) {
    const other = name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase();
    const others = [other, `${name}:`];
    if (other !== name && !others.some((one) => names.has(one)))
      return others.some((one) => lstatOrAbsent(join(root, one)) !== undefined);
  }
  return true;
}
