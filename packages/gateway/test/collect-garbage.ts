import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");

/** Collects what nobody holds any more. A `WeakRef` that was made or asked in the same turn holds on until the next. */
export const collectGarbage = runInNewContext("gc") as () => void;
