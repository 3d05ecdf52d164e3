import { type ChecksumAlgorithm, type RunningDigest, runningChecksum } from "../../http/checksum.ts";
import { keptPieces } from "../../http/kept-pieces.ts";
import { type ReadElement, readXml, type XmlOptions } from "../../http/xml-reader.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import { declaredChecksum, declaredDigests } from "./checksums.ts";
import { expectNoBody } from "./no-body.ts";
import type { S3Call } from "./operation.ts";

export interface DocumentOptions extends XmlOptions {
  /** Bytes. 1 MB unless told. */
  readonly maxBytes?: number | undefined;
  /** `x-amz-checksum-*` is that of an object which the request is about, not of the document. */
  readonly checksumsOfObject?: boolean | undefined;
  /** Whether a document without a digest is refused. */
  readonly needsDigest?: boolean | undefined;
}

/**
 * Reads the document in the body of a request, and holds it to the digests that were declared for it.
 *
 * @throws {Refusal} `MALFORMED_XML`, `DOCUMENT_TOO_LARGE`, `DIGEST_MISMATCH`, `CHECKSUM_MISMATCH`, `INVALID_COMBINATION`
 */
export async function readDocument(call: S3Call, root: string, options: DocumentOptions = {}): Promise<ReadElement> {
  const { maxBytes = 1024 * 1024, checksumsOfObject = false, needsDigest = false } = options;
  const { payload } = call;
  const digests = declaredDigests(call);
  const checksum = checksumsOfObject ? undefined : declaredChecksum(call);
  if (needsDigest && digests.md5 === undefined && checksum === undefined) {
    throw new Refusal("INVALID_COMBINATION", "expected Content-MD5 or a checksum of the document, found neither", {
      text: "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
    });
  }
  if ((payload.length ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const bytes = await collect(payload.body, maxBytes);
  const compare = (running: RunningDigest, { code, digest, expected, write = base64 }: Declared): void => {
    running.update(bytes);
    const calculated = write(running.digest());
    if (calculated === expected) return;
    const details = { digest, expected, calculated };
    throw new Refusal(code, `expected the ${digest} of this document, found another`, details);
  };
  if (digests.md5 !== undefined) {
    compare(call.createHash("md5"), { code: "DIGEST_MISMATCH", digest: "md5", expected: base64(digests.md5) });
  }
  const expected = typeof checksum?.expected === "function" ? checksum.expected() : checksum?.expected;
  if (checksum !== undefined && expected !== undefined) {
    const { algorithm } = checksum;
    const running = runningChecksum(algorithm, call.createHash);
    compare(running, { code: "CHECKSUM_MISMATCH", digest: algorithm, expected });
  }
  if (digests.sha256 !== undefined) {
    const expected = hex(digests.sha256);
    compare(call.createHash("sha256"), { code: "DIGEST_MISMATCH", digest: "sha256", expected, write: hex });
  }
  return readXml(bytes, root, options);
}

/** A digest that was declared for a document, in the form in which its header has it. */
interface Declared {
  readonly code: "DIGEST_MISMATCH" | "CHECKSUM_MISMATCH";
  readonly digest: "md5" | ChecksumAlgorithm;
  readonly expected: string;
  readonly write?: (bytes: Uint8Array) => string;
}

/** The document, where the request has one; a body that is not announced is none. */
export async function readOptionalDocument(call: S3Call, root: string): Promise<ReadElement | undefined> {
  const { payload, received, permit } = call;
  if ((payload.length ?? 0) > 0 || payload.chunked || received.fields.transferEncoding !== undefined) {
    return readDocument(call, root);
  }
  expectNoBody(permit.grant);
  return undefined;
}

/** Bytes of documents that this process holds while they come in, over all requests: slow senders must not fill the memory. */
const MAX_HELD = 64 * 1024 * 1024;
let held = 0;

async function collect(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const kept = keptPieces();
  let size = 0;
  try {
    for await (const chunk of body) {
      // Counted, whatever the head said.
      if (size + chunk.length > maxBytes) throw tooLarge(maxBytes);
      if (held + chunk.length > MAX_HELD) {
        // At once: to leave the loop takes a while, in which all others would find no room either.
        held -= size;
        size = 0;
        throw new Refusal("BUSY", "expected fewer documents at once: try again");
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
  return new Refusal("DOCUMENT_TOO_LARGE", `expected a document of at most ${limit} bytes, found a larger one`, {
    limit,
  });
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
