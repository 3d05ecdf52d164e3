/**
 * Objects in one, several or all buckets of an account on an S3 server. Bytes are streamed in both directions, and
 * nothing is stored here: multipart uploads, tags and CORS rules are the upstream's own. See `docs/drivers/s3.md`.
 * @module
 */

import { MalformedXml } from "../../http/xml-reader.ts";
import { pendingWrites } from "../contract/pending-writes.ts";
import type { Storage } from "../contract/storage.ts";
import { upstreamBuckets } from "./buckets.ts";
import { writeConditions } from "./conditions.ts";
import { unavailable } from "./fault.ts";
import { heldMemory } from "./held-memory.ts";
import { listObjects } from "./list-objects.ts";
import { upstreamMultipart } from "./multipart.ts";
import { bucketNames } from "./names.ts";
import { checkOptions, type S3Options } from "./options.ts";
import { objectReader } from "./read-object.ts";
import { setTags } from "./tags.ts";
import { SMALL } from "./upload-body.ts";
import { openUpstream } from "./upstream.ts";
import { objectWriter } from "./write-object.ts";

export type { S3Options, S3Timeouts } from "./options.ts";

const HOLD = 8 * 1024 * 1024;
/** The number of uploads that may use their full memory at once. */
const HELD_UPLOADS = 64;

/**
 * Opens an upstream as storage. Nothing is sent before the first call, so a gateway can start while its upstream is down.
 *
 * @example
 * ```ts
 * import { s3 } from "@daypass/gateway/s3";
 *
 * export const storage = s3({
 *   region: "eu-west-1",
 *   credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" },
 *   bucket: { media: "example-media-production" },
 * });
 * ```
 *
 * @throws {DaypassError} `INVALID_INPUT`, `INVALID_KEY` for options that no request can be signed with
 */
export function s3(options: S3Options): Storage {
  checkOptions(options);
  const { holdBytes = HOLD, redirect = false, clock = () => new Date() } = options;
  const upstream = openUpstream(options);
  const names = bucketNames(options, upstream);
  const conditions = writeConditions(upstream);
  const reader = objectReader({ upstream, names, redirect });
  const heldBytes = heldMemory(HELD_UPLOADS * Math.max(holdBytes, SMALL));
  const driver = { upstream, names, conditions, reader, holdBytes, heldBytes, clock };
  const multipart = upstreamMultipart(driver);
  const writer = objectWriter(driver, multipart);
  const writes = pendingWrites();

  return answersRead({
    name: "s3",
    get: (ref, getOptions = {}) => reader.get(ref, getOptions),
    head: (ref, getOptions = {}) => reader.head(ref, getOptions),
    put: (ref, body, putOptions = {}) => writes.track(writer.put(ref, body, putOptions)),
    copy: (source, target, copyOptions) => writes.track(writer.copy(source, target, copyOptions)),
    setTags: (ref, tags, tagOptions = {}) => writes.track(setTags(driver, ref, { ...tagOptions, tags })),
    delete: (ref, deleteOptions = {}) => writes.track(writer.delete(ref, deleteOptions)),
    list: (bucket, listOptions) => listObjects(driver, bucket, listOptions),
    ...multipart,
    putPart: (...args) => writes.track(multipart.putPart(...args)),
    copyPart: (...args) => writes.track(multipart.copyPart(...args)),
    completeUpload: (...args) => writes.track(multipart.completeUpload(...args)),
    ...upstreamBuckets(upstream, names, options),
    async close() {
      await writes.ended();
      upstream.close();
    },
  });
}

/** Reports an unreadable answer as the upstream's fault. A bare `MalformedXml` would blame the document of the client. */
function answersRead(storage: Storage): Storage {
  const read = <A extends unknown[], T>(call: (...args: A) => Promise<T>) => {
    return async (...args: A): Promise<T> => {
      try {
        return await call(...args);
      } catch (error) {
        if (!(error instanceof MalformedXml)) throw error;
        throw unavailable("read the upstream's answer", error.message, { cause: error });
      }
    };
  };
  const calls = Object.entries(storage).map(([name, call]) => [name, typeof call === "function" ? read(call) : call]);
  return Object.fromEntries(calls) as Storage;
}
