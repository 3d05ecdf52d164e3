import type { WireRequest } from "daypass";
import type { CreateHash } from "../../http/checksum.ts";
import { keptPieces } from "../../http/kept-pieces.ts";
import { Refusal } from "../../pipeline/refusal.ts";

const MAX_BODY = 16 * 1024;
const HASH_HEADER = "x-amz-content-sha256";

/**
 * Reads a short body and adds its hash to the request as a header. Only for calls outside S3, whose signature covers the hash and whose
 * head does not contain it. The hash is computed here, so the added header is a fact, not a claim.
 *
 * @throws {Refusal} `DOCUMENT_TOO_LARGE`, `BODY_DIGEST`
 */
export async function hashBody(
  request: WireRequest,
  body: AsyncIterable<Uint8Array>,
  createHash: CreateHash,
): Promise<{ readonly request: WireRequest; readonly body: AsyncIterable<Uint8Array> }> {
  const kept = keptPieces();
  const running = createHash("sha256");
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BODY) {
      throw new Refusal("DOCUMENT_TOO_LARGE", `the body is larger than ${MAX_BODY} bytes. Send a smaller one`, {
        limit: MAX_BODY,
      });
    }
    running.update(chunk);
    kept.add(chunk);
  }
  const hash = Array.from(running.digest(), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const declared = request.headers.filter(([name]) => name.toLowerCase() === HASH_HEADER);
  if (declared.some(([, value]) => value !== hash)) {
    const message = "the body does not have the hash in x-amz-content-sha256. Send the body that was signed";
    throw new Refusal("BODY_DIGEST", message);
  }
  const headers = declared.length > 0 ? request.headers : [...request.headers, [HASH_HEADER, hash] as const];
  return { request: { ...request, headers }, body: replay(kept.take()) };
}

async function* replay(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
