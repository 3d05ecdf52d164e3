/**
 * Objects in one, several or all buckets of an account on an S3 server. Bytes are streamed in both directions, and
 * nothing is stored here: multipart uploads, tags and CORS rules are the upstream's own. See `docs/drivers/s3.md`.
 * @module
 */

import { MalformedXml } from "../../http/xml-reader.ts";
import { type Storage, StorageError } from "../contract/storage.ts";
import { underWay } from "../contract/under-way.ts";
import { upstreamBuckets } from "./buckets.ts";
import { checkOptions } from "./check-options.ts";
import { writeConditions } from "./conditions.ts";
import { objectCopier } from "./copy-object.ts";
import { heldMemory } from "./held-memory.ts";
import { objectLister } from "./list-objects.ts";
import { upstreamMultipart } from "./multipart.ts";
import { bucketNames } from "./names.ts";
import type { S3Options } from "./options.ts";
import { objectReader } from "./read-object.ts";
import { objectRemover } from "./remove-object.ts";
import { objectStore } from "./store-object.ts";
import { objectTags } from "./tag-object.ts";
import { SMALL } from "./upload-body.ts";
import { upstream } from "./upstream.ts";

export type { S3Options, S3Timeouts } from "./options.ts";

const HOLD = 8 * 1024 * 1024;
/** So many uploads may hold all that one may. */
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
  const connection = upstream(options);
  const names = bucketNames(options, connection);
  const tags = objectTags(connection, names);
  const conditions = writeConditions(connection);
  const reader = objectReader({ upstream: connection, names, tags, redirect });
  const heldBytes = heldMemory(HELD_UPLOADS * Math.max(holdBytes, SMALL));
  const shared = { upstream: connection, names, conditions, reader, holdBytes, heldBytes, clock };
  const multipart = upstreamMultipart(shared);
  const store = objectStore({ ...shared, multipart });
  const copy = objectCopier(shared);
  const remove = objectRemover(shared);
  const writes = underWay();

  return answersRead({
    name: "s3",
    get: (ref, getOptions = {}) => reader.get(ref, getOptions),
    head: (ref, getOptions = {}) => reader.head(ref, getOptions),
    put: (ref, body, putOptions = {}) => writes.track(store(ref, body, putOptions)),
    copy: (source, target, copyOptions) => writes.track(copy(source, target, copyOptions)),
    setTags: (ref, set, tagOptions = {}) => writes.track(tags.set(ref, set, tagOptions)),
    delete: (ref, deleteOptions = {}) => writes.track(remove(ref, deleteOptions)),
    list: objectLister(connection, names),
    ...multipart,
    putPart: (...args) => writes.track(multipart.putPart(...args)),
    copyPart: (...args) => writes.track(multipart.copyPart(...args)),
    completeUpload: (...args) => writes.track(multipart.completeUpload(...args)),
    ...upstreamBuckets(connection, names, options),
    async close() {
      await writes.ended();
      connection.close();
    },
  });
}

/**
 * What cannot be read of an answer is the upstream's fault. As it is thrown it would be taken for one of the document that a client
 * has sent.
 */
function answersRead(storage: Storage): Storage {
  const read = <A extends unknown[], T>(call: (...args: A) => Promise<T>) => {
    return async (...args: A): Promise<T> => {
      try {
        return await call(...args);
      } catch (error) {
        if (!(error instanceof MalformedXml)) throw error;
        const message = `could not read the upstream's answer: ${error.message}`;
        throw new StorageError("UNAVAILABLE", message, { cause: error });
      }
    };
  };
  const calls = Object.entries(storage).map(([name, call]) => [name, typeof call === "function" ? read(call) : call]);
  return Object.fromEntries(calls) as Storage;
}
