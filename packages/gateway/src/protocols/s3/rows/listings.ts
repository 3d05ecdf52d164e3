import { urlEncoded, type XmlElements } from "../../../http/xml.ts";
import type { ListBuckets } from "../../../operations/buckets.ts";
import type { ListObjects } from "../../../operations/list-objects.ts";
import { permitBuckets, permitPrefix } from "../../../pipeline/authorize.ts";
import { type ListOptions, type ListPage, positionAfter } from "../../../storage/contract/listing.ts";
import { checksumType, OWNER, quoted, xmlAnswer } from "../answers.ts";
import { INVALID_VERSION, invalidArgument, readInteger, readLimit } from "../arguments.ts";
import { continuationToken, readContinuationToken } from "../continuation.ts";
import { onKeys, onService, type S3Call, type S3Row } from "../row.ts";

const COMMON: readonly string[] = ["prefix", "delimiter", "max-keys", "encoding-type"];
const MAX_KEYS = 1000;
const BUCKET_PARAMETERS = ["prefix", "max-buckets", "continuation-token", "bucket-region"];
const MAX_BUCKETS = 10_000;

export const listingRows: readonly S3Row[] = [
  // Each object is the latest and only version, called `null`, as in a bucket of Amazon without versioning.
  onKeys<ListObjects>({
    name: "ListObjectVersions",
    action: "s3:ListBucketVersions",
    method: "GET",
    selectors: ["versions"],
    parameters: [...COMMON, "key-marker", "version-id-marker"],
    read(call) {
      const marker = call.parameters.get("key-marker") || undefined;
      const version = call.parameters.get("version-id-marker") || undefined;
      const listed = readListing(call);
      if (version !== undefined && marker === undefined) {
        const text = "A version-id marker cannot be specified without a key marker.";
        throw invalidArgument("version-id-marker", version, text);
      }
      if (version !== undefined && version !== "null")
        throw invalidArgument("version-id-marker", version, INVALID_VERSION);
      return listObjects(call, afterMarker(marker, listed));
    },
    present(page, { asked, call, requestId }) {
      const { parameters } = call;
      const { encode } = readListing(call);
      const next = nextMarker(page);
      const isKey = page.entries.at(-1)?.kind === "object";
      const content = {
        Name: asked.keys.bucket,
        Prefix: encode(asked.keys.prefix),
        KeyMarker: encode(parameters.get("key-marker") ?? ""),
        VersionIdMarker: parameters.get("version-id-marker") ?? "",
        NextKeyMarker: next && encode(next),
        NextVersionIdMarker: next === undefined || !isKey ? undefined : "null",
        ...limitElements(call, page),
        Version: objectElements(call, page, { owner: true, version: { VersionId: "null", IsLatest: true } }),
        CommonPrefixes: prefixElements(call, page),
      };
      return xmlAnswer({ requestId }, { root: "ListVersionsResult", content });
    },
  }),
  onKeys<ListObjects>({
    name: "ListObjectsV2",
    action: "s3:ListBucket",
    method: "GET",
    selectors: ["list-type"],
    parameters: [...COMMON, "continuation-token", "start-after", "fetch-owner"],
    read(call) {
      readListing(call);
      const type = call.parameters.get("list-type") ?? "";
      if (type !== "2") throw invalidArgument("list-type", type, "Invalid List Type specified in Request");
      const token = call.parameters.get("continuation-token");
      const start = call.parameters.get("start-after") || undefined;
      // "StartAfter is where you want Amazon S3 to start listing from": a key. The rest of a rolled-up prefix follows it.
      const first = start === undefined ? undefined : { key: start };
      return listObjects(call, token === undefined ? first : readContinuationToken(token, identity(call)));
    },
    present(page, { asked, call, requestId }) {
      const { parameters } = call;
      const { encode } = readListing(call);
      const last = page.truncated ? page.entries.at(-1) : undefined;
      const start = parameters.get("start-after");
      const owner = parameters.get("fetch-owner") === "true";
      const content = {
        Name: asked.keys.bucket,
        Prefix: encode(asked.keys.prefix),
        ContinuationToken: parameters.get("continuation-token"),
        NextContinuationToken: last && continuationToken(positionAfter(last), identity(call)),
        StartAfter: start === undefined ? undefined : encode(start),
        KeyCount: page.entries.length,
        ...limitElements(call, page),
        Contents: objectElements(call, page, { owner }),
        CommonPrefixes: prefixElements(call, page),
      };
      return xmlAnswer({ requestId }, { root: "ListBucketResult", content });
    },
  }),
  onKeys<ListObjects>({
    name: "ListObjects",
    action: "s3:ListBucket",
    method: "GET",
    parameters: [...COMMON, "marker"],
    read: (call) => listObjects(call, afterMarker(call.parameters.get("marker"), readListing(call))),
    present(page, { asked, call, requestId }) {
      const { delimiter, encode } = readListing(call);
      // "This element is returned only if you have the delimiter request parameter specified."
      const next = delimiter === undefined ? undefined : nextMarker(page);
      const content = {
        Name: asked.keys.bucket,
        Prefix: encode(asked.keys.prefix),
        Marker: encode(call.parameters.get("marker") ?? ""),
        NextMarker: next && encode(next),
        ...limitElements(call, page),
        Contents: objectElements(call, page, { owner: true }),
        CommonPrefixes: prefixElements(call, page),
      };
      return xmlAnswer({ requestId }, { root: "ListBucketResult", content });
    },
  }),
  onService<ListBuckets>({
    name: "ListBuckets",
    action: "s3:ListAllMyBuckets",
    method: "GET",
    parameters: BUCKET_PARAMETERS,
    read({ permit, parameters, region }) {
      const prefix = parameters.get("prefix") ?? "";
      const limit = readBucketLimit(parameters.get("max-buckets"));
      const token = parameters.get("continuation-token");
      const position = token === undefined ? undefined : readContinuationToken(token, [prefix]);
      const elsewhere = (parameters.get("bucket-region") ?? region) !== region;
      return {
        operation: "list-buckets",
        permitted: permitBuckets(permit),
        prefix,
        after: position !== undefined && "key" in position ? position.key : undefined,
        limit: elsewhere ? 0 : limit,
      };
    },
    present({ buckets, truncated }, { asked: { prefix }, call, requestId }) {
      const { parameters, region } = call;
      const last = truncated ? buckets.at(-1) : undefined;
      // "If the request contains at least one valid parameter, it is included in the response."
      const shown = parameters.size > 0 ? region : undefined;
      const content = {
        Owner: OWNER,
        Buckets: {
          Bucket: buckets.map(({ name, created }) => ({ Name: name, CreationDate: created, BucketRegion: shown })),
        },
        ContinuationToken: last && continuationToken({ key: last.name }, [prefix]),
        Prefix: parameters.get("prefix"),
      };
      return xmlAnswer({ requestId }, { root: "ListAllMyBucketsResult", content });
    },
  }),
];

