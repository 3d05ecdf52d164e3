import { instant, isObject, type JsonObject } from "daypass/schemes";
import { mapped, pairs, word } from "../../arguments.ts";
import { awsSettings } from "../../aws/settings.ts";
import { type Context, UsageError } from "../../command.ts";
import { type LineLifetime, signingTime } from "../../lines/lifetime.ts";
import { endOfKey, type StoredScope } from "../../state/key-record.ts";
import { expectS3Scope } from "../../state/s3-scope.ts";
import { expressLine } from "./directory-bucket.ts";
import { formLine } from "./form-line.ts";
import { commonFields, given, oneMethod, requestHeaders, type SignOptions } from "./options.ts";
import type { FoundFields, TargetScheme } from "./target.ts";

/** `s3://bucket/key`, with the credentials that AWS's tools would use, or with a key of a gateway's state. */
export const s3Target: TargetScheme = {
  secret: "credentials",
  name: "key",
  locate,
  fields: (options) => ({
    ...commonFields(options),
    ...given({
      version: mapped(options["signature-version"], (text) =>
        word("--signature-version", text, ["v4", "v2", "v4a", "express"]),
      ),
      method: oneMethod(options),
      region: options.region,
      endpoint: options.endpoint,
      addressing: mapped(options.addressing, (text) => word("--addressing", text, ["path", "virtual"])),
      credentialExpiry: options.clamp === true ? "clamp" : undefined,
      query: pairs("--query", options.query, "="),
      headers: requestHeaders(options),
      dotSegments: options["dot-segments"] === true ? "sign" : undefined,
    }),
  }),
  find,
  expectInScope,
  // Compatibles take this name, or do not look at it; Amazon's buckets each have a region of their own.
  form: (line, fields) => formLine(line, { name: "key", fields }),
  complete: (line, found) =>
    expressLine(
      line["region"] === undefined && line["endpoint"] !== undefined ? { ...line, region: "us-east-1" } : line,
      found,
    ),
};

// The key is everything behind the bucket, as it is: it is data and nothing is decoded.
function locate(target: string): JsonObject {
  const [, bucket, key] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(target) ?? [];
  if (bucket === undefined) throw new UsageError(`expected s3://bucket/key, found ${JSON.stringify(target)}`);
  return given({ bucket, key: key || undefined });
}

function expectInScope(line: JsonObject, scope: StoredScope): void {
  const form = isObject(line["form"]) ? line["form"] : undefined;
  const { bucket, key, prefix } = form ?? line;
  // The signer says what is wrong with a line that has no bucket.
  if (typeof bucket !== "string") return;
  const name = form?.["prefix"] === undefined ? key : prefix;
  expectS3Scope(scope, {
    bucket,
    key: typeof name === "string" ? name : undefined,
    method: form === undefined ? String(line["method"] ?? "GET") : "POST",
    life: lifeOf(line),
  });
}

/** Seconds from the beginning of the URL, which a stable window may move back, to its end. */
function lifeOf(line: LineLifetime): number {
  const { expiresIn, expiresAt, stableWindow = 0 } = line;
  if (expiresAt === undefined) return Number(expiresIn ?? 0) + stableWindow;
  const step = (stableWindow || 1) * 1000;
  return (instant("expiresAt", expiresAt).getTime() - Math.floor(signingTime(line).getTime() / step) * step) / 1000;
}

async function find(options: SignOptions, context: Context): Promise<FoundFields> {
  const { state, key: id, profile, endpoint } = options;
  if (state === undefined) {
    if (id !== undefined) throw new UsageError("expected --key with --state, found it without: choose a --profile");
    const { credentials, ...settings } = await awsSettings(context.env, profile);
    const { expiration, ...key } = credentials;
    const fields = { credentials: given({ ...key, expiration: expiration?.toISOString() }), ...settings };
    return { fields: given(fields) };
  }
  if (profile !== undefined) throw new UsageError("expected --state or --profile, found both");
  if (endpoint === undefined)
    throw new UsageError(
      "expected --endpoint with --state, found none: give the S3 endpoint that daypass serve has printed",
    );
  const { storedKey } = await import("./stored-keys.ts");
  const { credentials, record } = await storedKey("s3", { state, id }, context);
  // No URL outlives its key: not that of a rotation, which ends with the overlap, nor one with a set end.
  const fields = { credentials: given({ ...credentials, expiration: endOfKey(record)?.toISOString() }) };
  return { fields, scope: Object.keys(record.scope).length === 0 ? undefined : record.scope };
}
