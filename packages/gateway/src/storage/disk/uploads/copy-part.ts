/** A part made of an object's bytes. They are read, because a part has an MD5 of its own. */
import { closeSync } from "node:fs";
import type { CopyPartOptions, PartInfo, UploadRef } from "../../contract/multipart.ts";
import { preconditionFailed } from "../../contract/preconditions.ts";
import type { ObjectRef } from "../../contract/storage.ts";
import type { Layout } from "../layout.ts";
import { rangeBody, unchangedBody } from "../objects/file-bytes.ts";
import type { ObjectFinder } from "../objects/find-object.ts";
import { noSuchBucket } from "../refusals.ts";
import type { PartReceiver } from "./receive-parts.ts";

export type CopyPart = (
  upload: UploadRef,
  number: number,
  source: ObjectRef,
  options: CopyPartOptions,
) => Promise<PartInfo | undefined>;

export interface PartCopierOptions {
  readonly layout: Layout;
  readonly finder: ObjectFinder;
  readonly receiver: PartReceiver;
}

export function partCopier({ layout, finder, receiver }: PartCopierOptions): CopyPart {
  return async (upload, number, source, { range, sourceEtag, signal }) => {
    const found = await finder.find(source);
    if (found === undefined) {
      if (!layout.hasBucket(source.bucket)) throw noSuchBucket(source.bucket);
      return undefined;
    }
    try {
      if (found.info.etag !== sourceEtag) throw preconditionFailed();
      const { start, end } = range ?? { start: 0, end: found.info.size - 1 };
      const length = end - start + 1;
      const body = unchangedBody(found, rangeBody({ fd: found.fd, start, length }));
      return await receiver.putPart(upload, number, body, { contentLength: length, signal });
    } finally {
      closeSync(found.fd);
    }
  };
}
