/**
 * Reads a permitted request for a row and refuses everything that the row does not read.
 * @module
 */
import { DaypassError, type Grant } from "daypass";
import type { S3Grant } from "daypass/s3";
import type { S3HeaderGrant } from "daypass/s3/header";
import { CHECKSUM_BYTES } from "../../http/checksum.ts";
import { excerpt } from "../../http/excerpt.ts";
import { metadataOfHeader, metadataOfParameter, metadataSize } from "../../http/metadata.ts";
import { releasingThrough } from "../../http/releasable-body.ts";
import type { Permit } from "../../permit.ts";
import type { Received } from "../../pipeline/receive.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import { contentLength } from "../request-fields.ts";
import { invalidArgument, notImplemented } from "./arguments.ts";
import type { S3PostGrant } from "./form.ts";
import { CANNED_ACLS, HARMLESS_AMZ, STORAGE_CLASSES, SUB_RESOURCES } from "./names.ts";
import type { Payload, S3Call, S3Row, S3RowOptions, Tolerable } from "./row.ts";

type Fields = Pick<S3Call, "metadata" | "checksums" | "amz" | "parameters">;

const NONE: ReadonlyMap<string, string> = new Map();
const NO_FIELDS: Fields = { metadata: {}, checksums: NONE, amz: NONE, parameters: NONE };
// Opening the payload acted on these already.
const CHUNK_HEADERS: ReadonlySet<string> = new Set(["x-amz-decoded-content-length", "x-amz-trailer"]);
const META = "x-amz-meta-";
// Current AWS SDKs sign this into the query of an upload URL because there is no body yet (aws-sdk-js-v3 #6810). The caller did not
// ask for the checksum, and it would refuse every upload. As a header, and for any other value, the checksum is compared with the body.
const CRC_OF_EMPTY_BODY = "crc32=AAAAAA==";
const CHECKSUM = new RegExp(`^x-amz-checksum-(${Object.keys(CHECKSUM_BYTES).join("|")})$`);

/**
 * Reads every `x-amz-*` header and every parameter. SDKs move headers into the query of a presigned URL, and S3 reads them there too.
 * A name without effect here is refused: `x-amz-copy-source` on an upload would read another object (CVE-2026-54330), and an ignored
 * lock or encryption header would be a broken promise.
 *
 * @throws {DaypassError} `UNSIGNED_HEADER` for headers of another dialect
 * @throws {Refusal} `NOT_IMPLEMENTED`, `METADATA_TOO_LARGE`, `INVALID_RESPONSE_HEADER`, `INVALID_REQUEST`,
 *   `ACL_NOT_SUPPORTED`, `INVALID_STORAGE_CLASS`, `BODY_DIGEST`
 */
export function readCall(
  row: S3Row,
  {
    permit,
    received,
    body,
  }: { readonly permit: Permit<S3Grant>; readonly received: Received; readonly body: AsyncIterable<Uint8Array> },
  { limits, createHash, origins, region, tolerate }: S3RowOptions,
): S3Call {
  const { grant } = permit;
  const payload = openPayload(grant, received, body);
  const { metadata, checksums, amz, parameters } = readFields(row, received, {
    grant,
    payload,
    limit: limits.metadata,
    tolerate,
  });
  if (row.readsBody !== true) expectNoBody(grant);
  expectNoConditions(row, received);
  // Written out: spreading three objects costs as much as the rest of reading a small request.
  return {
    permit,
    received,
    payload,
    limits,
    createHash,
    origins,
    region,
    tolerate,
    metadata,
    checksums,
    amz,
    parameters,
  };
}

export function isPostGrant(grant: Grant): grant is S3PostGrant {
  return grant.scheme.startsWith("s3/form");
}

/**
 * Opens a body in the mode that the signature was verified for. Only the grant decides: an unverified header never selects how a
 * body is read (CVE-2025-31489, CVE-2026-41145).
 */
