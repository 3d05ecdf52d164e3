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
import type { ObjectReader } from "./driver-context.ts";
import { faultError, unavailable, unreachable } from "./fault.ts";
import { type BucketNames, bucketExists, isStorable, noSuchBucket, type Place } from "./names.ts";
import { infoOfHeaders, unquoted } from "./object-info.ts";
import { objectParts } from "./object-parts.ts";
import { readTags } from "./tags.ts";
import type { Answered, Upstream } from "./upstream.ts";
import { drop, WORTH_READING } from "./wire.ts";

export interface ObjectReaderOptions {
  readonly upstream: Upstream;
  readonly names: BucketNames;
  readonly redirect: boolean;
}

type Opened = Place & { readonly answer: Answered };
type Described = Place & { readonly info: ObjectInfo };

/** Longest lifetime of a redirect, in seconds. */
const REDIRECT_LIFETIME = 60;
const CHECKSUMS = { "x-amz-checksum-mode": "ENABLED" };

export function objectReader({ upstream, names, redirect }: ObjectReaderOptions): ObjectReader {
  /** Resolves to `undefined` if the object does not exist. */
  async function open(method: "GET" | "HEAD", ref: ObjectRef, { signal }: GetOptions): Promise<Opened | undefined> {
    const bucket = await names.of(ref.bucket);
    const { key } = ref;
    if (!isStorable(key)) return undefined;
    const doing = method === "GET" ? "open the object" : "look at the object";
    const { answer, fault } = await upstream.ask({ doing, method, bucket, key, headers: CHECKSUMS, signal });
    if (fault === undefined) {
      // Without a requested range, a 206 would pass for the whole object.
      if (answer.statusCode === 200) return { bucket, key, answer };
      answer.destroy();
      const why = `the upstream answered ${answer.statusCode} to a request for the whole object, not 200`;
      throw unavailable(doing, why);
    }
    if (fault.status !== 404 || fault.code === "NoSuchBucket") throw faultError(fault, doing);
    // The answer to HEAD does not say whether the object or the bucket is missing.
    if (fault.code !== "NoSuchKey" && !(await bucketExists(upstream, bucket))) throw noSuchBucket(ref.bucket);
    return undefined;
  }

  async function describe({ answer, ...place }: Opened, { parts: withParts, signal }: GetOptions): Promise<ObjectInfo> {
    const { headers } = answer;
    const info = infoOfHeaders(headers, Number(headers["content-length"]));
    if (!Number.isSafeInteger(info.size) || info.etag === "") {
      const message = "the upstream's answer has no Content-Length or no ETag. Is it an S3 server?";
      throw new StorageError("UNAVAILABLE", message);
    }
    const [tags, parts] = await Promise.all([
      headers["x-amz-tagging-count"] === undefined ? undefined : readTags(upstream, place, signal),
      withParts === true ? objectParts(upstream, { ...place, described: info }, signal) : undefined,
    ]);
    return {
      ...info,
      ...(tags === undefined || Object.keys(tags).length === 0 ? {} : { tags }),
      ...(parts === undefined ? {} : { parts }),
    };
  }

  async function head(ref: ObjectRef, options: GetOptions): Promise<Described | undefined> {
    const opened = await open("HEAD", ref, options);
    if (opened === undefined) return undefined;
    drop(opened.answer);
    return { bucket: opened.bucket, key: opened.key, info: await describe(opened, options) };
  }

  /** The bytes of the described object, requested when they are read. */
  async function* bytesOf({ bucket, key, info }: Described, range: ByteRange | undefined, { signal }: GetOptions) {
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
        throw unavailable(doing, "the upstream sent another range or version than requested");
      }
      for await (const piece of answer) yield piece as Buffer;
    } catch (error) {
      throw error instanceof StorageError ? error : unreachable(doing, error);
    } finally {
      answer.destroy();
    }
  }

  function streamBody(described: Described, range: ByteRange | undefined, options: GetOptions): StreamBody {
    const stream = Readable.from(bytesOf(described, range, options), { objectMode: false });
    return { kind: "stream", stream, length: lengthOf(described.info, range) };
  }

  /** An object whose bytes the client gets from the upstream. */
  function elsewhere(described: Described, options: GetOptions): OpenObject {
    const { bucket, key, info } = described;
    return {
      info,
      body: (range) => ({
        kind: "redirect",
        url({ maxLife, response }) {
          const expiresIn = Math.min(REDIRECT_LIFETIME, maxLife);
          return upstream.presign({ bucket, key, expiresIn, response, dotSegments: "sign" });
        },
        bytes: () => streamBody(described, range, options),
      }),
      close() {},
    };
  }

  /** An object whose bytes are on their way. */
  async function started(opened: Opened, options: GetOptions): Promise<OpenObject> {
    const { bucket, key, answer } = opened;
    const info = await describe(opened, options).catch((error: unknown) => {
      answer.destroy();
      throw error;
    });
    // Reading the rest of a small object keeps the connection usable.
    const leave = (): void => {
      if (info.size <= WORTH_READING) drop(answer);
      else answer.destroy();
    };
    let taken = false;
    return {
      info,
      body(range) {
        taken = true;
        if (range === undefined || (range.start === 0 && range.end === info.size - 1)) {
          const meaningOf = (error: Error): Error => unreachable("read the object to its end", error);
          return { kind: "stream", stream: answer, length: info.size, meaningOf };
        }
        leave();
        return streamBody({ bucket, key, info }, range, options);
      },
      close() {
        if (!taken) leave();
      },
    };
  }

  return {
    async get(ref, options) {
      // A redirect cannot name a part: the client would get the whole object.
      const redirects = redirect && options.parts !== true && !hasDotSegment(ref.key);
      if (redirects || options.partial === true || options.parts === true) {
        const found = await head(ref, options);
        if (found === undefined) return undefined;
        if (redirects) return elsewhere(found, options);
        return { info: found.info, body: (range) => streamBody(found, range, options), close() {} };
      }
      const opened = await open("GET", ref, options);
      return opened === undefined ? undefined : started(opened, options);
    },
    async head(ref, options) {
      return (await head(ref, options))?.info;
    },
  };
}

function lengthOf({ size }: ObjectInfo, range: ByteRange | undefined): number {
  return range === undefined ? size : range.end - range.start + 1;
}

/** Clients remove such segments from the path of a redirect, and would request another object. */
function hasDotSegment(key: string): boolean {
  return key.split("/").some((segment) => segment === "." || segment === "..");
}
