/** The revocations in force on local disk, so that a gateway may start while PostgreSQL is away. */
import { readFileSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import type { RevocationSnapshot } from "@daypass/gateway";
import type { Revocation } from "@daypass/gateway/state";

/** Keeps the list in a file. Its time of change is when the state was last asked. */
export function revocationFile(path: string, clock: () => Date): RevocationSnapshot {
  return {
    load() {
      try {
        const revocations = JSON.parse(readFileSync(path, "utf8")) as readonly Revocation[];
        return { revocations, polledAt: statSync(path).mtimeMs };
      } catch {
        // Without a whole copy, the gateway may not start.
        return undefined;
      }
    },
    save(revocations) {
      const whole = `${path}.${process.pid}`;
      writeFileSync(whole, JSON.stringify(revocations), { mode: 0o600 });
      renameSync(whole, path);
    },
    confirm() {
      const now = clock();
      utimesSync(path, now, now);
    },
  };
}