function openPayload(grant: S3Grant | S3HeaderGrant, { fields }: Received, body: AsyncIterable<Uint8Array>): Payload {
  const chunks = grant.obligations.find((obligation) => obligation.kind === "body-chunks");
  if (chunks === undefined || !("openBody" in grant)) {
    return { body, length: contentLength(fields), chunked: false, trailers: NO_TRAILERS, trailer: noTrailer };
  }
  const { bytes, trailers } = grant.openBody(body);
  return {
    // The decoder returns views of its input, and has finished with a piece before it reads the next one.
    body: releasingThrough(body, bytes),
    length: chunks.length,
    chunked: true,
    trailers: chunks.trailers,
    trailer: (name) => trailers.get(name),
  };
}

const NO_TRAILERS: readonly string[] = [];

function noTrailer(): undefined {
  return undefined;
}

function readFields(
  row: S3Row,
  { request }: Received,
  {
    grant,
    payload,
    limit,
    tolerate,
  }: Pick<S3RowOptions, "tolerate"> & {
    readonly grant: S3Grant;
    readonly payload: Payload;
    readonly limit: number;
  },
): Fields {
  expectNothingForeign(request.headers, grant);
  if (grant.parameters.length === 0 && !request.headers.some(([name]) => isAmz(name))) return NO_FIELDS;
  const metadata = new Map<string, string>();
  const checksums = new Map<string, string>();
  const amz = new Map<string, string>();
  const parameters = new Map<string, string>();
  const read = (name: string, value: string, source: "header" | "parameter"): void => {
    const algorithm = CHECKSUM.exec(name)?.[1];
    if (name.startsWith(META)) {
      const text = source === "header" ? metadataOfHeader(value) : metadataOfParameter(value);
      addMetadata(metadata, name.slice(META.length), text);
    } else if (algorithm !== undefined) {
      if (source === "header" || `${algorithm}=${value}` !== CRC_OF_EMPTY_BODY) checksums.set(algorithm, value);
    } else if (name === row.header || row.amz?.includes(name) === true) {
      // The same name as a header and as a parameter is refused as well.
      if (amz.has(name)) throw new Refusal("INVALID_REQUEST", `${name} is repeated. Send it once`);
      amz.set(name, value);
    } else if (!(payload.chunked && source === "header" && CHUNK_HEADERS.has(name))) {
      const values = HARMLESS_AMZ.get(name);
      const isHarmless = HARMLESS_AMZ.has(name) && values?.includes(value) !== false;
      const kind = tolerableAs(name, value);
      if (!isHarmless && (kind === undefined || tolerate?.includes(kind) !== true)) {
        throw refuseAmz(row, source, { name, value, option: tolerate && kind });
      }
    }
  };
  for (const [name, value] of request.headers) {
    if (isAmz(name)) read(name.toLowerCase(), value, "header");
  }
  for (const [name, value] of grant.parameters) {
    if (isAmz(name)) read(name.toLowerCase(), value, "parameter");
    else if (row.selectors?.includes(name) === true || row.parameters?.includes(name) === true) {
      // A proxy in between may have acted on the other value.
      if (parameters.has(name)) throw invalidArgument(name, value, `The parameter ${name} was given more than once`);
      parameters.set(name, value);
    } else if (SUB_RESOURCES.has(name) || mayBeSubResource(name, value, row)) {
      throw notImplemented("parameter", name);
    }
  }
  if (metadata.size + checksums.size + amz.size + parameters.size === 0) return NO_FIELDS;
  const size = metadataSize(metadata);
  if (size > limit) {
    const message = `the user metadata has ${size} bytes. Send at most ${limit}`;
    throw new Refusal("METADATA_TOO_LARGE", message, { size, limit });
  }
  return { metadata: Object.fromEntries(metadata), checksums, amz, parameters };
}

function tolerableAs(name: string, value: string): Tolerable | undefined {
  if (name === "x-amz-server-side-encryption" && value === "AES256") return "encryption";
  return name === "x-amz-acl" && CANNED_ACLS.has(value) ? "acl" : undefined;
}

/**
 * Amazon selects new functions by a name without a value, as in `?annotation`. An upload with such a name would replace the object
 * itself. A read ignores unknown names, as at Amazon.
 */
