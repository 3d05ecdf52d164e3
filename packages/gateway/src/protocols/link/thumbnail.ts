/** `?thumb`: a small picture of a file of a link that counts nothing. It spends nothing, and nothing records it. */
import type { FoundThumbnail, GetThumbnail } from "../../operations/get-thumbnail.ts";
import { tile } from "../../pages/icons.ts";
import { isPicture } from "../../pages/link-page.ts";
import type { PermittedObject } from "../../permit.ts";
import { discard } from "../../pipeline/outcome.ts";
import type { Task } from "../protocol.ts";
import { readConditions } from "../request-fields.ts";
import type { Asked } from "./asked.ts";
import { expectUnchanged } from "./bytes.ts";
import { fileKind } from "./page-fields.ts";

/** A browser asks again before each use, so that a link that ended shows nothing more. An icon has no ETag: it is not of the object. */
const HEADERS: readonly string[] = [
  "cache-control",
  "private, no-cache",
  "content-security-policy",
  "sandbox; default-src 'none'; style-src 'unsafe-inline'",
  "referrer-policy",
  "no-referrer",
  "x-robots-tag",
  "noindex",
  "x-content-type-options",
  "nosniff",
];

export function thumbnail(asked: Asked, object: PermittedObject): Task<GetThumbnail> {
  const { grant, received, request, options } = asked;
  const { link, isCounted } = grant;
  const typeOf = (stored: string): string => link.response?.contentType ?? stored;
  return {
    request: {
      operation: "get-thumbnail",
      object,
      conditions: readConditions(received.fields),
      check: (info) => expectUnchanged(asked, info, undefined),
      isShown: ({ contentType, headers }) =>
        link.preview && !isCounted && headers.contentEncoding === undefined && isPicture(typeOf(contentType)),
      sizes: options.sizes,
    },
    present({ info, notModified, picture }: FoundThumbnail) {
      const validators = ["etag", `"${info.etag}"`];
      if (notModified) return { status: 304, headers: [...HEADERS, ...validators], body: undefined };
      const bytes = Buffer.from(tile(fileKind(object.key, typeOf(info.contentType))));
      const { body, length } = picture ?? { body: { kind: "bytes", bytes }, length: bytes.length };
      const type = picture === undefined ? "image/svg+xml" : picture.isWhole ? typeOf(info.contentType) : "image/jpeg";
      const described = ["content-type", type, "content-length", String(length)];
      if (picture !== undefined) described.push(...validators);
      if (request.method === "HEAD") discard(body);
      return { status: 200, headers: [...described, ...HEADERS], body: request.method === "HEAD" ? undefined : body };
    },
  };
}
