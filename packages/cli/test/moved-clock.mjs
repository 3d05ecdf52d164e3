// The system's clock, moved by the milliseconds in the file CLOCK_FILE. Preloaded, so that a process sees what an administrator can do.
import { readFileSync } from "node:fs";
import { env } from "node:process";

const System = Date;
const now = () => System.now() + Number(readFileSync(env.CLOCK_FILE, "utf8"));

globalThis.Date = class extends System {
  constructor(...parts) {
    if (parts.length === 0) super(now());
    else super(...parts);
  }
  static now() {
    return now();
  }
};
