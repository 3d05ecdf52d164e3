import type { JsonObject } from "daypass/schemes";
import type { Context } from "../../../command.ts";
import type { StoredScope } from "../../../state-folder/key-record.ts";
import type { OptionFields, SignOptions } from "../options.ts";

/** Line fields that were found for a scheme, and the scope of a stored key. */
export interface FoundFields {
  readonly fields: JsonObject;
  readonly scope?: StoredScope | undefined;
}

/** A scheme of `daypass sign TARGET`. A target becomes a line of `sign --batch`, so that both sign in the same way. */
export interface TargetScheme {
  /** The line field of the secret. A line without it gets the fields of {@link TargetScheme.find}. */
  readonly secret: string;
  /** The line field of the object's name, if a target may end before it. */
  readonly name?: "key" | "object" | "blob";
  /** The options that not every scheme has. */
  readonly options: OptionFields;
  /** The fields of a target. No name if the target ends with the slash before it. Throws a `UsageError` for a malformed target. */
  locate(target: string): JsonObject;
  /** Searches for credentials like the tools of the cloud. Throws a `CommandError` if it finds no credentials. */
  find(options: SignOptions, context: Context): Promise<FoundFields>;
  /** Adds fields that follow from others. `found` are the found fields. Throws `INVALID_INPUT` if they do not fit the line. */
  complete?(line: JsonObject, found: JsonObject): JsonObject;
  /** Throws `KEY_SCOPE` if the key's scope does not allow the line, unless the signer checks this itself. */
  expectInScope?(line: JsonObject, scope: StoredScope): void;
  /** The line of an upload form instead of a URL, if the scheme has forms. */
  form?(line: JsonObject, fields: Readonly<Record<string, string>> | undefined): JsonObject;
}

/** The fields of `scheme://bucket/name`. The name is everything after the bucket, without decoding. */
export function splitTarget(target: string, pattern: RegExp): JsonObject | undefined {
  const { groups } = pattern.exec(target) ?? {};
  return groups && Object.fromEntries(Object.entries(groups).filter(([, value]) => Boolean(value)));
}
