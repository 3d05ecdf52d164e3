import { UsageError } from "../../../command.ts";
import { foreignOption, type SignOptions } from "../options.ts";
import type { TargetScheme } from "./target-scheme.ts";

interface TargetEntry {
  /** The `scheme` of a `sign --batch` line. */
  readonly scheme: string;
  readonly pattern: RegExp;
  /** An example for messages. */
  readonly example: string;
  readonly load: () => Promise<TargetScheme>;
}

/** All kinds of targets. */
const TARGETS: readonly TargetEntry[] = [
  {
    scheme: "s3",
    pattern: /^s3:\/\//,
    example: "s3://bucket/key",
    load: async () => (await import("./s3.ts")).s3Target,
  },
  {
    scheme: "gcs",
    pattern: /^gs:\/\//,
    example: "gs://bucket/object",
    load: async () => (await import("./gcs.ts")).gcsTarget,
  },
  {
    scheme: "azure",
    pattern: /^az:\/\//,
    example: "az://account/container/blob",
    load: async () => (await import("./azure.ts")).azureTarget,
  },
  {
    scheme: "url",
    pattern: /^https?:\/\//,
    example: "https://host/path",
    load: async () => (await import("./url.ts")).urlTarget,
  },
];

/** The scheme of a target. */
export function schemeOfTarget(target: string): string {
  const found = TARGETS.find(({ pattern }) => pattern.test(target));
  if (found !== undefined) return found.scheme;
  throw new UsageError(
    `the target is ${JSON.stringify(target)}. Write ${TARGETS.map(({ example }) => example).join(", ")}`,
  );
}

/** The target of a scheme. `undefined` if the scheme has only batch lines. */
export function loadTarget(scheme: unknown): Promise<TargetScheme> | undefined {
  return TARGETS.find((entry) => entry.scheme === scheme)?.load();
}

/** Refuses options of other schemes, because an ignored constraint would look applied. */
export async function refuseForeignOptions(options: SignOptions, scheme: string): Promise<void> {
  const name = foreignOption(options, (await loadTarget(scheme))?.options);
  if (name === undefined) return;
  const targets = await Promise.all(TARGETS.map(async (entry) => ({ ...entry, target: await entry.load() })));
  const schemes = targets.filter(({ target }) => Object.hasOwn(target.options, name)).map(({ scheme }) => scheme);
  throw new UsageError(
    `--${name} is not an option of the scheme ${scheme}, only of ${schemes.join(", ")}. Leave it out${schemes.includes("url") ? ", or sign a Daypass URL (the scheme url)" : ""}`,
  );
}
