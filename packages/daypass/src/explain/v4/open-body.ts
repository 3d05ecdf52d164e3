import { UNSIGNED_PAYLOAD } from "../../schemes/s3/canonical.ts";
import type { V4Input } from "./variants.ts";

/**
 * What of the body a signature leaves open. Where the header of its hash is signed the URL does not tell with which value: it may
 * have been `UNSIGNED-PAYLOAD`.
 */
export function openBody({ payload, headers }: V4Input): readonly string[] {
  if (payload !== UNSIGNED_PAYLOAD) return [];
  const untold = headers.find(
    ({ name, values }) => /^x-(?:amz|goog)-content-sha256$/.test(name) && values.length === 0,
  );
  return [untold === undefined ? "body" : `body, unless ${untold.name} was signed with its hash`];
}
