import { type ChecksumAlgorithm, runningChecksum } from "../../http/checksum.ts";
import { keptPieces } from "../../http/kept-pieces.ts";
import { type ReadElement, readXml, type XmlOptions } from "../../http/xml-reader.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import { checkDigests } from "../../storage/contract/checked-body.ts";
import { invalidCombination } from "./arguments.ts";
import { declaredChecksum, declaredDigests } from "./checksums.ts";
import { expectNoBody } from "./read-call.ts";
import type { S3Call } from "./row.ts";

export interface DocumentOptions extends XmlOptions {
  /** Bytes, 1 MB by default. */
  readonly maxBytes?: number | undefined;
  /** Whether `x-amz-checksum-*` covers the object of the request, not the document. */
  readonly checksumsOfObject?: boolean | undefined;
  /** Whether a document without a digest is refused. */
  readonly needsDigest?: boolean | undefined;
}

/**
 * Reads the document in the body of a request and compares it with its declared digests.
 *
 * @throws {Refusal} `MALFORMED_XML`, `DOCUMENT_TOO_LARGE`, `INVALID_COMBINATION`
 * @throws {StorageError} `DIGEST_MISMATCH`, `CHECKSUM_MISMATCH`
 */
export async function readDocument(call: S3Call, root: string, options: DocumentOptions = {}): Promise<ReadElement> {
  const { maxBytes = 1024 * 1024, checksumsOfObject = false, needsDigest = false } = options;
  const { payload, createHash } = call;
  const digests = declaredDigests(call);
  const checksum = checksumsOfObject ? undefined : declaredChecksum(call);
  if (needsDigest && digests.md5 === undefined && checksum === undefined) {
    throw invalidCombination("Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  }
  if ((payload.length ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const bytes = await collect(payload.body, maxBytes);
  const digestOf = (algorithm: ChecksumAlgorithm): Uint8Array => {
    const running = runningChecksum(algorithm, createHash);
    running.update(bytes);
    return running.digest();
  };
  checkDigests(
    { digests, checksum },
    {
      md5: digests.md5 && digestOf("md5"),
      sha256: digests.sha256 && digestOf("sha256"),
      ...(checksum && { [checksum.algorithm]: digestOf(checksum.algorithm) }),
    },
  );
  return readXml(bytes, root, options);
}

/** The document, if the request has one. A body that is not announced counts as none. */
export async function readOptionalDocument(call: S3Call, root: string): Promise<ReadElement | undefined> {
  const { payload, received, permit } = call;
  if ((payload.length ?? 0) > 0 || payload.chunked || received.fields.transferEncoding !== undefined) {
    return readDocument(call, root);
  }
  expectNoBody(permit.grant);
  return undefined;
}

/** Bytes of incomplete documents that this process holds for all requests: slow senders must not fill the memory. */
const MAX_HELD = 64 * 1024 * 1024;
let held = 0;

async function collect(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const kept = keptPieces();
  let size = 0;
  try {
    for await (const chunk of body) {
      // The bytes are counted, as the announced length may be wrong.
      if (size + chunk.length > maxBytes) throw tooLarge(maxBytes);
      if (held + chunk.length > MAX_HELD) {
        // Release at once: leaving the loop takes a while, and other requests would be refused meanwhile.
        held -= size;
        size = 0;
        throw new Refusal("BUSY", "too many documents are being read. Try again");
      }
      size += chunk.length;
      held += chunk.length;
      kept.add(chunk);
    }
  } finally {
    held -= size;
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of kept.take()) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

function tooLarge(limit: number): Refusal {
  const message = `the document in the body is larger than ${limit} bytes. Send a smaller one`;
  return new Refusal("DOCUMENT_TOO_LARGE", message, { limit });
}
