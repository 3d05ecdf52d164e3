/** The folders of a root: the buckets, the places of a key's file, and whether the file system folds names. */
import { mkdirSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { platform } from "node:process";
import type { ObjectRef, StorageError } from "../contract/storage.ts";
import { errnoOf, translated, unavailable } from "./errors.ts";
import { type SpellingCheck, spellingBelow } from "./objects/case-folding.ts";
import { hashedPath, isBucketName, isStorableKey, LOOSE_BUCKET, OWN_PREFIX, plainPath } from "./objects/key-path.ts";
import { lstatOrAbsent } from "./objects/open-file.ts";
import { looseFilesAreBucket } from "./served-files.ts";

/** The two places of a key. An object lies in one. If both have a file, the plain one is the object. */
export interface Places {
  readonly bucket: string;
  /** The folder that `plain` lies below. */
  readonly base: string;
  /** `undefined` if no path can hold the key. */
  readonly plain: string | undefined;
  readonly hashed: string;
}

export interface Layout {
  /** Without a symbolic link. */
  readonly root: string;
  /** The gateway's own folder. */
  readonly own: string;
  /** Whether the loose files of the root are the bucket `files`. */
  readonly hasLooseFiles: boolean;
  /** Whether the opened folder is still in place. */
  isHere(): boolean;
  /**
   * Called before anything is stored, removed, listed or reported as absent.
   *
   * @throws {StorageError} `UNAVAILABLE` if the root is missing, or another folder has its name, as when its disk is not mounted
   */
  hasBucket(name: string): boolean;
  /** `undefined` if no object can have this name. Reads no disk. */
  places(ref: ObjectRef): Places | undefined;
  /**
   * The folder of the plain files whose keys begin with a prefix and have no further slash: `""` for the bucket's own, else with a
   * slash at its end. `undefined` if no path can be that folder.
   */
  folder(bucket: string, prefix: string): string | undefined;
  /** The folders of many prefixes. `""` for a folder that has another spelling. */
  foldersToRead(bucket: string, prefixes: readonly string[]): readonly string[];
  /**
   * Whether the entry at a path of a bucket has exactly this spelling.
   *
   * @param device the number of the device of the entry: a bucket may be a mount point
   */
  isSpelledSo(base: string, path: string, device: number): boolean;
  /** Checks many paths of a bucket in one step. `undefined` if the file system does not fold names. */
  spellingIn(bucket: string): SpellingCheck | undefined;
}

/** Opens a root. The process that owns the index (`owner`) also makes `.daypass/` in it. */
export function openLayout(path: string, options: { readonly owner: boolean }): Layout {
  if (platform === "win32") throw onWindows();
  const root = resolveRoot(path);
  const own = join(root, OWN_PREFIX);
  if (options.owner) makeOwnFolder(root, own);
  const foldsNames = probeFolding(own);
  const hasLooseFiles = looseFilesAreBucket(root, own, { decides: options.owner });
  const isLoose = (bucket: string): boolean => bucket === LOOSE_BUCKET && hasLooseFiles;
  // The index stays open. Without this check an upload into another folder of this name would be acknowledged and lost.
  const mark = lstatOrAbsent(own)?.ino;
  const rootDevice = statSync(root).dev;
  // The name of a bucket is one of the root's names.
  const spelling = (base: string): SpellingCheck => spellingBelow(foldsNames ? root : base, { folds: foldsNames });
  const baseOf = (bucket: string): string => (isLoose(bucket) ? root : `${root}/${bucket}`);
  const spellingIn = (bucket: string): SpellingCheck | undefined => {
    const base = baseOf(bucket);
    return foldsNames || lstatOrAbsent(base)?.dev !== rootDevice ? spelling(base) : undefined;
  };
  const isHere = (): boolean => lstatOrAbsent(own)?.ino === mark;

  function folder(bucket: string, prefix: string): string | undefined {
    const flat = isLoose(bucket);
    if (!isBucketName(bucket) || (flat && prefix !== "")) return undefined;
    const base = baseOf(bucket);
    return prefix === "" ? base : plainPath(base, prefix.slice(0, -1), { foldsNames, flat });
  }

  return {
    root,
    own,
    hasLooseFiles,
    isHere,
    hasBucket(name) {
      if (!isHere()) throw rootAway(root);
      if (isLoose(name)) return true;
      const isFolder = isBucketName(name) && lstatOrAbsent(join(root, name))?.isDirectory() === true;
      return isFolder && (!foldsNames || spelling(root)(join(root, name)));
    },
    places({ bucket, key }) {
      if (!isBucketName(bucket) || !isStorableKey(key)) return undefined;
      const base = baseOf(bucket);
      let hashed: string | undefined;
      return {
        bucket,
        base,
        plain: plainPath(base, key, { foldsNames, flat: isLoose(bucket) }),
        // Computed on demand, because a hash costs as much as a system call.
        get hashed() {
          hashed ??= hashedPath(root, bucket, key);
          return hashed;
        },
      };
    },
    folder,
    foldersToRead(bucket, prefixes) {
      const isSpelled = spellingIn(bucket);
      return prefixes.map((prefix) => {
        const path = folder(bucket, prefix);
        return path === undefined || isSpelled?.(path) === false ? "" : path;
      });
    },
    // The gateway chooses the names in its own folder.
    isSpelledSo: (base, path, device) => (!foldsNames && device === rootDevice) || base === own || spelling(base)(path),
    spellingIn,
  };
}

/** Windows cannot flush a folder, and the checks of paths and spellings know one separator. */
function onWindows(): StorageError {
  return unavailable(
    "Windows cannot serve a folder. Run the gateway in WSL or a container, or with an S3 server as storage",
  );
}

function resolveRoot(folder: string): string {
  try {
    const root = realpathSync.native(folder);
    if (statSync(root).isDirectory()) return root;
  } catch (error) {
    if (!["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "")) throw translated(error, "open the storage folder");
  }
  throw unavailable(`root is ${folder}, and there is no folder. Create it, or name another`);
}

function rootAway(root: string): StorageError {
  return unavailable(
    `the folder ${root} is gone or was replaced. Put it back (if it is a disk, mount it), or restart to serve the present folder`,
  );
}

function makeOwnFolder(root: string, own: string): void {
  try {
    makeFolder(own, 0o700);
    makeFolder(join(own, "objects"));
    makeFolder(join(own, "uploads"));
    writeFileSync(join(own, PROBE), "");
  } catch (error) {
    if (!["EROFS", "EACCES", "EPERM"].includes(errnoOf(error) ?? "")) {
      throw translated(error, `make the folder ${OWN_PREFIX} for the index`);
    }
    throw unavailable(
      `this user may not write the index below ${own} (${errnoOf(error)}). Grant write permission, or mount a writable folder there to serve the rest of ${root} read-only`,
      error,
    );
  }
}

/** With `recursive`, Node reports a read-only file system as ENOENT. */
function makeFolder(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}

const PROBE = "Probe-\u00e9";

/** Whether the file system finds a file by another case, by decomposed accents, or with a colon at the end (NTFS streams). */
function probeFolding(own: string): boolean {
  if (lstatOrAbsent(join(own, PROBE)) === undefined) {
    throw unavailable("the storage folder was not opened by its first process yet");
  }
  const spellings = [PROBE.toLowerCase(), PROBE.normalize("NFD"), `${PROBE}:`];
  return spellings.some((name) => lstatOrAbsent(join(own, name)) !== undefined);
}
