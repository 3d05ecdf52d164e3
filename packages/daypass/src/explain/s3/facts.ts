import type { S3Credentials } from "../../schemes/s3/credentials.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { amazonBucket } from "../amazon-host.ts";
import { bucketResource } from "../bucket-resource.ts";
import { causeOf } from "../cause/combine-causes.ts";
import { serverCause } from "../cause/server-cause.ts";
import type { StatedMethod } from "../cause/undecided.ts";
import { decodeOr } from "../decoded.ts";
import type { ServerError } from "../error-body.ts";
import type { SplitUrl, Subject } from "../explainer.ts";
import type { Cause, ExplainKey, Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { trapsOf } from "../traps.ts";

/** Bucket and key of the URL. On a foreign host the first segment of the path counts as the bucket. */
export function s3Resource({ authority, wire }: SplitUrl): string {
  return bucketResource(amazonBucket(authority), decodeOr(wire.path));
}

/** The method of an operation that AWS's SDK for JavaScript adds as `x-id`. */
export function methodOfOperation(operation: string | undefined): string | undefined {
  if (operation === undefined) return undefined;
  if (/^(?:Get|List)/.test(operation)) return "GET";
  if (/^Head/.test(operation)) return "HEAD";
  if (/^(?:Put|UploadPart|CopyObject)/.test(operation)) return "PUT";
  if (/^(?:Delete|Abort)/.test(operation)) return "DELETE";
  return /^(?:Create|Complete|Post)/.test(operation) ? "POST" : undefined;
}

/** Parameters that SDKs add only to URLs of uploads. Absent if the request may be an upload. */
export function uploadMark({ sent, url }: Pick<Subject, "sent" | "url">): StatedMethod | undefined {
  if (!/^(?:GET|HEAD)$/.test(sent.method)) return undefined;
  const parameters = readParameters(url);
  const mark = parameters.find(([name]) => /^(?:content-type|x-amz-(?:acl|meta-.+|storage-class))$/i.test(name));
  // A multipart upload begins with POST.
  const method = parameters.some(([name]) => name === "uploads") ? "POST" : "PUT";
  return mark && { method, by: `its query has an upload's ${mark[0]}`, isLikely: true };
}

export function isS3Credentials(key: ExplainKey): key is S3Credentials {
  return "secretAccessKey" in key;
}

/** Why a URL or a form may end earlier than it says. */
export function untilKeyEnds(
  { token, accessKeyId }: Pick<Credential, "token" | "accessKeyId">,
  { signed = "URL", key = "access key" }: { readonly signed?: string; readonly key?: string } = {},
): string {
  return token !== undefined || accessKeyId.startsWith("ASIA")
    ? `with the temporary credentials that signed it: minutes to hours, 36 hours at most, whatever the ${signed} says`
    : `when the ${key} that signed it is deactivated or loses the permission`;
}

/** The meaning of an S3 answer, with S3's names of permissions and keys. */
export function s3Cause(error: ServerError, now: Date): Cause | undefined {
  const cause = serverCause(error, now);
  if (error.code === "InvalidAccessKeyId" && cause !== undefined) {
    return { ...cause, fix: cause.fix.replace("a temporary key", "a temporary key (ASIA…)") };
  }
  const isUnsaid = cause?.code === "PERMISSION" && error.code === "AccessDenied";
  return isUnsaid ? { ...cause, fix: cause.fix.replace("may not list", "may not list (s3:ListBucket)") } : cause;
}

/** The key that a URL names, and its session token. */
export interface Credential {
  readonly accessKeyId: string;
  /** The token in the URL. */
  readonly token: string | undefined;
  readonly signedHeaders?: readonly string[];
}

/** The session token in a URL of Signature Version 4. */
export const TOKEN = "X-Amz-Security-Token";

/** Pitfalls of temporary keys. `life` is the parameter of the URL's own lifetime. */
export function tokenTraps(
  { accessKeyId, token, signedHeaders = [] }: Credential,
  parameter: string,
  life: string,
): readonly Trap[] {
  return trapsOf([
    [
      token !== undefined,
      "session-token",
      `The URL carries a session token and expires with it, whatever ${life} says.`,
    ],
    [
      accessKeyId.startsWith("ASIA") && token === undefined && !signedHeaders.includes(parameter.toLowerCase()),
      "missing-session-token",
      `An access key ASIA… is temporary and needs ${parameter}, which is missing.`,
    ],
  ]);
}

/** Servers reject a temporary key without its session token. */
export function tokenCause(
  { accessKeyId, token, signedHeaders = [] }: Credential,
  parameter: string,
  { sent }: Pick<Subject, "sent">,
): Cause | undefined {
  const name = parameter.toLowerCase();
  // The token can also be a header.
  if (token !== undefined || signedHeaders.includes(name) || headerValues(sent.headers, name).length > 0)
    return undefined;
  const sentence = `The URL was signed with a temporary key (${accessKeyId}) and carries no session token (${parameter}).`;
  return causeOf("INVALID_TOKEN", sentence, "Give the signer the session token with the key: it is signed, too.");
}

/** The key that signed has expired, before the URL expires. */
export function keyEndCause(key: S3Credentials | undefined, endsAt: Date | undefined, now: Date): Cause | undefined {
  const { expiration } = key ?? {};
  if (expiration === undefined || now < expiration || (endsAt !== undefined && endsAt < expiration)) return undefined;
  const sentence = `The temporary key that signed expired at ${expiration.toISOString()}, and the URL with it, whatever the URL says.`;
  const fix = "Sign again with credentials that last as long as the URL must.";
  return causeOf("EXPIRED_TOKEN", sentence, fix, `now ${now.toISOString()}`);
}
