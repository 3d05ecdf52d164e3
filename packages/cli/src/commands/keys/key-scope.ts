import {
  exactOrigin,
  httpMethod,
  mapped,
  moment,
  type ParsedArguments,
  positiveDuration,
  word,
} from "../../arguments.ts";
import { UsageError } from "../../command.ts";
import type { KeyRecord, StoredScope } from "../../state-folder/key-record.ts";

/** The options of `keys` for the scope of a key. */
export const SCOPE_OPTIONS = {
  bucket: { type: "string", multiple: true },
  origin: { type: "string", multiple: true },
  prefix: { type: "string" },
  method: { type: "string", multiple: true },
  "max-life": { type: "string" },
  until: { type: "string" },
} as const;

/** The values of {@link SCOPE_OPTIONS}. */
export type ScopeOptions = ParsedArguments<typeof SCOPE_OPTIONS>["values"];

/** The scope of a new key. Refuses a scope that could not grant anything. */
export function scopeOf(kind: KeyRecord["kind"], options: ScopeOptions): StoredScope {
  const [own, foreign] = kind === "s3" ? (["bucket", "origin"] as const) : (["origin", "bucket"] as const);
  if (options[foreign] !== undefined)
    throw new UsageError(`--${foreign} is not for a key of the kind ${kind}. Use --${own}`);
  const end = mapped(options.until, (text) => moment("--until", text));
  if (end !== undefined && end <= new Date())
    throw new UsageError(
      `--until is ${options.until}, which is past, so the key could grant nothing. Pass a later instant`,
    );
  const scope: StoredScope = {
    buckets: bucketsOf(options),
    origins: options.origin?.map((text) => exactOrigin("--origin", text)),
    prefix: prefixOf(kind, options),
    methods: methodsOf(kind, options),
    maxLife: mapped(options["max-life"], (text) => positiveDuration("--max-life", text)),
    until: end?.toISOString(),
  };
  return Object.fromEntries(Object.entries(scope).filter(([, value]) => value !== undefined));
}

/** Reads `--bucket`. */
export function bucketsOf({ bucket }: Pick<ScopeOptions, "bucket">): readonly string[] | undefined {
  return bucket?.map((text) => {
    if (/^[^/]+$/.test(text)) return text;
    throw new UsageError(
      `--bucket is ${JSON.stringify(text)}. Pass the name of a bucket, and the path after the slash in --prefix`,
    );
  });
}

/** Reads `--prefix`. Refuses an empty prefix, which an unset variable causes and which would not limit anything. */
export function prefixOf(kind: KeyRecord["kind"], { prefix }: Pick<ScopeOptions, "prefix">): string | undefined {
  if (prefix === "") throw new UsageError("--prefix is empty. Leave it out if there is no limit");
  if (kind === "url" && prefix !== undefined && !/^\/(?:.*\/)?$/.test(prefix)) {
    throw new UsageError(
      `--prefix is ${JSON.stringify(prefix)}. Pass the start of a path up to a slash, such as /invoices/`,
    );
  }
  return prefix;
}

/** Reads `--method`. Refuses methods that S3 does not have, because every request would be refused. */
export function methodsOf(
  kind: KeyRecord["kind"],
  { method }: Pick<ScopeOptions, "method">,
): readonly string[] | undefined {
  return method?.map((text) =>
    kind === "s3" ? word("--method", text, ["GET", "HEAD", "PUT", "POST", "DELETE"]) : httpMethod("--method", text),
  );
}
