import { contentTypeOf } from "../../http/content-type.ts";
import { urlEncoded } from "../../http/xml.ts";
import { optionalText } from "../../http/xml-reader.ts";
import { preconditionFailed } from "../contract/preconditions.ts";
import type { CopyOptions, ObjectInfo, ObjectRef } from "../contract/storage.ts";
import { conditionalFault, type WriteConditions } from "./conditions.ts";
import { expectStorable, isStorable, type Names } from "./names.ts";
import { headersOfInfo, storedEtag, taggingHeader } from "./object-info.ts";
import type { ObjectReader } from "./read-object.ts";
import { describeStored } from "./store-object.ts";
import type { Upstream } from "./upstream.ts";

export interface ObjectCopierOptions {
  readonly upstream: Upstream;
  readonly names: Names;
  readonly conditions: WriteConditions;
  readonly reader: ObjectReader;
  readonly clock: () => Date;
}

export type CopyObject = (
  source: ObjectRef,
  target: ObjectRef,
  options: CopyOptions,
) => Promise<ObjectInfo | undefined>;

/** The headers that name the source of a copy, of the upstream's own names. */
export function copySource(bucket: string, key: string, etag: string): Readonly<Record<string, string>> {
  return { "x-amz-copy-source": `/${bucket}/${urlEncoded(key)}`, "x-amz-copy-source-if-match": `"${etag}"` };
}

/** Copies inside the upstream; no byte passes here. */
export function objectCopier({ upstream, names, conditions, reader, clock }: ObjectCopierOptions): CopyObject {
  return async (source, target, options) => {
    const { sourceEtag, tags, checksum, ifMatch, signal } = options;
    expectStorable(target);
    const [from, bucket] = [await names.of(source.bucket), await names.of(target.bucket)];
    if (!isStorable(source.key)) return undefined;
    const info = await reader.head(source, { signal });
    if (info === undefined) return undefined;
    if (info.etag !== sourceEtag) throw preconditionFailed();
    // A copy onto itself that changes nothing is refused by S3, and is one that renews.
    const onItself = from === bucket && source.key === target.key;
    const replace = options.replace ?? (onItself ? info : undefined);
    const condition = await conditions.headers("copy", { bucket, key: target.key }, options);
    const headers = {
      ...copySource(from, source.key, sourceEtag),
      ...(replace === undefined
        ? {}
        : {
            "x-amz-metadata-directive": "REPLACE",
            ...headersOfInfo(target.key, { ...replace, contentType: replace.contentType ?? contentTypeOf(target.key) }),
          }),
      ...(tags === undefined ? {} : { "x-amz-tagging-directive": "REPLACE", ...taggingHeader(tags) }),
      ...(checksum === undefined ? {} : { "x-amz-checksum-algorithm": checksum.toUpperCase() }),
      ...condition,
    };
    const doing = "copy the object";
    const call = { doing, method: "PUT", bucket, key: target.key, headers, signal };
    const { document, fault } = await upstream.readOrFault(call, "CopyObjectResult");
    if (fault?.code === "NoSuchKey" && ifMatch === undefined) return undefined;
    if (document === undefined) throw conditionalFault(fault, doing, condition);
    // An answer without it has been seen where nothing was copied (radosgw 18 on its file store).
    const etag = storedEtag(optionalText(document, "ETag"), doing);
    const { contentType, headers: stored, metadata } = { ...info, ...replace };
    return describeStored({ reader, clock }, target, {
      size: info.size,
      etag,
      contentType,
      headers: stored ?? {},
      metadata: metadata ?? {},
      checksums: {},
      tags: tags ?? info.tags,
    });
  };
}
