/** What a gateway on this machine would do with a URL that is about to be signed for it. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { CommandError, type Context } from "../../command.ts";
import { hasLinks, type Serving, servingOf, stateOfOrigin } from "../../state-folder/link-files.ts";
import { stateFolder } from "../../state-folder/state-folder.ts";
import type { SignOptions } from "./options.ts";

/** A running gateway that a target is for. */
export interface Served {
  readonly state: string;
  readonly serving: Serving;
  /** Whether no option named the state. */
  readonly isFound: boolean;
}

/**
 * Finds the gateway of a target by its origin. Keys that were chosen by an option come first, and so does `DAYPASS_KEY`, which serves no other
 * purpose. The `AWS_…` variables do not: they are often set for another server.
 */
export function servedTarget(
  target: string | undefined,
  { state, endpoint, profile, key }: SignOptions,
  { DAYPASS_KEY, DAYPASS_KEY_FILE, ...env }: Context["env"],
): Served | undefined {
  const isUrl = target !== undefined && /^https?:/i.test(target);
  if (!isUrl && target?.startsWith("s3:") === false) return undefined;
  if (state !== undefined) {
    const folder = stateFolder(state, env);
    const serving = servingOf(folder);
    return serving && { state: folder, serving, isFound: false };
  }
  if (profile !== undefined || (isUrl && (DAYPASS_KEY || DAYPASS_KEY_FILE || key !== undefined))) return undefined;
  const address = isUrl ? target : (endpoint ?? "");
  const folder = URL.canParse(address) ? stateOfOrigin(new URL(address).origin, env) : undefined;
  const serving = folder === undefined ? undefined : servingOf(folder);
  return folder === undefined || serving === undefined ? undefined : { state: folder, serving, isFound: true };
}

/**
 * Refuses constraints that the gateway does not enforce: it would refuse the URL.
 *
 * @throws {CommandError}
 */
export function expectServed({ state, serving }: Served, { uses, subject }: SignOptions): void {
  if (uses !== undefined && !hasLinks(state))
    throw new CommandError(
      `the gateway at ${serving.origin} counts no uses yet, so it would refuse a URL with --uses. Run daypass links list --state ${state} once: it makes the database that counts.`,
    );
  if (subject !== undefined && !serving.subjects)
    throw new CommandError(
      `the gateway at ${serving.origin} compares no subjects, so it would refuse a URL with --subject. Only a route with "subjects": true accepts one.`,
    );
}

/** A warning for a target that is a folder, which the gateway does not serve as an object. */
export function folderWarnings(
  served: Served | undefined,
  target: string,
  { method = ["GET"], prefix }: SignOptions,
): readonly string[] {
  if (served === undefined || prefix !== undefined || !method.includes("GET")) return [];
  const path = /^s3:/.test(target) ? target.slice("s3:/".length) : decodeURIComponent(new URL(target).pathname);
  const isFolder = [path, path.replace(/^\/files\//, "/")].some((one) => isDirectory(join(served.serving.root, one)));
  if (!isFolder) return [];
  return [
    `${path} is a folder, and the gateway serves files only: daypass links create ${path.slice(1).replace(/\/?$/, "/")} --state ${served.state} makes a link to all files in it`,
  ];
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
