import { constants, open } from "node:fs/promises";
import type { Writable } from "node:stream";
import type { StandingAnswers } from "./standing-answers.ts";

// The file is another user's, or its file system has no modes.
const NO_MODE: readonly (string | undefined)[] = ["EPERM", "ENOTSUP"];

export interface OutputFileOptions {
  readonly standing: StandingAnswers | undefined;
  /** Called where the mode of a file that was there before cannot be changed: others may be able to read the answers. */
  readonly onOpenMode: () => Promise<void>;
}

/**
 * Opens a file for answers: anew, or behind what stands there. Its mode is 0600 also where it was there before, because a URL is a secret.
 * Rejects where there can be no such file, so that no line is signed in vain.
 */
export async function outputFile(path: string, { standing, onOpenMode }: OutputFileOptions): Promise<Writable> {
  // Not emptied by opening: what cannot be written after all stays as it was.
  const handle = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    // A pipe or a terminal has no mode of ours, and no places.
    if (!(await handle.stat()).isFile()) return handle.createWriteStream();
    await handle.chmod(0o600).catch(async (error: NodeJS.ErrnoException) => {
      if (!NO_MODE.includes(error.code)) throw error;
      await onOpenMode();
    });
    const start = standing?.bytes ?? 0;
    await handle.truncate(start);
    return handle.createWriteStream({ start });
  } catch (error) {
    await handle.close();
    throw error;
  }
}