function mayBeSubResource(name: string, value: string, { method }: S3Row): boolean {
  return value === "" && name !== "" && method !== "GET" && method !== "HEAD";
}

/**
 * Refuses unsigned headers of Cloud Storage and Azure: nothing here acts on them, but a storage or a proxy behind this gateway might.
 * A form has no such headers. Its fields replace them, and the policy names each field.
 *
 * @throws {DaypassError} `UNSIGNED_HEADER`
 */
function expectNothingForeign(headers: Received["request"]["headers"], grant: S3Grant): void {
  for (const [name] of headers) {
    if (!isForeign(name) || isPostGrant(grant)) continue;
    const lower = name.toLowerCase();
    if (grant.signedHeaders.includes(lower)) continue;
    const message = `the header ${lower} is not signed. Sign it, or leave it out`;
    throw new DaypassError("UNSIGNED_HEADER", message, { details: { headers: [lower] } });
  }
}

function isForeign(name: string): boolean {
  return (name.charCodeAt(0) | 32) === 120 && /^x-(?:goog|ms)-/i.test(name);
}

function isAmz(name: string): boolean {
  return (name.charCodeAt(0) | 32) === 120 && name.slice(0, 6).toLowerCase() === "x-amz-";
}

function addMetadata(metadata: Map<string, string>, name: string, value: string): void {
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) {
    const message = `a header cannot have the metadata name ${excerpt(name)}. Use letters, digits and hyphens`;
    throw new Refusal("INVALID_RESPONSE_HEADER", message, { parameter: META });
  }
  const previous = metadata.get(name);
  metadata.set(name, previous === undefined ? value : `${previous},${value}`);
}

/** Amazon's refusal if Amazon refuses the value too; otherwise the function is not implemented. */
function refuseAmz(
  row: S3Row,
  source: "header" | "parameter",
  { name, value, option }: { readonly name: string; readonly value: string; readonly option: Tolerable | undefined },
): Refusal {
  const hint = option && { hint: `For this test, pass tolerate: ["${option}"] to accept it without effect.` };
  if (name === "x-amz-acl" && !CANNED_ACLS.has(value)) return invalidArgument(name, value, "");
  if (name === "x-amz-acl" || name.startsWith("x-amz-grant-")) {
    const message = `the ${source} ${name} sets an access control list, and buckets here have none. Leave it out`;
    return new Refusal("ACL_NOT_SUPPORTED", message, { operation: row.name, ...hint });
  }
  if (name === "x-amz-storage-class" && !STORAGE_CLASSES.has(value)) {
    const message = `S3 has no storage class ${excerpt(value)}. Leave x-amz-storage-class out`;
    return new Refusal("INVALID_STORAGE_CLASS", message, { found: value });
  }
  return notImplemented(source, name, hint);
}

const SHA256_OF_EMPTY_BODY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Refuses any body hash but the hash of an empty body, for a call that does not read its body. */
export function expectNoBody({ obligations }: S3Grant): void {
  for (const obligation of obligations) {
    const { kind } = obligation;
    if (kind === "body-chunks" || (kind === "body-sha256" && obligation.sha256 !== SHA256_OF_EMPTY_BODY)) {
      const message = "x-amz-content-sha256 is not the hash of an empty body. This request has none: send that hash";
      throw new Refusal("BODY_DIGEST", message, {
        expected: kind === "body-sha256" ? obligation.sha256 : "",
        calculated: SHA256_OF_EMPTY_BODY,
      });
    }
  }
}

/** Refuses conditions that a write would ignore. */
function expectNoConditions({ method, conditional }: S3Row, { fields }: Received): void {
  if (conditional === true || method === "GET" || method === "HEAD") return;
  if (fields.ifMatch !== undefined) throw notImplemented("header", "If-Match");
  if (fields.ifNoneMatch !== undefined) throw notImplemented("header", "If-None-Match");
  if (fields.ifUnmodifiedSince !== undefined) throw notImplemented("header", "If-Unmodified-Since");
}
