import { readXml } from "../../../http/xml-reader.ts";
import type { PutObject } from "../../../operations/put-object.ts";
import { Refusal } from "../../../pipeline/refusal.ts";
import { expectHeaderValue, storedHeaders } from "../../request-fields.ts";
import { quoted, requestIdHeaders, xmlAnswer } from "../answers.ts";
import { notImplemented } from "../arguments.ts";
import { declaredChecksum, declaredDigests } from "../checksums.ts";
import type { S3PostGrant } from "../form.ts";
import { isPostGrant } from "../read-call.ts";
import { onObject, type S3Call, type S3Row } from "../row.ts";
import { permitTagging, readTagging } from "../tags.ts";

/** An upload by a form. The table does not list it: the verified fields of a form select it, not the method. */
export const postObjectRow: S3Row = onObject<PutObject>({
  name: "PostObject",
  action: "s3:PutObject",
  method: "POST",
  amz: ["x-amz-sdk-checksum-algorithm"],
  readsBody: true,
  read(call, object) {
    const { fields, obligations } = formGrant(call);
    const length = obligations.find((obligation) => obligation.kind === "body-length");
    const { tagging, "content-type": contentType } = fields;
    if (tagging !== undefined) permitTagging(call, object);
    if (contentType !== undefined) expectHeaderValue("content-type", contentType);
    return {
      operation: "put-object",
      object,
      createOnly: isCreateOnly(fields),
      ifMatch: undefined,
      headers: storedHeaders(Object.entries(fields)),
      tags: tagging === undefined ? undefined : readTagging(readXml(new TextEncoder().encode(tagging), "Tagging")),
      body: call.payload.body,
      maxBytes: Math.min(length?.max ?? call.limits.body, call.limits.body),
      minBytes: length?.min,
      contentType,
      metadata: call.metadata,
      digests: declaredDigests(call),
      checksum: declaredChecksum(call),
    };
  },
  present(info, { call, requestId }) {
    const { redirect, status, bucket, key, location } = formGrant(call);
    const etag = quoted(info.etag);
    const headers = ["ETag", etag, ...requestIdHeaders(requestId)];
    if (redirect !== undefined) {
      const url = new URL(redirect);
      for (const [name, value] of Object.entries({ bucket, key, etag })) url.searchParams.set(name, value);
      return { status: 303, headers: [...headers, "location", url.href, "content-length", "0"], body: undefined };
    }
    if (status !== 201) {
      const length = status === 204 ? [] : ["content-length", "0"];
      return { status, headers: [...headers, "location", location, ...length], body: undefined };
    }
    const content = { Location: location, Bucket: bucket, Key: key, ETag: etag };
    const answer = xmlAnswer({ requestId }, { root: "PostResponse", content }, ["ETag", etag, "location", location]);
    return { ...answer, status };
  },
});

/** Fields without a header: they control the answer, or were read before. */
const NO_HEADERS: ReadonlySet<string> = new Set([
  "success_action_redirect",
  "success_action_status",
  "redirect",
  "tagging",
  "bucket",
]);

/**
 * The fields of a form as the headers that they stand for: the same functions then read both, and refuse unsupported names.
 *
 * @throws {Refusal} `REDIRECT_REFUSED`
 */
export function fieldsAsHeaders(
  { fields, redirect }: S3PostGrant,
  redirectOrigins: readonly string[],
): readonly (readonly [string, string])[] {
  if (redirect !== undefined && !isAllowed(redirect, redirectOrigins)) {
    const message =
      "the origin of success_action_redirect is not in redirectOrigins. Add it there, or leave the field out";
    throw new Refusal("REDIRECT_REFUSED", message);
  }
  return Object.entries(fields)
    .filter(([name]) => !NO_HEADERS.has(name))
    .map(([name, value]) => [name === "acl" ? "x-amz-acl" : name, value]);
}

function isAllowed(redirect: string, origins: readonly string[]): boolean {
  try {
    const { origin, username, password } = new URL(redirect);
    return username === "" && password === "" && origins.includes(origin);
  } catch {
    return false;
  }
}

/** @throws {Refusal} `NOT_IMPLEMENTED` for any condition but `If-None-Match: *` */
function isCreateOnly({ "if-match": ifMatch, "if-none-match": ifNoneMatch }: S3PostGrant["fields"]): boolean {
  if (ifMatch !== undefined) throw notImplemented("header", "If-Match");
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== "*") throw notImplemented("header", "If-None-Match");
  return ifNoneMatch !== undefined;
}

function formGrant({ permit: { grant } }: S3Call): S3PostGrant {
  if (isPostGrant(grant)) return grant;
  throw new TypeError("an upload by a form was chosen for a request without a form");
}
