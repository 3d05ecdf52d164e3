import { isChecksumAlgorithm } from "../../http/checksum.ts";
import { childrenOf, optionalText, type ReadElement, requiredText } from "../../http/xml-reader.ts";
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
import { uploadFault } from "./fault.ts";
import { decoderOf, expectBelow, markerOf, PAGE, prefixesOf } from "./list-objects.ts";
import { isStorable, type Names, type Place } from "./names.ts";
import { checksumIn, dateOf, numberIn, unquoted } from "./object-info.ts";
import type { Upstream } from "./upstream.ts";

export interface PartsOptions {
  /** Parts of higher numbers. */
  readonly after: number;
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** What the upstream tells of uploads that are under way. */
export interface OpenUploads {
  /** Where an upload is, in the upstream's names. @throws {StorageError} `NO_SUCH_UPLOAD` for what can be none */
  place(upload: UploadRef): Promise<Place>;
  /** From memory for a while: each part asks, and what an upload was begun with does not change. */
  get(upload: UploadRef): Promise<UploadInfo>;
  parts(upload: UploadRef, options: PartsOptions): Promise<PartPage>;
  list(bucket: string, options: ListUploadsOptions): Promise<UploadPage>;
  remember(info: UploadInfo): void;
  forget(upload: UploadRef): void;
}

const REMEMBERED = 1000;
/** Of uploads of one key that are looked through for when one of them began. */
const MAX_PAGES = 100;

export function openUploads(upstream: Upstream, names: Names): OpenUploads {
  const known = new Map<string, UploadInfo>();
  const idOf = ({ bucket, key, uploadId }: UploadRef): string => JSON.stringify([bucket, key, uploadId]);

  function remember(info: UploadInfo): void {
    const id = idOf(info);
    known.delete(id);
    known.set(id, info);
    const [oldest] = known.keys();
    if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
  }

  async function partsOf(
    { bucket, key, uploadId }: UploadRef,
    { after, limit, signal }: PartsOptions,
  ): Promise<{
    readonly checksum: UploadChecksum | undefined;
    readonly parts: readonly PartInfo[];
    readonly truncated: boolean;
  }> {
    const query = {
      uploadId,
      "max-parts": String(Math.min(limit, PAGE)),
      ...(after === 0 ? {} : { "part-number-marker": String(after) }),
    };
    const call = { doing: "list the parts", bucket: await names.of(bucket), key, query, signal };
    const { document, fault } = await upstream.readOrFault(call, "ListPartsResult");
    if (document === undefined) throw uploadFault(fault, call.doing);
    return {
      checksum: checksumOf(document),
      parts: childrenOf(document, "Part").map(partOf),
      truncated: optionalText(document, "IsTruncated") === "true",
    };
  }

  async function list(name: string, options: ListUploadsOptions): Promise<UploadPage> {
    const { prefix, delimiter, after, limit, signal } = options;
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
    const { document } = await upstream.read(
      { doing: "list the uploads", bucket, query, signal },
      "ListMultipartUploadsResult",
    );
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
    // Stable: uploads of one key stay in the order in which they began.
    const entries = [...uploads, ...prefixesOf(document)].sort((a, b) => compareUtf8(textOf(a), textOf(b)));
    expectBelow(prefix, entries.map(textOf));
    return { entries, truncated: optionalText(document, "IsTruncated") === "true" };
  }

  /** A list of parts does not say when the upload began, and a list of uploads does. */
  async function look(upload: UploadRef): Promise<UploadInfo> {
    const { checksum } = await partsOf(upload, { after: 0, limit: 1 });
    const { bucket, key, uploadId } = upload;
    let after: ListUploadsOptions["after"];
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const page = await list(bucket, { prefix: key, limit: PAGE, after }).catch(() => undefined);
      const last = page?.entries.at(-1);
      for (const entry of page?.entries ?? []) {
        if (entry.kind === "upload" && entry.upload.key === key && entry.upload.uploadId === uploadId)
          return entry.upload;
      }
      if (page?.truncated !== true || last?.kind !== "upload" || last.upload.key !== key) break;
      // One that does not know where to go on begins anew.
      if (after !== undefined && "key" in after && after.uploadId === last.upload.uploadId) break;
      after = last.upload;
    }
    // Perhaps these credentials may not list uploads.
    return { bucket, key, uploadId, checksum, created: new Date(0) };
  }

  async function place({ bucket, key, uploadId }: UploadRef): Promise<Place> {
    const found = { bucket: await names.of(bucket), key };
    if (uploadId === "" || !isStorable(key)) throw noSuchUpload();
    return found;
  }

  async function get(upload: UploadRef): Promise<UploadInfo> {
    const found = known.get(idOf(upload));
    if (found !== undefined) return found;
    const info = await look(upload);
    remember(info);
    return info;
  }

  return {
    place,
    get,
    list,
    remember,
    forget: (upload) => void known.delete(idOf(upload)),
    async parts(upload, options) {
      const { parts, truncated } = await partsOf(upload, options);
      return { upload: await get(upload), parts, truncated };
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

/** `undefined` for the word that some say where there is none. */
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
