/** Answers that let another server send the bytes of a link. */
import { DaypassError, type WireRequest } from "daypass";
import { contentHeaders } from "../../http/content-headers.ts";
import type { ObjectRead } from "../../operations/get-object.ts";
import { SAFE_HEADERS } from "../../pages/layout.ts";
import { type Answer, discard } from "../../pipeline/outcome.ts";

/** The server that sends the bytes of a link with `handOver`. */
export type HandOver =
  /** The front server reads the same folder. `prefix` stands for that folder: a location of nginx, or a path for X-Sendfile. */
  | { readonly via: "x-accel-redirect" | "x-sendfile"; readonly prefix: string }
  /** The client gets a URL of the storage, valid for at most 60 seconds. The storage driver must redirect. */
  | { readonly via: "redirect" };

/** The headers of a link's bytes. */
export interface BytesHeaders {
  readonly "content-type": string;
  readonly "content-disposition": string;
  readonly "cache-control": string;
}

/** What a hand-over needs beside the object that was opened. */
export interface HandOverContext {
  readonly headers: BytesHeaders;
  /** The object's file, relative to the served folder. */
  readonly path: string | undefined;
  /** Until the link expires. */
  readonly secondsLeft: number;
}

/** Seconds. */
const MAX_LIFETIME = 60;

/** Returns the answer without bytes, or `undefined` if there is nothing to hand over: a HEAD, a 304, a storage that cannot. */
export function handOver(
  how: HandOver,
  { body, info, notModified }: ObjectRead,
  { headers, path, secondsLeft }: HandOverContext,
): Answer | undefined {
  if (body === undefined || notModified) return undefined;
  const stored = { contentType: headers["content-type"], contentDisposition: headers["content-disposition"] };
  // The server that sends the bytes adds no sandbox, so what could run in a browser must be an attachment.
  const described = contentHeaders(stored).filter(([name]) => !SAFE_HEADERS.includes(name));
  if (how.via === "redirect") {
    if (body.kind !== "redirect" || secondsLeft < 1) return undefined;
    const response = { ...stored, contentDisposition: new Map(described).get("content-disposition") };
    const location = body.url({ maxLife: Math.min(MAX_LIFETIME, Math.floor(secondsLeft)), response });
    return { status: 307, headers: [...SAFE_HEADERS, "location", location, "content-length", "0"], body: undefined };
  }
  // nginx drops Content-Encoding from the answer that names the file.
  if (path === undefined || info.headers.contentEncoding !== undefined) return undefined;
  discard(body);
  // Ranges and conditions belong to the front server, which sees the same request.
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  const own = [how.via === "x-sendfile" ? "X-Sendfile" : "X-Accel-Redirect", `${how.prefix}${encoded}`];
  const answered = [...own, ...described.flat(), ...SAFE_HEADERS, "content-length", "0"];
  return { status: 200, headers: answered, body: undefined };
}

/** The only form of `Range` that every front server reads alike: Apache sends the whole file for `bytes= -5`. */
const PLAIN_RANGE = /^bytes=(?:\d{1,15}-\d{0,15}|-\d{1,15})$/;

/**
 * What the server that sends the bytes may send. A storage URL stands for the whole object. A front server compares `If-Range` with its own ETag and
 * date. nginx ignores the range of a file that it compresses for `Accept-Encoding`.
 */
export function handedRange({ via }: HandOver, { headers }: WireRequest): "range" | "whole" {
  const valuesOf = (name: string): string[] =>
    headers.flatMap(([other, value]) => (other.toLowerCase() === name ? value : []));
  const isPlain = valuesOf("range").every((value) => PLAIN_RANGE.test(value));
  const isIdentity = valuesOf("accept-encoding").every((value) => value === "identity");
  return via !== "redirect" && isPlain && isIdentity && valuesOf("if-range").length === 0 ? "range" : "whole";
}

/** Throws `INVALID_INPUT` for a setting that would hand over other files, or none. */
export function checkHandOver(how: HandOver): void {
  if (how.via === "redirect" ? !("prefix" in how) : /^\/(?:[\w\-.~]+\/)*$/.test(how.prefix)) return;
  const fault = how.via === "redirect" ? "has no effect with redirect. Remove it" : "must begin and end with /";
  throw new DaypassError("INVALID_INPUT", `links.handOver.prefix ${fault}`);
}
