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
import type { KeyRecord, StoredScope } from "../../state/key-record.ts";

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
    throw new UsageError(`expected --${own} for a key of this kind, found --${foreign}`);
  const end = mapped(options.until, (text) => moment("--until", text));
  if (end !== undefined && end <= new Date())
    throw new UsageError(
      `expected --until as an instant in the future, found ${options.until}: the key could grant nothing`,
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
      `expected --bucket as the name of a bucket, found ${JSON.stringify(text)}: what follows a slash belongs in --prefix`,
    );
  });
}

/** Reads `--prefix`. Refuses an empty prefix, which an unset variable causes and which would not limit anything. */
export function prefixOf(kind: KeyRecord["kind"], { prefix }: Pick<ScopeOptions, "prefix">): string | undefined {
  if (prefix === "") throw new UsageError('expected --prefix as text, found "": leave it away where there is no limit');
  if (kind === "url" && prefix !== undefined && !/^\/(?:.*\/)?$/.test(prefix)) {
    throw new UsageError(
      `expected --prefix as the start of a path up to a slash, such as /invoices/, found ${JSON.stringify(prefix)}`,
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
