/** What the three listings of a bucket have in common on the wire. */
import type { S3Grant } from "daypass/s3";
import { urlEncoded, type XmlElement } from "../../http/xml.ts";
import type { ListedObjects } from "../../operations/list-objects.ts";
import type { ListOptions, ListPage } from "../../storage/contract/listing.ts";
import { invalidArgument, readLimit } from "./arguments.ts";
import { ownerElement } from "./owner.ts";
import { checksumType } from "./present.ts";

/** What a listing was asked for, in the words of its request. */
export interface ListParameters {
  readonly prefix: string;
  /** An empty one is none. */
  readonly delimiter: string | undefined;
  readonly limit: number;
  readonly encoding: "url" | undefined;
  /** A value of the request or a key, as `encoding-type` asks for it. */
  encode(text: string): string;
  /** Any other parameter. */
  get(name: string): string | undefined;
}

export const LIST_PARAMETERS: readonly string[] = ["prefix", "delimiter", "max-keys", "encoding-type"];

const MAX_KEYS = 1000;

/**
 * Reads what all three have. The answer repeats it, so it reads it once more: nothing of a request is kept beside the grant.
 * @throws {Refusal} `INVALID_ARGUMENT`
 */
export function listParameters({ parameters }: S3Grant): ListParameters {
  const get = (name: string): string | undefined => parameters.find(([found]) => found === name)?.[1];
  const encoding = get("encoding-type");
  if (encoding !== undefined && encoding !== "url") {
    throw invalidArgument("encoding-type", encoding, "Invalid Encoding Method specified in Request");
  }
  return {
    prefix: get("prefix") ?? "",
    delimiter: get("delimiter") || undefined,
    limit: readLimit("max-keys", get("max-keys"), {
      most: MAX_KEYS,
      text: "Argument max-keys must be an integer between 0 and 2147483647",
    }),
    encoding,
    encode: encoding === undefined ? (text) => text : urlEncoded,
    get,
  };
}

/** Where a listing goes on that names a key: one below a delimiter stands for all that is rolled up with it. */
export function afterMarker(marker: string | undefined, parameters: ListParameters): ListOptions["after"] {
  const { prefix, delimiter } = parameters;
  if (marker === undefined || marker === "") return undefined;
  const at = delimiter === undefined || !marker.startsWith(prefix) ? -1 : marker.indexOf(delimiter, prefix.length);
  return at < 0 ? { key: marker } : { prefix: marker.slice(0, at + (delimiter?.length ?? 0)) };
}

/** The last entry of a page that has another behind it. */
export function nextMarker({ entries, truncated }: ListPage): string | undefined {
  const last = truncated ? entries.at(-1) : undefined;
  return last?.kind === "object" ? last.key : last?.prefix;
}

/** The elements between the words of the request and the entries. */
export function limits({ page }: ListedObjects, parameters: ListParameters): readonly XmlElement[] {
  const { delimiter, limit, encoding, encode } = parameters;
  return [
    ["MaxKeys", limit],
    ["Delimiter", delimiter === undefined ? undefined : encode(delimiter)],
    ["EncodingType", encoding],
    ["IsTruncated", page.truncated],
  ];
}

export interface EntryStyle {
  readonly element: "Contents" | "Version";
  readonly owner: boolean;
  /** Between the key and the rest. */
  readonly version?: readonly XmlElement[];
}

/** Objects, then rolled-up prefixes, each in their order. */
export function entries({ page }: ListedObjects, { encode }: ListParameters, style: EntryStyle): XmlElement[] {
  const objects: XmlElement[] = [];
  const prefixes: XmlElement[] = [];
  for (const entry of page.entries) {
    if (entry.kind === "prefix") {
      prefixes.push(["CommonPrefixes", [["Prefix", encode(entry.prefix)]]]);
      continue;
    }
    const { key, lastModified, etag, size, checksums = NONE } = entry;
    objects.push([
      style.element,
      [
        ["Key", encode(key)],
        ...(style.version ?? []),
        // In whole seconds, as the header Last-Modified has it: clients compare the two.
        ["LastModified", new Date(Math.floor(lastModified.getTime() / 1000) * 1000)],
        ["ETag", `"${etag}"`],
        ...listedChecksum(checksums),
        ["Size", size],
        ...(style.owner ? [ownerElement("Owner")] : []),
        ["StorageClass", "STANDARD"],
      ],
    ]);
  }
  return [...objects, ...prefixes];
}

const NONE: Readonly<Record<string, string>> = {};

/** Of an object's checksum a listing tells the algorithm, and not the value. */
function listedChecksum(checksums: Readonly<Record<string, string>>): readonly XmlElement[] {
  return Object.entries(checksums).flatMap(([algorithm, value]): XmlElement[] => [
    ["ChecksumAlgorithm", algorithm.toUpperCase()],
    ["ChecksumType", checksumType(value)],
  ]);
}
