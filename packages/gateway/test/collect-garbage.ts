import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");

/** Collects unreachable objects. A `WeakRef` that was created or read in this turn of the event loop keeps its object until the next. */
export const collectGarbage = runInNewContext("gc") as () => void;
