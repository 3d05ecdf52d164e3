import { isChecksumAlgorithm } from "../../http/checksum.ts";
import { childrenOf, optionalText, type ReadElement, requiredText } from "../../http/xml-reader.ts";
import { boundedMap } from "../contract/bounded-map.ts";
import { compareUtf8 } from "../contract/listing.ts";
import type {
  ListUploadsOptions,
  PartInfo,
  PartPage,
  UploadChecksum,
  UploadEntry,
  UploadInfo,
  UploadPage,
  UploadRef,
} from "../contract/multipart.ts";
import { noSuchUpload } from "../contract/upload-refusals.ts";
import type { DriverContext } from "./driver-context.ts";
import { uploadFault } from "./fault.ts";
import { decoderOf, expectBelow, markerOf, PAGE, prefixesOf } from "./list-objects.ts";
import { isStorable, type Place } from "./names.ts";
import { checksumIn, dateOf, numberIn, unquoted } from "./object-info.ts";

export interface PartsOptions {
  /** Only parts with higher numbers. */
  readonly after: number;
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** What the upstream reports about open uploads. */
export interface OpenUploads {
  /** The upload's object in the upstream's names. @throws {StorageError} `NO_SUCH_UPLOAD` for an impossible upload */
  place(upload: UploadRef): Promise<Place>;
  /** Memoised: each part asks, and the description of an upload does not change. */
  get(upload: UploadRef): Promise<UploadInfo>;
  parts(upload: UploadRef, options: PartsOptions): Promise<PartPage>;
  list(bucket: string, options: ListUploadsOptions): Promise<UploadPage>;
  remember(info: UploadInfo): void;
  forget(upload: UploadRef): void;
}

const REMEMBERED = 1000;

export function openUploads({ upstream, names }: Pick<DriverContext, "upstream" | "names">): OpenUploads {
  const known = boundedMap<UploadInfo>(REMEMBERED);
  const idOf = ({ bucket, key, uploadId }: UploadRef): string => JSON.stringify([bucket, key, uploadId]);

  async function partsOf(upload: UploadRef, { after, limit, signal }: PartsOptions): Promise<PartPage> {
    const { bucket, key, uploadId } = upload;
    const query = {
      uploadId,
      "max-parts": String(Math.min(limit, PAGE)),
      ...(after === 0 ? {} : { "part-number-marker": String(after) }),
    };
    const { document } = await upstream.read(
      { doing: "list the parts", bucket: await names.of(bucket), key, query, signal, error: uploadFault },
      "ListPartsResult",
    );
    return {
      // A list of parts does not contain the time at which the upload began.
      upload: known.get(idOf(upload)) ?? {
        bucket,
        key,
        uploadId,
        checksum: checksumOf(document),
        created: new Date(0),
      },
      parts: childrenOf(document, "Part").map(partOf),
      truncated: optionalText(document, "IsTruncated") === "true",
    };
  }

  return {
    parts: partsOf,
    async place({ bucket, key, uploadId }) {
      const found = { bucket: await names.of(bucket), key };
      if (uploadId === "" || !isStorable(key)) throw noSuchUpload();
      return found;
    },
    async get(upload) {
      const id = idOf(upload);
      const found = known.get(id);
      if (found !== undefined) return found;
      const page = await partsOf(upload, { after: 0, limit: 1 });
      known.set(id, page.upload);
      return page.upload;
    },
    remember: (info) => known.set(idOf(info), info),
    forget: (upload) => void known.delete(idOf(upload)),
    async list(name, { prefix, delimiter, after, limit, signal }) {
      const bucket = await names.of(name);
      const marker = markerOf(after);
      const uploadId = after !== undefined && "key" in after ? after.uploadId : undefined;
      const query: Record<string, string> = {
        uploads: "",
        "encoding-type": "url",
        "max-uploads": String(Math.min(limit, PAGE)),
        prefix,
        ...(delimiter === undefined ? {} : { delimiter }),
        ...(marker === undefined ? {} : { "key-marker": marker }),
        ...(uploadId === undefined ? {} : { "upload-id-marker": uploadId }),
      };
      const call = { doing: "list the uploads", bucket, query, signal };
      const { document } = await upstream.read(call, "ListMultipartUploadsResult");
      const decode = decoderOf(document);
      const uploads = childrenOf(document, "Upload").map(
        (element): UploadEntry => ({
          kind: "upload",
          upload: {
            bucket: name,
            key: decode(requiredText(element, "Key")),
            uploadId: requiredText(element, "UploadId"),
            created: dateOf(requiredText(element, "Initiated")),
            checksum: checksumOf(element),
          },
        }),
      );
      // The sort is stable: uploads of one key stay in the order in which they began.
      const entries = [...uploads, ...prefixesOf(document)].sort((a, b) => compareUtf8(textOf(a), textOf(b)));
      expectBelow(prefix, entries.map(textOf));
      return { entries, truncated: optionalText(document, "IsTruncated") === "true" };
    },
  };
}

function partOf(element: ReadElement): PartInfo {
  return {
    number: numberIn(element, "PartNumber"),
    size: numberIn(element, "Size"),
    etag: unquoted(requiredText(element, "ETag")),
    lastModified: dateOf(requiredText(element, "LastModified")),
    checksum: checksumIn(element),
  };
}

/** `undefined` also for the placeholder that some servers send without a checksum. */
function checksumOf(element: ReadElement): UploadChecksum | undefined {
  const algorithm = optionalText(element, "ChecksumAlgorithm")?.toLowerCase() ?? "";
  if (!isChecksumAlgorithm(algorithm)) return undefined;
  const type = optionalText(element, "ChecksumType");
  const whole = type === undefined ? algorithm === "crc64nvme" : type === "FULL_OBJECT";
  return { algorithm, type: whole ? "FULL_OBJECT" : "COMPOSITE" };
}

function textOf(entry: UploadEntry): string {
  return entry.kind === "upload" ? entry.upload.key : entry.prefix;
}
