import type { S3Grant } from "daypass/s3";
import type { S3HeaderGrant } from "daypass/s3/header";
import { releasingThrough } from "../../http/releasable-body.ts";
import type { Received } from "../../pipeline/receive.ts";
import { contentLength } from "../request-fields.ts";

/** The body of a request as it was meant, whatever framing it comes in. */
export interface Payload {
  readonly body: AsyncIterable<Uint8Array>;
  /** Bytes that the client announced, without framing; `undefined` where it did not. */
  readonly length: number | undefined;
  /** Whether it comes in chunks (`aws-chunked`), which the verified signature has chosen. */
  readonly chunked: boolean;
  /** Names of the fields behind the last chunk. */
  readonly trailers: readonly string[];
  /** A field behind the last chunk, once the body has been read. */
  trailer(name: string): string | undefined;
}

/**
 * Opens a body by the mode that the signature was verified for. Nothing but the grant decides: a header alone never chooses how
 * a body is read (CVE-2025-31489, CVE-2026-41145).
 */
export function openPayload(
  grant: S3Grant | S3HeaderGrant,
  { fields }: Received,
  body: AsyncIterable<Uint8Array>,
): Payload {
  const chunks = grant.obligations.find((obligation) => obligation.kind === "body-chunks");
  if (chunks === undefined || !("openBody" in grant)) {
    return { body, length: contentLength(fields), chunked: false, trailers: NONE, trailer: none };
  }
  const { bytes, trailers } = grant.openBody(body);
  return {
    // What the decoder hands out are views of what it reads, and it is behind them before it reads on.
    body: releasingThrough(body, bytes),
    length: chunks.length,
    chunked: true,
    trailers: chunks.trailers,
    trailer: (name) => trailers.get(name),
  };
}

const NONE: readonly string[] = [];

function none(): undefined {
  return undefined;
}
