/** Targets of links as people type them: a path of this machine, or a name as a gateway calls it. */
import { accessSync, constants, existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { hiddenPart, nearestName } from "@daypass/gateway";
import { linkState } from "../../admin/admin-options.ts";
import { CommandError, type Context, UsageError } from "../../command.ts";
import { lastServed, runningStates, servingOf } from "../../state-folder/link-files.ts";
import { STATE_FOLDER } from "../../state-folder/state-folder.ts";

type Environment = Context["env"];

/** A target, and the gateway of the target. */
export interface Place {
  /** The folder that the gateway serves; `undefined` if it serves a bucket. */
  readonly root: string | undefined;
  readonly state: string;
  /** `bucket/key`, `bucket/prefix/`, or whatever only the gateway can judge. */
  readonly target: string;
}

/** Reads a target for the gateway of `--state`, or of the nearest state above its path. */
export function typedTarget(text: string, option: string | undefined, env: Environment): Place {
  const real = realPathOf(text);
  const isNamed = option !== undefined || Boolean(env["DAYPASS_STATE"]);
  const state = (isNamed ? undefined : stateFor(real ?? resolve(text), env)) ?? linkState(option, env);
  return placeIn(state, text, real);
}

/** A path of this machine, and the gateway that serves it or will do so. */
export interface SharedPlace extends Place {
  readonly root: string;
  readonly isFolder: boolean;
}

/** Where `share` serves a path, or a name of the gateway that serves or served above this folder. */
export function sharedPlace(text: string, env: Environment): SharedPlace {
  const real = realPathOf(text);
  if (real !== undefined) return placeOf(real);
  const state = stateFor(resolve(text), env);
  const { root, target = "" } = state === undefined ? { root: undefined } : placeIn(state, text, undefined);
  if (state === undefined || root === undefined) throw missing(text);
  const isLoose = target.startsWith("files/") && !folderNames(root).includes("files");
  const stored = realPathOf(join(root, isLoose ? target.slice("files/".length) : target));
  if (stored !== undefined && inside(root, stored) !== undefined) return placeOf(stored);
  // A gateway that runs refuses with the nearest name.
  if (servingOf(state) !== undefined) return { root, state, target, isFolder: false };
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

function placeIn(state: string, text: string, real: string | undefined): Place {
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

/** Where a path is served: by the gateway that runs above it, or by a new one. */
function placeOf(path: string): SharedPlace {
  const isFolder = isDirectory(path);
  for (let folder = isFolder ? path : dirname(path); ; folder = dirname(folder)) {
    const serving = servingOf(join(folder, STATE_FOLDER));
    if (serving !== undefined) {
      // The gateway may have been started on a symbolic link.
      const root = realpathSync(serving.root);
      if (relative(root, path).startsWith(".."))
        throw new CommandError(
          `a gateway serves ${root} with the state of ${folder}, and ${path} is outside. Stop it, or share a path below.`,
        );
      return { root, state: join(folder, STATE_FOLDER), target: targetIn(root, path, isFolder), isFolder };
    }
    if (folder === dirname(folder)) break;
  }
  const root = ownRoot(path, isFolder);
  return { root, state: join(root, STATE_FOLDER), target: targetIn(root, path, isFolder), isFolder };
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
