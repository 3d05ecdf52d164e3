import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./command.ts";

// As a URL, in which no folder of a clone has a space: NODE_OPTIONS is cut at them.
const HOOK = new URL("./moved-clock.mjs", import.meta.url).href;

/** An environment whose programs see the system's clock moved by `move`, in seconds. */
export function movedClock() {
  const file = join(temporaryFolder(), "clock");
  const move = (seconds: number): void => writeFileSync(file, String(seconds * 1000));
  move(0);
  return { env: { NODE_OPTIONS: `--import ${HOOK}`, CLOCK_FILE: file }, move };
}
