/** Names that a link to a folder leaves out unless its owner says otherwise: with a leading dot, and folders of version control. */
const HIDDEN = /^(?:\..*|CVS|_darcs)$/;

/**
 * The beginning of a path up to its first hidden name: every path that begins so is hidden, too. `undefined` if no name is hidden.
 *
 * @param path names with slashes between them, such as `notes/.git/config`
 * @example
 * ```ts
 * import { hiddenPart } from "@daypass/gateway";
 *
 * console.log(hiddenPart("notes/.git/config")); // notes/.git/
 * ```
 */
export function hiddenPart(path: string): string | undefined {
  let end = 0;
  for (const name of path.split("/")) {
    end += name.length + 1;
    if (HIDDEN.test(name)) return path.slice(0, end);
  }
  return undefined;
}
