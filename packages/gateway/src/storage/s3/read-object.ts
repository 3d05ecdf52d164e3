import { Readable } from "node:stream";
import {
  type ByteRange,
  type GetOptions,
  type ObjectInfo,
  type ObjectRef,
  type OpenObject,
  StorageError,
  type StreamBody,
} from "../contract/storage.ts";
import { faultError, unreachable } from "./fault.ts";
import { bucketExists, isStorable, type Names, noSuchBucket, type Place } from "./names.ts";
import { infoOfHeaders, unquoted } from "./object-info.ts";
import { objectParts } from "./object-parts.ts";
import type { ObjectTags } from "./tag-object.ts";
import type { Answered, Upstream } from "./upstream.ts";
import { drop, WORTH_READING } from "./wire.ts";

export interface ObjectReader {
  get(ref: ObjectRef, options: GetOptions): Promise<OpenObject | undefined>;
  head(ref: ObjectRef, options: GetOptions): Promise<ObjectInfo | undefined>;
}

export interface ObjectReaderOptions {
  readonly upstream: Upstream;
  readonly names: Names;
  readonly tags: ObjectTags;
  readonly redirect: boolean;
}

/** Seconds for which a redirect is good at most. */
const REDIRECT_LIFE = 60;
const CHECKSUMS = { "x-amz-checksum-mode": "ENABLED" };

export function objectReader({ upstream, names, tags, redirect }: ObjectReaderOptions): ObjectReader {
  const partsOf = objectParts(upstream);

  /** Asks for the object; `undefined` when there is none. */
  async function ask(
    method: string,
    ref: ObjectRef,
    { signal }: GetOptions,
  ): Promise<(Place & { answer: Answered }) | undefined> {
    const bucket = await names.of(ref.bucket);
    const { key } = ref;
    if (!isStorable(key)) return undefined;
    const doing = method === "GET" ? "open the object" : "look at the object";
    const { answer, fault } = await upstream.ask({ doing, method, bucket, key, headers: CHECKSUMS, signal });
    if (fault === undefined) {
      // A part that nobody asked for would be taken for the whole.
      if (answer.statusCode === 200) return { bucket, key, answer };
      answer.destroy();
      throw new StorageError(
        "UNAVAILABLE",
        `could not ${doing}: expected the status 200 of a whole object from the upstream, found ${answer.statusCode}`,
      );
    }
    if (fault.status !== 404 || fault.code === "NoSuchBucket") throw faultError(fault, doing);
    // The answer of HEAD does not say what is not there.
    if (fault.code !== "NoSuchKey" && !(await bucketExists(upstream, bucket))) throw noSuchBucket(ref.bucket);
    return undefined;
  }

  async function describe(place: Place & { answer: Answered }, options: GetOptions): Promise<ObjectInfo> {
    const { headers } = place.answer;
    const info = infoOfHeaders(headers, Number(headers["content-length"]));
    if (!Number.isSafeInteger(info.size) || info.etag === "") {
      throw new StorageError("UNAVAILABLE", "expected length and ETag of the object from the upstream, found none");
    }
    const [found, parts] = await Promise.all([
      headers["x-amz-tagging-count"] === undefined ? undefined : tags.of(place, options.signal),
      options.parts === true ? partsOf(place, info, options.signal) : undefined,
    ]);
    return {
      ...info,
      ...(found === undefined || Object.keys(found).length === 0 ? {} : { tags: found }),
      ...(parts === undefined ? {} : { parts }),
    };
  }

  /** A part of the object, asked for when it is read. The object has to be the one that was described. */
  async function* later(
    { bucket, key }: Place,
    info: ObjectInfo,
    options: GetOptions & { range?: ByteRange | undefined },
  ) {
    const { range, signal } = options;
    const doing = "read the object";
    const headers = {
      "if-match": `"${info.etag}"`,
      ...(range === undefined ? {} : { range: `bytes=${range.start}-${range.end}` }),
    };
    const { answer, fault } = await upstream.ask({ doing, bucket, key, headers, signal });
    if (fault !== undefined) throw faultError(fault, doing);
    try {
      const { etag, "content-range": part, "content-length": length } = answer.headers;
      const expected = range === undefined ? undefined : `bytes ${range.start}-${range.end}/${info.size}`;
      if (part !== expected || length !== String(lengthOf(info, range)) || unquoted(etag) !== info.etag) {
        throw new StorageError("UNAVAILABLE", `could not ${doing}: expected the range asked for, found another`);
      }
      for await (const piece of answer) yield piece as Buffer;
    } catch (error) {
      throw error instanceof StorageError ? error : unreachable(doing, error);
    } finally {
      answer.destroy();
    }
  }

  function lazily(place: Place, info: ObjectInfo, options: GetOptions): OpenObject {
    return { info, body: (range) => streamBody(place, info, { ...options, range }), close() {} };
  }

  function streamBody(
    place: Place,
    info: ObjectInfo,
    options: GetOptions & { range?: ByteRange | undefined },
  ): StreamBody {
    const stream = Readable.from(later(place, info, options), { objectMode: false });
    return { kind: "stream", stream, length: lengthOf(info, options.range) };
  }

  function elsewhere(place: Place, info: ObjectInfo, options: GetOptions): OpenObject {
    const { bucket, key } = place;
    return {
      info,
      body: (range) => ({
        kind: "redirect",
        url({ maxLife, response }) {
          const expiresIn = Math.min(REDIRECT_LIFE, maxLife);
          return upstream.presign({ bucket, key, expiresIn, response, dotSegments: "sign" });
        },
        bytes: () => streamBody(place, info, { ...options, range }),
      }),
      close() {},
    };
  }

  async function head(ref: ObjectRef, options: GetOptions): Promise<(Place & { info: ObjectInfo }) | undefined> {
    const found = await ask("HEAD", ref, options);
    if (found === undefined) return undefined;
    drop(found.answer);
    return { bucket: found.bucket, key: found.key, info: await describe(found, options) };
  }

  return {
    async get(ref, options) {
      // A part by its number cannot be asked for at the other place: the client would get the whole.
      const redirects = redirect && options.parts !== true && !hasDotSegment(ref.key);
      if (redirects || options.partial === true || options.parts === true) {
        const found = await head(ref, options);
        if (found === undefined) return undefined;
        return redirects ? elsewhere(found, found.info, options) : lazily(found, found.info, options);
      }
      const found = await ask("GET", ref, options);
      if (found === undefined) return undefined;
      const { answer } = found;
      const leave = (info?: ObjectInfo): void => {
        if (info !== undefined && info.size <= WORTH_READING) drop(answer);
        else answer.destroy();
      };
      const info = await describe(found, options).catch((error: unknown) => {
        leave();
        throw error;
      });
      let taken = false;
      return {
        info,
        body(range) {
          taken = true;
          if (range === undefined || (range.start === 0 && range.end === info.size - 1)) {
            const meaningOf = (error: Error): Error => unreachable("read the object to its end", error);
            return { kind: "stream", stream: answer, length: info.size, meaningOf };
          }
          leave(info);
          return streamBody(found, info, { ...options, range });
        },
        close() {
          if (!taken) leave(info);
        },
      };
    },
    async head(ref, options) {
      return (await head(ref, options))?.info;
    },
  };
}

function lengthOf({ size }: ObjectInfo, range: ByteRange | undefined): number {
  return range === undefined ? size : range.end - range.start + 1;
}

/** Clients take such segments out of the path before they follow, and would ask for another object. */
function hasDotSegment(key: string): boolean {
  return key.split("/").some((segment) => segment === "." || segment === "..");
}
