/** Refusals that several operations share. */

import { Refusal } from "../pipeline/refusal.ts";
import type { ObjectRef } from "../storage/contract/storage.ts";

export function noSuchBucket(bucket: string): Refusal {
  return new Refusal("NO_SUCH_BUCKET", "expected a bucket of this name, found none", { bucket });
}

export function noSuchKey(): Refusal {
  return new Refusal("NO_SUCH_KEY", "expected an object with this key, found none");
}

export function noSuchSource({ key }: ObjectRef): Refusal {
  return new Refusal("NO_SUCH_KEY", "expected an object to copy, found none", { key });
}

export function conditionFailed(condition: string): Refusal {
  return new Refusal("PRECONDITION_FAILED", "expected the state that the condition names, found another", {
    condition,
  });
}

/** Refuses an announced length above the limit before any byte is read. */
export function expectAnnounced(contentLength: number | undefined, maxBytes: number): void {
  if (contentLength === undefined || contentLength <= maxBytes) return;
  throw new Refusal("TOO_LARGE", `expected a body of at most ${maxBytes} bytes, found ${contentLength}: send less`, {
    size: contentLength,
    limit: maxBytes,
  });
}
