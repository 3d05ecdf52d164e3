import { DaypassError, type WireRequest } from "daypass";
import type { S3Grant } from "daypass/s3";
import { CHECKSUM_BYTES } from "../../http/checksum.ts";
import { metadataOfHeader, metadataOfParameter, metadataSize } from "../../http/metadata.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import { invalidArgument } from "./arguments.ts";
import { isPostGrant } from "./form.ts";
import { CANNED_ACLS, HARMLESS_AMZ, STORAGE_CLASSES, SUB_RESOURCES } from "./names.ts";
import type { S3Operation } from "./operation.ts";
import type { Payload } from "./payload.ts";

/** The `x-amz-*` headers and the parameters of a request that an operation acts on; all of them were signed. */
export interface AmzFields {
  /** User metadata without `x-amz-meta-`, lower-case names. */
  readonly metadata: Readonly<Record<string, string>>;
  /** `x-amz-checksum-*` by algorithm in lower case, base64 as sent. */
  readonly checksums: ReadonlyMap<string, string>;
  /** Other `x-amz-*` that the operation reads, names in lower case. */
  readonly amz: ReadonlyMap<string, string>;
  /** The parameters that the operation reads. */
  readonly parameters: ReadonlyMap<string, string>;
}

const NONE: ReadonlyMap<string, string> = new Map();
const NOTHING: AmzFields = { metadata: {}, checksums: NONE, amz: NONE, parameters: NONE };
// What they say has been acted on when the payload was opened.
const CHUNK_HEADERS: ReadonlySet<string> = new Set(["x-amz-decoded-content-length", "x-amz-trailer"]);
const META = "x-amz-meta-";
// A current AWS SDK signs this into the query of an upload because it has no body yet (aws-sdk-js-v3 #6810): nobody asked for
// it, and every upload by such a URL would be refused. Any other checksum, and this one as a header, is held to the body.
const CRC_OF_NOTHING = "crc32=AAAAAA==";
const CHECKSUM = new RegExp(`^x-amz-checksum-(${Object.keys(CHECKSUM_BYTES).join("|")})$`);

/**
 * Reads every `x-amz-*` header and every parameter. SDKs move headers into the query of a presigned URL, where S3 reads them
 * just the same. One that nothing here acts on is refused by name: `x-amz-copy-source` on an upload would be a read of another
 * object (CVE-2026-54330), and an ignored lock or encryption header a promise not kept.
 *
 * @throws {DaypassError} `UNSIGNED_HEADER` for those of another dialect
 * @throws {Refusal} `NOT_IMPLEMENTED`, `METADATA_TOO_LARGE`, `INVALID_RESPONSE_HEADER`, `INVALID_REQUEST`,
 *   `ACL_NOT_SUPPORTED`, `INVALID_STORAGE_CLASS`
 */
export function readAmz(
  request: WireRequest,
  grant: S3Grant,
  {
    operation,
    payload,
    limits,
  }: {
    readonly operation: S3Operation;
    readonly payload: Payload;
    readonly limits: { readonly metadata: number };
  },
): AmzFields {
  expectNothingForeign(request.headers, grant);
  if (grant.parameters.length === 0 && !request.headers.some(([name]) => isAmz(name))) return NOTHING;
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
      if (source === "header" || `${algorithm}=${value}` !== CRC_OF_NOTHING) checksums.set(algorithm, value);
    } else if (name === operation.header || operation.amz?.includes(name) === true) {
      addOnce(amz, name, value);
    } else if (!(payload.chunked && source === "header" && CHUNK_HEADERS.has(name))) {
      const values = HARMLESS_AMZ.get(name);
      if (!HARMLESS_AMZ.has(name) || (values !== undefined && !values.includes(value))) {
        throw refuseAmz(source, name, value);
      }
    }
  };
  for (const [name, value] of request.headers) {
    if (isAmz(name)) read(name.toLowerCase(), value, "header");
  }
  for (const [name, value] of grant.parameters) {
    if (isAmz(name)) read(name.toLowerCase(), value, "parameter");
    else if (operation.selectors?.includes(name) === true || operation.parameters?.includes(name) === true) {
      // Two values of what steers an operation: somebody in between could have read the other.
      if (parameters.has(name)) throw invalidArgument(name, value, `The parameter ${name} was given more than once`);
      parameters.set(name, value);
    } else if (SUB_RESOURCES.has(name) || mayBeSubResource(name, value, operation)) {
      throw notImplemented("parameter", name);
    }
  }
  if (metadata.size + checksums.size + amz.size + parameters.size === 0) return NOTHING;
  checkSize(metadata, limits.metadata);
  return { metadata: Object.fromEntries(metadata), checksums, amz, parameters };
}

