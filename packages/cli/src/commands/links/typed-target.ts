/** Targets of links as people type them: a path of this machine, or a name as a gateway calls it. */
import { accessSync, constants, existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { hiddenPart, nearestName } from "@daypass/gateway";
import { linkState } from "../../admin/admin-options.ts";
import { CommandError, type Context, UsageError } from "../../command.ts";
import { lastServed, runningStates, servingOf } from "../../state-folder/link-files.ts";
import { STATE_FOLDER } from "../../state-folder/state-folder.ts";

type Environment = Context["env"];

/** The targets of one link, and their gateway. */
export interface Place {
  /** The folder that the gateway serves; `undefined` if it serves a bucket. */
  readonly root: string | undefined;
  readonly state: string;
  /** Each `bucket/key`, `bucket/prefix/`, or whatever only the gateway can judge. */
  readonly targets: readonly string[];
}

interface PlacedTarget extends Omit<Place, "targets"> {
  readonly target: string;
}

/** Reads targets for the gateway of `--state`, or of the nearest state above their paths. */
export function typedTargets(texts: readonly string[], option: string | undefined, env: Environment): Place {
  const [first, ...others] = texts.map((text) => typedTarget(text, option, env));
  if (first === undefined) throw new UsageError("links create needs a target");
  const other = others.find(({ state }) => state !== first.state);
  if (other !== undefined)
    throw new CommandError(`${first.target} and ${other.target} are on two gateways. Use one link for each.`);
  return { root: first.root, state: first.state, targets: [first, ...others].map(({ target }) => target) };
}

function typedTarget(text: string, option: string | undefined, env: Environment): PlacedTarget {
  const real = realPathOf(text);
  const isNamed = option !== undefined || Boolean(env["DAYPASS_STATE"]);
  const state = (isNamed ? undefined : stateFor(real ?? resolve(text), env)) ?? linkState(option, env);
  return placeIn(state, text, real);
}

/** Paths of this machine, and the gateway that serves them or will do so. */
export interface SharedPlace extends Place {
  readonly root: string;
  /** Whether the link is for one folder. */
  readonly isFolder: boolean;
}

/** Where `share` serves paths, or names of the gateway that serves or served above this folder. */
export function sharedPlace(texts: readonly string[], env: Environment): SharedPlace {
  const paths: string[] = [];
  for (const text of texts) {
    const found = sharedPath(text, env);
    if (typeof found === "string") paths.push(found);
    else if (texts.length === 1) return found;
    else throw missing(text);
  }
  return placeOf(paths);
}

/** The path of a file or a folder. A place if only its gateway, which runs, can refuse the name. */
function sharedPath(text: string, env: Environment): string | SharedPlace {
  const real = realPathOf(text);
  if (real !== undefined) return real;
  const state = stateFor(resolve(text), env);
  const { root, target = "" } = state === undefined ? { root: undefined } : placeIn(state, text, undefined);
  if (state === undefined || root === undefined) throw missing(text);
  const isLoose = target.startsWith("files/") && !folderNames(root).includes("files");
  const stored = realPathOf(join(root, isLoose ? target.slice("files/".length) : target));
  if (stored !== undefined && inside(root, stored) !== undefined) return stored;
  // A gateway that runs refuses with the nearest name.
  if (servingOf(state) !== undefined) return { root, state, targets: [target], isFolder: false };
  throw missing(text);
}

/** The running gateway that serves a path, else the nearest state above, else the only running gateway. */
function stateFor(path: string, env: Environment): string | undefined {
  const above = stateAbove(path);
  if (above !== undefined && servingOf(above) !== undefined) return above;
  const running = runningStates(env);
  const serving = running.find((state) => inside(rootOf(state) ?? "", path) !== undefined);
  return serving ?? above ?? (running.length === 1 ? running[0] : undefined);
}

function stateAbove(path: string): string | undefined {
  for (let folder = path; ; folder = dirname(folder)) {
    if (existsSync(join(folder, STATE_FOLDER))) return join(folder, STATE_FOLDER);
    if (folder === dirname(folder)) return undefined;
  }
}

function placeIn(state: string, text: string, real: string | undefined): PlacedTarget {
  const root = rootOf(state);
  const asTyped = { root, state, target: text.replace(/^s3:\/\//, "") };
  if (root === undefined || /^(?:route:|s3:\/\/|https?:\/\/)/.test(text)) return asTyped;
  const isPath = isAbsolute(text) || /^\.{1,2}(?:[/\\]|$)/.test(text);
  const isBelow = inside(root, real ?? resolve(text)) !== undefined;
  if (real === undefined) {
    // The gateway knows whether an absolute path is on a route.
    if (isPath && (isBelow || !isAbsolute(text))) throw missing(text);
    return asTyped;
  }
  if (!isBelow) {
    if (isPath)
      throw new CommandError(`${text} is not below ${root}, which the gateway serves. Choose another --state.`);
    return asTyped;
  }
  const named = isPath ? undefined : realPathOf(join(root, text));
  if (named !== undefined && named !== real)
    throw new UsageError(`${text} is a path from here, and a name in ${root}. Write ./${text} or s3://${text}`);
  return { root, state, target: targetIn(root, real, isDirectory(real)) };
}

/** The folder that the gateway of a state serves, or served. */
function rootOf(state: string): string | undefined {
  const { root, servesFolder } = servingOf(state) ??
    lastServed(state) ?? { root: dirname(resolve(state)), servesFolder: true };
  // The gateway may have been started on a symbolic link.
  return servesFolder ? (realPathOf(root) ?? root) : undefined;
}

/** The path from a root, if it leads no higher. */
function inside(root: string, path: string): string | undefined {
  const way = relative(root, path);
  return root === "" || isAbsolute(way) || /^\.\.(?:[/\\]|$)/.test(way) ? undefined : way;
}

/** The path without symbolic links, because the gateway follows none below its root; `undefined` if there is no such file or folder. */
function realPathOf(text: string): string | undefined {
  try {
    return realpathSync(text);
  } catch {
    return undefined;
  }
}

function missing(text: string): CommandError {
  const path = resolve(text);
  const name = basename(path);
  const folder = dirname(text.replace(/[/\\]+$/, ""));
  if (!existsSync(dirname(path))) return dirname(path) === path ? new CommandError(text) : missing(folder);
  const names = readdirSync(dirname(path)).filter((one) => hiddenPart(one) === undefined);
  const near = nearestName(name, names.slice(0, 10_000));
  const advice = near === undefined ? "Check the path." : `Did you mean ${near}?`;
  return new CommandError(`there is no ${name} in ${folder === "." ? "this folder" : folder}. ${advice}`);
}

/** Where paths are served: by the gateway that runs above them, or by a new one. */
function placeOf(paths: readonly string[]): SharedPlace {
  const [first = "", ...others] = paths;
  const isFolder = others.length === 0 && isDirectory(first);
  const top = isFolder ? first : folderOf(paths);
  for (let folder = top; ; folder = dirname(folder)) {
    const serving = servingOf(join(folder, STATE_FOLDER));
    if (serving !== undefined) {
      // The gateway may have been started on a symbolic link.
      const root = realpathSync(serving.root);
      const outside = paths.find((path) => inside(root, path) === undefined);
      if (outside !== undefined)
        throw new CommandError(
          `a gateway serves ${root} with the state of ${folder}, and ${outside} is outside. Stop it, or share a path below.`,
        );
      return { root, state: join(folder, STATE_FOLDER), targets: targetsIn(root, paths), isFolder };
    }
    if (folder === dirname(folder)) break;
  }
  // Loose files are a bucket, but not together with a folder beside them.
  const isLoose = paths.every((path) => dirname(path) === top && !isDirectory(path));
  const root = isLoose ? ownRoot(first, false) : ownRoot(top, true);
  return { root, state: join(root, STATE_FOLDER), targets: targetsIn(root, paths), isFolder };
}

/** The deepest folder that contains all paths. */
function folderOf([first = "", ...others]: readonly string[]): string {
  let folder = dirname(first);
  for (const path of others) while (inside(folder, dirname(path)) === undefined) folder = dirname(folder);
  return folder;
}

/** The targets of one link, which is for one bucket. */
function targetsIn(root: string, paths: readonly string[]): readonly string[] {
  const targets = paths.map((path) => targetIn(root, path, isDirectory(path)));
  const [first = "", ...others] = targets;
  const bucketOf = (target: string): string => target.split("/", 1).join();
  const other = others.find((target) => bucketOf(target) !== bucketOf(first));
  if (other === undefined) return targets;
  throw new CommandError(
    `a gateway on ${root} serves ${first} and ${other} in two buckets, and a link is for one. Share them by two links, or move them into one folder.`,
  );
}

/** The folder above, because a gateway serves each folder of its root as a bucket, with all folders in it. */
function ownRoot(path: string, isFolder: boolean): string {
  const parent = dirname(path);
  if (isFolder) return canHold(parent, path) ? parent : path;
  // A folder `files` takes the place of the bucket for loose files.
  return folderNames(parent).includes("files") && canHold(dirname(parent), parent) ? dirname(parent) : parent;
}

/** Whether a gateway on the root can serve the folder in it: its state is in the root, and names with a leading dot are not served. */
function canHold(root: string, folder: string): boolean {
  if (root === dirname(root) || /^\.|^-$/.test(basename(folder))) return false;
  try {
    accessSync(root, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** A folder directly below the root is a bucket; everything loose is in the bucket `files`. */
function targetIn(root: string, path: string, isFolder: boolean): string {
  const inside = relative(root, path).split(sep).join("/");
  const isLoose = inside === "" || (!inside.includes("/") && !isFolder);
  const [hidden] = isLoose ? folderNames(root).filter((name) => inside === "" || name === "files") : [];
  if (hidden !== undefined)
    throw new CommandError(
      inside === ""
        ? `a gateway on ${root} serves each folder in it as a separate bucket. Share one of them: ${join(root, hidden)}`
        : `a gateway on ${root} does not serve ${path}, because the folder ${hidden} takes the place of loose files. Rename that folder.`,
    );
  return `${isLoose ? "files/" : ""}${inside}${isFolder && inside !== "" ? "/" : ""}`;
}

/** The folders that a gateway on the root serves as buckets. */
function folderNames(root: string): readonly string[] {
  const entries = readdirSync(root, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map(({ name }) => name);
}

function isDirectory(path: string): boolean {
  return statSync(path).isDirectory();
}
