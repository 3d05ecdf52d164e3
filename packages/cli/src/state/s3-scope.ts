import { scopeBreach } from "@daypass/gateway/scope";
import { DaypassError } from "daypass";
import type { StoredScope } from "./key-record.ts";

/** What a URL or a form is for, as far as a scope asks. */
export interface S3Wish {
  readonly bucket: string;
  /** Without it the call is on the bucket. */
  readonly key?: string | undefined;
  readonly method: string;
  /** Seconds. */
  readonly life: number;
}

/**
 * Holds what an S3 key signs against the key's scope, as the gateway does with each request. It looks at the rest, such as the prefix of a
 * listing and the source of a copy, once it has read the request.
 *
 * @throws {DaypassError} `KEY_SCOPE`
 */
export function expectS3Scope(scope: StoredScope, { bucket, key, method, life }: S3Wish): void {
  const rule = scopeBreach(scope, { bucket, key }, method);
  if (rule !== undefined) throw outsideScope(rule);
  if (scope.maxLife !== undefined && life > scope.maxLife) throw outsideScope("maxLife");
}

/** The refusal of what a key's scope does not allow. */
export function outsideScope(rule: string): DaypassError {
  return new DaypassError(
    "KEY_SCOPE",
    `expected a grant within the key's scope, found one outside its ${rule}: see daypass keys list`,
    { details: { rule } },
  );
}