/**
 * Amazon selects a function that is new by a name without a value, as `?annotation` was. Taken for a write of the object itself, what was
 * to be said of an object would stand in its place. To a read it is passed over, as Amazon does with a name that it does not know.
 */
function mayBeSubResource(name: string, value: string, { method }: S3Operation): boolean {
  return value === "" && name !== "" && method !== "GET" && method !== "HEAD";
}

/** What steers an operation has one value, whether it came as a header or as a parameter. */
function addOnce(values: Map<string, string>, name: string, value: string): void {
  if (values.has(name)) {
    throw new Refusal("INVALID_REQUEST", `expected ${name} once, found it again: send it once`);
  }
  values.set(name, value);
}

/**
 * The headers by which Cloud Storage and Azure are told what to do: nothing here acts on them, and a storage or a proxy behind this
 * gateway might. A form has none: its fields stand in their place, and the policy has named each.
 *
 * @throws {DaypassError} `UNSIGNED_HEADER`
 */
function expectNothingForeign(headers: WireRequest["headers"], grant: S3Grant): void {
  for (const [name] of headers) {
    if (!isForeign(name) || isPostGrant(grant)) continue;
    const lower = name.toLowerCase();
    if (grant.signedHeaders.includes(lower)) continue;
    throw new DaypassError(
      "UNSIGNED_HEADER",
      `expected x-goog-* and x-ms-* only where they are signed, found ${lower}`,
      {
        details: { headers: [lower] },
      },
    );
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
    throw new Refusal("INVALID_RESPONSE_HEADER", "expected metadata names that a header can have, found another", {
      parameter: META,
    });
  }
  const previous = metadata.get(name);
  metadata.set(name, previous === undefined ? value : `${previous},${value}`);
}

function checkSize(metadata: ReadonlyMap<string, string>, limit: number): void {
  const size = metadataSize(metadata);
  if (size <= limit) return;
  throw new Refusal(
    "METADATA_TOO_LARGE",
    `expected at most ${limit} bytes of user metadata, found ${size}: send less`,
    {
      size,
      limit,
    },
  );
}

/** What Amazon would do, where it would refuse as well; else that it is not done here. */
function refuseAmz(source: "header" | "parameter", name: string, value: string): Refusal {
  if (name === "x-amz-acl" && !CANNED_ACLS.has(value)) return invalidArgument(name, value, "");
  if (name === "x-amz-acl" || name.startsWith("x-amz-grant-")) {
    return new Refusal(
      "ACL_NOT_SUPPORTED",
      `expected no access control list, found the ${source} ${name}: leave it out`,
    );
  }
  if (name === "x-amz-storage-class" && !STORAGE_CLASSES.has(value)) {
    return new Refusal("INVALID_STORAGE_CLASS", "expected a storage class of S3, found another", { found: value });
  }
  return notImplemented(source, name);
}

/** The refusal of something that S3 has and this gateway has not. */
export function notImplemented(what: "header" | "parameter" | "method", name: string): Refusal {
  return new Refusal("NOT_IMPLEMENTED", `expected a function that is implemented, found the ${what} ${name}`, {
    [what]: name,
  });
}
