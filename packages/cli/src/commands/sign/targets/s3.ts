import { DaypassError } from "daypass";
import { instant, isObject, type JsonObject } from "daypass/schemes";
import { type Context, UsageError } from "../../../command.ts";
import { awsSettings } from "../../../credentials/aws.ts";
import { type LineLifetime, signingTime } from "../../../lines/lifetime.ts";
import { endOfKey, type StoredScope } from "../../../state-folder/key-record.ts";
import { expectS3Scope } from "../../../state-folder/scope.ts";
import { CLAMP, DOT_SEGMENTS, ENDPOINT, given, HEADERS, METHOD, oneOf, QUERY, type SignOptions } from "../options.ts";
import { formLine } from "./form-line.ts";
import { type FoundFields, splitTarget, type TargetScheme } from "./target-scheme.ts";

/** `s3://bucket/key`, with the credentials of AWS's tools, or with a key of a gateway's state. */
export const s3Target: TargetScheme = {
  secret: "credentials",
  name: "key",
  options: {
    "signature-version": oneOf("version", "v4", "v2", "v4a", "express"),
    method: METHOD,
    region: ["region"],
    endpoint: ENDPOINT,
    addressing: oneOf("addressing", "path", "virtual"),
    clamp: CLAMP,
    query: QUERY,
    header: HEADERS,
    "dot-segments": DOT_SEGMENTS,
    resource: oneOf("resource", "bucket"),
    field: undefined,
    profile: undefined,
    state: undefined,
    key: undefined,
  },
  locate(target) {
    const fields = splitTarget(target, /^s3:\/\/(?<bucket>[^/]+)(?:\/(?<key>.*))?$/s);
    if (fields !== undefined) return fields;
    throw new UsageError(`the target is ${JSON.stringify(target)}. Write s3://bucket/key`);
  },
  find,
  expectInScope,
  form: (line, fields) => formLine(line, { name: "key", fields }),
  // Compatible servers expect this region, or ignore the region. Each of Amazon's buckets has a region.
  complete: (line, found) =>
    expressLine(
      line["region"] === undefined && line["endpoint"] !== undefined ? { ...line, region: "us-east-1" } : line,
      found,
    ),
};

function expectInScope(line: JsonObject, scope: StoredScope): void {
  const form = isObject(line["form"]) ? line["form"] : undefined;
  const { bucket, key, prefix } = form ?? line;
  // The signer refuses a line without a bucket.
  if (typeof bucket !== "string") return;
  const name = form?.["prefix"] === undefined ? key : prefix;
  expectS3Scope(scope, {
    bucket,
    key: typeof name === "string" ? name : undefined,
    method: form === undefined ? String(line["method"] ?? "GET") : "POST",
    lifetime: lifetimeOf(line),
  });
}

/** Seconds from the start of the URL, which a stable window may move back, to its expiry. */
function lifetimeOf(line: LineLifetime): number {
  const { expiresIn, expiresAt, stableWindow = 0 } = line;
  if (expiresAt === undefined) return Number(expiresIn ?? 0) + stableWindow;
  const step = (stableWindow || 1) * 1000;
  return (instant("expiresAt", expiresAt).getTime() - Math.floor(signingTime(line).getTime() / step) * step) / 1000;
}

async function find(options: SignOptions, context: Context): Promise<FoundFields> {
  const { state, key: id, profile, endpoint } = options;
  if (state === undefined) {
    if (id !== undefined) throw new UsageError("--key needs --state. Without a state folder, choose a --profile");
    const { credentials, ...settings } = await awsSettings(context.env, profile);
    const { expiration, ...key } = credentials;
    const fields = { credentials: given({ ...key, expiration: expiration?.toISOString() }), ...settings };
    return { fields: given(fields) };
  }
  if (profile !== undefined) throw new UsageError("--state and --profile are both set. Leave one out");
  if (endpoint === undefined)
    throw new UsageError("--state needs --endpoint. Give the S3 endpoint that daypass serve has printed");
  const { storedKey } = await import("../../../credentials/stored-keys.ts");
  const { credentials, record } = await storedKey("s3", { state, id }, context);
  // No URL outlives its key.
  const fields = { credentials: given({ ...credentials, expiration: endOfKey(record)?.toISOString() }) };
  return { fields, scope: Object.keys(record.scope).length === 0 ? undefined : record.scope };
}

/** "Directory bucket names must … end with the suffix `--x-s3`". `--xa-s3` is the suffix of their access points. */
export function isDirectoryBucket(bucket: string): boolean {
  return /--xa?-s3$/.test(bucket);
}

/**
 * Chooses S3 Express for directory buckets, as the AWS SDK does, unless the line states a version.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html
 *
 * @throws {DaypassError} `INVALID_KEY` for credentials without a session token
 */
function expressLine(line: JsonObject, found: JsonObject): JsonObject {
  const { bucket, version, credentials, addressing, ...others } = line;
  if (version !== undefined || typeof bucket !== "string" || !isDirectoryBucket(bucket)) return line;
  if (isObject(credentials) && credentials["sessionToken"] === undefined) {
    throw new DaypassError(
      "INVALID_KEY",
      `the key has no session token, which the directory bucket ${bucket} needs. Set the credentials of \`aws s3api create-session --bucket ${bucket}\`, or give --signature-version v4 if the bucket is not Amazon's`,
    );
  }
  // The addressing of the shared files does not apply, because these buckets are always in the host name.
  const asked = addressing === undefined || addressing === found["addressing"] ? {} : { addressing };
  return { ...others, ...asked, bucket, version: "express", ...(credentials === undefined ? {} : { credentials }) };
}