/** The parameters that all listings of objects share. */
interface Listing {
  readonly prefix: string;
  /** An empty delimiter counts as none. */
  readonly delimiter: string | undefined;
  readonly limit: number;
  readonly encoding: "url" | undefined;
  /** Writes a value of the request or a key as `encoding-type` asks for. */
  encode(text: string): string;
}

/** Reads the shared parameters, for the operation and again for the answer. @throws {Refusal} `INVALID_ARGUMENT` */
function readListing({ parameters }: S3Call): Listing {
  const encoding = readEncoding(parameters.get("encoding-type"));
  const text = "Argument max-keys must be an integer between 0 and 2147483647";
  return {
    prefix: parameters.get("prefix") ?? "",
    delimiter: parameters.get("delimiter") || undefined,
    limit: readLimit("max-keys", parameters.get("max-keys"), { most: MAX_KEYS, text }),
    ...encoding,
  };
}

export function readEncoding(encoding: string | undefined): Pick<Listing, "encoding" | "encode"> {
  if (encoding === undefined) return { encoding, encode: (text) => text };
  if (encoding === "url") return { encoding, encode: urlEncoded };
  throw invalidArgument("encoding-type", encoding, "Invalid Encoding Method specified in Request");
}

function readBucketLimit(asked: string | undefined): number {
  const limit = asked === undefined ? MAX_BUCKETS : readInteger(asked);
  if (limit !== undefined && limit >= 1 && limit <= MAX_BUCKETS) return limit;
  const text = `Argument max-buckets must be an integer between 1 and ${MAX_BUCKETS}`;
  throw invalidArgument("max-buckets", asked ?? "", text);
}

function listObjects(call: S3Call, after: ListOptions["after"]): ListObjects {
  const { prefix, delimiter, limit } = readListing(call);
  return { operation: "list-objects", keys: permitPrefix(call.permit, prefix), delimiter, after, limit };
}

/** A continuation token belongs to a bucket, a prefix and a delimiter. */
function identity({ permit, parameters }: S3Call): readonly string[] {
  return [permit.bucket, parameters.get("prefix") ?? "", parameters.get("delimiter") ?? ""];
}

/** The position after a marker. A marker below a delimiter stands for the whole prefix that it is rolled up into. */
function afterMarker(marker: string | undefined, { prefix, delimiter }: Listing): ListOptions["after"] {
  if (marker === undefined || marker === "") return undefined;
  const at = delimiter === undefined || !marker.startsWith(prefix) ? -1 : marker.indexOf(delimiter, prefix.length);
  return at < 0 ? { key: marker } : { prefix: marker.slice(0, at + (delimiter?.length ?? 0)) };
}

/** The last entry of a truncated page. */
function nextMarker({ entries, truncated }: ListPage): string | undefined {
  const last = truncated ? entries.at(-1) : undefined;
  return last?.kind === "object" ? last.key : last?.prefix;
}

function limitElements(call: S3Call, { truncated }: ListPage): XmlElements {
  const { delimiter, limit, encoding, encode } = readListing(call);
  return {
    MaxKeys: limit,
    Delimiter: delimiter && encode(delimiter),
    EncodingType: encoding,
    IsTruncated: truncated,
  };
}

interface ObjectStyle {
  readonly owner: boolean;
  /** Elements after the key. */
  readonly version?: XmlElements;
}

function objectElements(call: S3Call, { entries }: ListPage, { owner, version }: ObjectStyle): XmlElements[] {
  const { encode } = readListing(call);
  return entries.flatMap((entry) => {
    if (entry.kind === "prefix") return [];
    const { key, lastModified, etag, size, checksums = {} } = entry;
    const [checksum] = Object.entries(checksums);
    return [
      {
        Key: encode(key),
        ...version,
        // Whole seconds, like the header Last-Modified: clients compare the two.
        LastModified: new Date(Math.floor(lastModified.getTime() / 1000) * 1000),
        ETag: quoted(etag),
        // A listing names the algorithm of a checksum without its value.
        ChecksumAlgorithm: checksum?.[0].toUpperCase(),
        ChecksumType: checksum && checksumType(checksum[1]),
        Size: size,
        Owner: owner ? OWNER : undefined,
        StorageClass: "STANDARD",
      },
    ];
  });
}

function prefixElements(call: S3Call, { entries }: ListPage): XmlElements[] {
  const { encode } = readListing(call);
  return entries.flatMap((entry) => (entry.kind === "prefix" ? [{ Prefix: encode(entry.prefix) }] : []));
}
