import { duration, exactOrigin, httpMethod, mapped, moment, type ParsedArguments, word } from "../../arguments.ts";
import { UsageError } from "../../command.ts";
import type { KeyRecord, StoredScope } from "../../state/key-record.ts";

/** The options of `keys` that say what a key may grant. */
export const SCOPE_OPTIONS = {
  bucket: { type: "string", multiple: true },
  origin: { type: "string", multiple: true },
  prefix: { type: "string" },
  method: { type: "string", multiple: true },
  "max-life": { type: "string" },
  until: { type: "string" },
} as const;

type ScopeOptions = ParsedArguments<typeof SCOPE_OPTIONS>["values"];

/** The scope of a new key. Refuses one that could grant nothing. */
export function scopeOf(kind: KeyRecord["kind"], options: ScopeOptions): StoredScope {
  const foreign = kind === "s3" ? "origin" : "bucket";
  if (options[foreign] !== undefined)
    throw new UsageError(
      `expected --${kind === "s3" ? "bucket" : "origin"} for a key of this kind, found --${foreign}`,
    );
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
    maxLife: mapped(options["max-life"], (text) => aSecondOrMore("--max-life", text)),
    until: end?.toISOString(),
  };
  return Object.fromEntries(Object.entries(scope).filter(([, value]) => value !== undefined));
}

/** The buckets of `--bucket`. */
export function bucketsOf({
  bucket,
}: {
  readonly bucket?: readonly string[] | undefined;
}): readonly string[] | undefined {
  return bucket?.map((text) => {
    if (/^[^/]+$/.test(text)) return text;
    throw new UsageError(
      `expected --bucket as the name of a bucket, found ${JSON.stringify(text)}: what follows a slash belongs in --prefix`,
    );
  });
}

/** The prefix of `--prefix`. An empty one, as of a variable that is not set, would limit nothing. */
export function prefixOf(
  kind: KeyRecord["kind"],
  { prefix }: { readonly prefix?: string | undefined },
): string | undefined {
  if (prefix === "") throw new UsageError('expected --prefix as text, found "": leave it away where there is no limit');
  if (kind === "url" && prefix !== undefined && !/^\/(?:.*\/)?$/.test(prefix)) {
    throw new UsageError(
      `expected --prefix as the start of a path up to a slash, such as /invoices/, found ${JSON.stringify(prefix)}`,
    );
  }
  return prefix;
}

/** The methods of `--method`. S3 has no others, and a key for one that it has not would be refused at every request. */
export function methodsOf(
  kind: KeyRecord["kind"],
  { method }: { readonly method?: readonly string[] | undefined },
): readonly string[] | undefined {
  return method?.map((text) =>
    kind === "s3" ? word("--method", text, ["GET", "HEAD", "PUT", "POST", "DELETE"]) : httpMethod("--method", text),
  );
}

/** A duration that lets something live: a URL that ends at its birth was not meant. */
export function aSecondOrMore(option: string, text: string): number {
  const seconds = duration(option, text);
  if (seconds > 0) return seconds;
  throw new UsageError(`expected ${option} of at least one second, found ${JSON.stringify(text)}`);
}
