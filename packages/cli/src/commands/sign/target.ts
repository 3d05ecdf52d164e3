import type { JsonObject } from "daypass/schemes";
import type { Context } from "../../command.ts";
import type { StoredScope } from "../../state/key-record.ts";
import type { SignOptions } from "./options.ts";

/** What was found for a scheme: fields of a line, and what the key may do where a gateway will hold it against that. */
export interface FoundFields {
  readonly fields: JsonObject;
  readonly scope?: StoredScope | undefined;
}

/**
 * One scheme as `daypass sign TARGET` knows it: everything becomes a line as `sign --batch` reads it, so that both sign the
 * same way. The one list of them is `targets.ts`.
 */
export interface TargetScheme {
  /** The field of a line that holds the secret: a line without it takes what {@link TargetScheme.find} finds. */
  readonly secret: string;
  /** The field that holds the name behind the bucket or container, where a target may end before it. */
  readonly name?: "key" | "object" | "blob";
  /** The fields that a target stands for: no name where it ends with the slash in front of one. Throws a `UsageError` for a malformed one. */
  locate(target: string): JsonObject;
  /** The fields that options stand for; those that were not given are left out. */
  fields(options: SignOptions): JsonObject;
  /** Looks for credentials where the tools of that cloud look. Throws a `CommandError` that says where, if there are none. */
  find(options: SignOptions, context: Context): Promise<FoundFields>;
  /**
   * Adds what follows from the other fields once those that were found are among them. Throws `INVALID_INPUT` where what was
   * found is not for this line.
   */
  complete?(line: JsonObject, found: JsonObject): JsonObject;
  /** Refuses a whole line that the key's scope does not allow, by `KEY_SCOPE`, where the signer does not look at it. */
  expectInScope?(line: JsonObject, scope: StoredScope): void;
  /** The line that signs an upload form in place of a URL, where the scheme has forms. */
  form?(line: JsonObject, fields: Readonly<Record<string, string>> | undefined): JsonObject;
}
