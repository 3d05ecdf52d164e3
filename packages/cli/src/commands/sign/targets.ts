import { UsageError } from "../../command.ts";
import type { TargetScheme } from "./target.ts";

interface TargetEntry {
  /** The scheme that a line of `sign --batch` would name. */
  readonly scheme: string;
  readonly pattern: RegExp;
  /** How a target looks, for messages. */
  readonly example: string;
  readonly load: () => Promise<TargetScheme>;
}

/** The one list of kinds of targets. */
const TARGETS: readonly TargetEntry[] = [
  {
    scheme: "s3",
    pattern: /^s3:\/\//,
    example: "s3://bucket/key",
    load: async () => (await import("./s3-target.ts")).s3Target,
  },
  {
    scheme: "gcs",
    pattern: /^gs:\/\//,
    example: "gs://bucket/object",
    load: async () => (await import("./gcs-target.ts")).gcsTarget,
  },
  {
    scheme: "azure",
    pattern: /^az:\/\//,
    example: "az://account/container/blob",
    load: async () => (await import("./azure-target.ts")).azureTarget,
  },
  {
    scheme: "url",
    pattern: /^https?:\/\//,
    example: "https://host/path",
    load: async () => (await import("./url-target.ts")).urlTarget,
  },
];

/** The scheme that a target is for. */
export function schemeOfTarget(target: string): string {
  const found = TARGETS.find(({ pattern }) => pattern.test(target));
  if (found !== undefined) return found.scheme;
  throw new UsageError(
    `expected ${TARGETS.map(({ example }) => example).join(" or ")}, found ${JSON.stringify(target)}: this release signs no other`,
  );
}

/** What is known of a scheme's targets; `undefined` where it has none, and only lines can be signed. */
export function loadTarget(scheme: unknown): Promise<TargetScheme> | undefined {
  return TARGETS.find((entry) => entry.scheme === scheme)?.load();
}
