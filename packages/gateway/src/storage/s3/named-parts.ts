import type { XmlElement } from "../../http/xml.ts";
import type { NamedPart, PartInfo, UploadInfo, UploadRef } from "../contract/multipart.ts";
import { noSuchPart } from "../contract/upload-refusals.ts";

/** The parts that a completion names, with the checksums that the upstream was not told. */
export interface NamedParts {
  /** To be called for a part of an upload that has no checksum, which the upstream would refuse with one. */
  remember(upload: UploadRef, part: PartInfo): void;
  /**
   * One part as the upstream is to read it; `open` is the upload as far as it is known.
   * @throws {StorageError} `INVALID_PART` where it is named by another checksum
   */
  element(upload: UploadRef, part: NamedPart, open: UploadInfo | undefined): XmlElement;
}

// Some megabytes. What falls out is not compared any more.
const REMEMBERED = 20_000;

/** In memory: another process, or this one after a restart, knows only what it has received itself. */
export function namedParts(): NamedParts {
  const known = new Map<string, PartInfo["checksum"]>();
  const idOf = ({ uploadId }: UploadRef, { number, etag }: Pick<NamedPart, "number" | "etag">): string =>
    JSON.stringify([uploadId, number, etag]);

  /** The checksum that the upstream is to compare. */
  function checksumFor(upload: UploadRef, part: NamedPart, open: UploadInfo | undefined): PartInfo["checksum"] {
    const { checksum: value } = part;
    if (value === undefined) return undefined;
    // After the completion as well: the very same call may come again.
    const received = known.get(idOf(upload, part));
    const algorithm = part.algorithm ?? open?.checksum?.algorithm ?? received?.algorithm;
    if (algorithm === undefined) throw noSuchPart(part);
    if (received !== undefined) {
      if (received.algorithm !== algorithm || received.value !== value) throw noSuchPart(part);
      return undefined;
    }
    // An upstream that was told of no checksum refuses every one, and the ETag names the bytes as well.
    return open !== undefined && open.checksum === undefined ? undefined : { algorithm, value };
  }

  return {
    remember(upload, { number, etag, checksum }) {
      if (checksum === undefined) return;
      const id = idOf(upload, { number, etag });
      known.delete(id);
      known.set(id, checksum);
      const [oldest] = known.keys();
      if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
    },
    element(upload, part, open) {
      const checksum = checksumFor(upload, part, open);
      return [
        "Part",
        [
          ["PartNumber", part.number],
          ["ETag", `"${part.etag}"`],
          ...(checksum === undefined ? [] : [[`Checksum${checksum.algorithm.toUpperCase()}`, checksum.value] as const]),
        ],
      ];
    },
  };
}
