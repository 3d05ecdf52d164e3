/** Refusals that several operations share. */

import { excerpt } from "../http/excerpt.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { ObjectRef } from "../storage/contract/storage.ts";

export function noSuchBucket(bucket: string): Refusal {
  return new Refusal("NO_SUCH_BUCKET", `there is no bucket ${excerpt(bucket)}. Correct its name`, { bucket });
}

export function noSuchKey(): Refusal {
  return new Refusal("NO_SUCH_KEY", "there is no object with this key. Check the key");
}

export function noSuchSource({ key }: ObjectRef): Refusal {
  return new Refusal("NO_SUCH_KEY", "the object to copy does not exist. Check its key", { key });
}

export function conditionFailed(condition: string): Refusal {
  const message = `the object does not meet ${condition}. Look at it again before you retry`;
  return new Refusal("PRECONDITION_FAILED", message, { condition });
}

/** Refuses an announced length above the limit before any byte is read. */
export function expectAnnounced(contentLength: number | undefined, maxBytes: number): void {
  if (contentLength === undefined || contentLength <= maxBytes) return;
  throw new Refusal("TOO_LARGE", `the body has ${contentLength} bytes. Send at most ${maxBytes}`, {
    size: contentLength,
    limit: maxBytes,
  });
}
