import type { WireRequest } from "../../core/contracts.ts";
import { invalidInput } from "../../core/errors.ts";
import type { Verdict, Verdicts } from "../../core/verify.ts";
import type { ParsedS3 } from "./parse.ts";

const MAX_BYTES = 16_000_000;
const SIGNATURE = "X-Amz-Signature=";

/** The text in the place of the signature, which has 64 characters. Another text there finds no verdict. */
function signatureIn(target: string): string {
  // Most signers put it last, and to search for it costs a tenth of the time.
  const isLast = target.charCodeAt(target.length - 65) === 61;
  const start = isLast ? target.length - 64 : target.lastIndexOf(SIGNATURE) + SIGNATURE.length;
  return target.slice(start, start + 64);
}

/** Whether the verifier reads no header: it wants `x-amz-*` to be signed, and `Authorization` is a second signature. */
function hasPlainHeaders({ headers }: WireRequest): boolean {
  for (const header of headers) {
    const name = header[0];
    // The first letter alone, in upper or lower case: a pattern takes several times as long.
    if ((name.charCodeAt(0) | 32) === 120 || (name.length === 13 && name.toLowerCase() === "authorization"))
      return false;
  }
  return true;
}

/** At least what a verdict occupies, as measured: its texts are kept as sent, canonical in many pieces, and decoded in two bytes a character. */
function bytesOf({ received, parsed }: Verdict<ParsedS3, unknown>): number {
  const { path, query, parameters } = parsed;
  return 1000 + received.request.target.length + 8 * (path.length + query.length) + 500 * parameters.length;
}

/**
 * Remembers accepted URLs that sign no header but `host`. Two requests share a verdict only if their target, method and authority are equal
 * and neither has a header that a verifier reads.
 *
 * @param size how many it remembers at most, at least 2. The half that was used last is never forgotten, unless it takes over 8 MB
 * @param checkAgain throws if the present configuration refuses a request, whose options may have changed
 */
export function s3Verdicts<K>(size: number, checkAgain: (parsed: ParsedS3) => void): Verdicts<ParsedS3, K> {
  if (!(Number.isInteger(size) && size > 1)) throw invalidInput("cache", "a whole number of URLs from 2", size);
  // A Map finds the oldest of many entries slowly, so half of them are dropped together.
  let young = new Map<string, Verdict<ParsedS3, K>>();
  let old = young;
  let bytes = 0;
  const put = (verdict: Verdict<ParsedS3, K>): void => {
    const added = bytesOf(verdict);
    if (young.size >= Math.floor(size / 2) || bytes + added > MAX_BYTES / 2) {
      old = young;
      young = new Map();
      bytes = 0;
    }
    // The key is the signature alone, so that only its holder learns anything from the time of comparing two targets.
    young.set(verdict.parsed.signature, verdict);
    bytes += added;
  };
  return {
    recall(request) {
      const { method, target, authority } = request;
      const signature = signatureIn(target);
      const recent = young.get(signature);
      const known = recent ?? old.get(signature);
      const same = known?.received.request;
      if (known === undefined || target !== same?.target || method !== same.method || authority !== same.authority)
        return undefined;
      if (!hasPlainHeaders(request)) return undefined;
      checkAgain(known.parsed);
      if (recent === undefined) put(known);
      return known;
    },
    remember({ received, parsed, key, checked }) {
      const { method, target, authority } = received.request;
      if (parsed.signedHeaders !== "host" || !hasPlainHeaders(received.request)) return;
      // The grants of later requests share them, and a caller may change its own.
      for (const pair of parsed.parameters) Object.freeze(pair);
      Object.freeze(parsed.parameters);
      const request = { method, target, authority, headers: [] };
      put({ received: { ...received, request }, parsed, key, checked });
    },
  };
}
