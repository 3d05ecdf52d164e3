import { constants, open } from "node:fs/promises";
import type { Writable } from "node:stream";
import type { StandingAnswers } from "./standing-answers.ts";

/**
 * Opens a file for answers: anew, or behind what stands there. Its mode is 0600 also where it was there before, because a URL is a secret.
 * Rejects where there can be no such file, so that no line is signed in vain.
 */
export async function outputFile(path: string, standing: StandingAnswers | undefined): Promise<Writable> {
  // Not emptied by opening: the answers of another user, whose mode cannot be changed, stay as they were.
  const handle = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    // A pipe or a terminal has no mode of ours, and no places.
    if (!(await handle.stat()).isFile()) return handle.createWriteStream();
    await handle.chmod(0o600);
    const start = standing?.bytes ?? 0;
    await handle.truncate(start);
    return handle.createWriteStream({ start });
  } catch (error) {
    await handle.close();
    throw error;
  }
}
