/** A file takes a name, and a name is given up. */
import { linkSync, renameSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { preconditionFailed } from "../../contract/preconditions.ts";
import type { PutOptions } from "../../contract/storage.ts";
import { errnoOf } from "../errors.ts";
import { lstatOrAbsent } from "./open-file.ts";

/** `link` fails when the name exists, also for a file that somebody else puts there in this moment; `rename` replaces it. */
export function moveTo(path: string, target: string, { ifNoneMatch }: Pick<PutOptions, "ifNoneMatch">): string {
  if (ifNoneMatch === undefined) renameSync(path, target);
  else linkNew(path, target);
  return dirname(target);
}

function linkNew(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") throw preconditionFailed();
    // FAT and some network file systems have no links. The claim still keeps every upload of this gateway out.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "EMLINK"].includes(errnoOf(error) ?? "")) throw error;
    if (lstatOrAbsent(to) !== undefined) throw preconditionFailed();
    renameSync(from, to);
  }
}

/** A file that was moved has its former name again: for the parts of an upload it is the only one. One that was linked has it all the while. */
export function giveBack(target: string, path: string): void {
  try {
    if (lstatOrAbsent(path) === undefined) renameSync(target, path);
  } finally {
    unlinkIfThere(target);
  }
}

/** After a rename the name is gone; after a link, a failure or a lost race it is there. */
export function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ENOTDIR") throw error;
  }
}
