import { DaypassError } from "daypass";
import type { LineScheme } from "./line-scheme.ts";

interface SchemeEntry {
  /** The `scheme` of a line. */
  readonly name: string;
  readonly load: () => Promise<LineScheme>;
}

/** The one list of schemes that a line can name. Each is loaded when a line names it: most batches need one. */
const SCHEMES: readonly SchemeEntry[] = [
  { name: "s3", load: async () => (await import("./s3.ts")).s3LineScheme },
  { name: "azure", load: async () => (await import("./azure.ts")).azureLineScheme },
  { name: "gcs", load: async () => (await import("./gcs.ts")).gcsLineScheme },
  { name: "oss", load: async () => (await import("./oss.ts")).ossLineScheme },
  { name: "cos", load: async () => (await import("./cos.ts")).cosLineScheme },
  { name: "swift", load: async () => (await import("./swift.ts")).swiftLineScheme },
  { name: "cloudfront", load: async () => (await import("./cloudfront.ts")).cloudfrontLineScheme },
  { name: "url", load: async () => (await import("./url.ts")).urlLineScheme },
];

/** Loads the scheme that a line names. Rejects with `INVALID_INPUT` where the list has none of that name. */
export async function loadScheme(name: unknown): Promise<LineScheme> {
  const found = SCHEMES.find((entry) => entry.name === name);
  if (found !== undefined) return found.load();
  const known = SCHEMES.map((entry) => JSON.stringify(entry.name)).join(" or ");
  const text = name === undefined ? "none" : JSON.stringify(name).slice(0, 40);
  throw new DaypassError("INVALID_INPUT", `expected scheme ${known}, found ${text}: this release knows no other`);
}
