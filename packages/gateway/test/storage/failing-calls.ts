/** Makes the N-th call of `node:fs` in a folder fail. The call has no effect, except for a close. */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

type Call = (...parameters: unknown[]) => unknown;
type Calls = Record<string, Call>;

const NAMES = [
  ...["openSync", "open", "closeSync", "readSync", "read", "writeSync", "write", "fsync", "fdatasync", "renameSync"],
  ...["linkSync", "unlinkSync", "mkdirSync", "lstatSync", "statSync", "fstatSync", "ftruncateSync", "truncateSync"],
  ...["futimesSync", "fchmodSync", "readdirSync", "statfsSync", "rmSync", "copyFile"],
];
const PROMISED = ["readdir", "rmdir", "rm", "open", "opendir", "unlink"];

export interface FailingCalls {
  /** From now on the N-th call fails. */
  arm(n: number): void;
  /** Stops failing, and returns the number of calls. */
  disarm(): number;
  /** Restores `node:fs`. */
  restore(): void;
}

export function failingCalls(folder: string): FailingCalls {
  const { readlinkSync } = fs;
  let failing = Number.POSITIVE_INFINITY;
  let count = 0;

  function isBelow(where: unknown): boolean {
    if (typeof where !== "number") return typeof where === "string" && where.startsWith(folder);
    try {
      return readlinkSync(`/proc/self/fd/${where}`).startsWith(folder);
    } catch {
      return false;
    }
  }

  function fails(where: unknown): boolean {
    if (failing === Number.POSITIVE_INFINITY || !isBelow(where)) return false;
    count += 1;
    return count === failing;
  }

  const restored = [replace(fs as unknown as Calls, NAMES), replace(fs.promises as unknown as Calls, PROMISED)];
  syncBuiltinESMExports();

  function replace(calls: Calls, names: readonly string[]): () => void {
    const own = names.map((name) => [name, calls[name] as Call] as const);
    for (const [name, call] of own) {
      calls[name] = (...parameters) => {
        if (!fails(parameters[0])) return call(...parameters);
        const error = Object.assign(new Error(`EIO: i/o error, ${name}`), { code: "EIO", syscall: name });
        const callback = parameters.at(-1);
        if (calls === (fs.promises as unknown as Calls)) return Promise.reject(error);
        if (typeof callback === "function") return setImmediate(callback as Call, error);
        if (name === "closeSync") call(...parameters);
        throw error;
      };
    }
    return () => {
      for (const [name, call] of own) calls[name] = call;
    };
  }

  return {
    arm(n) {
      count = 0;
      failing = n;
    },
    disarm() {
      failing = Number.POSITIVE_INFINITY;
      return count;
    },
    restore() {
      for (const restore of restored) restore();
      syncBuiltinESMExports();
    },
  };
}
