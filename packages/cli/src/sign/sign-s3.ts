import type { SignedRequest } from "daypass";
import { type S3SignerOptions, s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { pairs, word } from "../arguments.ts";
import { type AwsSettings, awsSettings } from "../aws/settings.ts";
import { CommandError, type Context, UsageError } from "../command.ts";
import {
  bindings,
  clockOf,
  commonRequest,
  mapped,
  requestHeaders,
  responseOverrides,
  type SignOptions,
} from "./options.ts";
import { storedKey } from "./stored-key.ts";

/** Signs `s3://bucket/key` with the credentials that AWS's tools would use, or with a key of a gateway's state. */
export async function signS3(target: string, options: SignOptions, context: Context): Promise<SignedRequest> {
  const { bucket, key } = s3Target(target);
  const settings = await s3Settings(options, context);
  const endpoint = options.endpoint ?? settings.endpoint;
  const version = word("--signature-version", options["signature-version"] ?? "v4", ["v4", "v2"]);
  const signerOptions: S3SignerOptions = {
    region: options.region ?? settings.region ?? defaultRegion(endpoint),
    endpoint,
    addressing:
      mapped(options.addressing, (text) => word("--addressing", text, ["path", "virtual"])) ?? settings.addressing,
    credentials: settings.credentials,
    credentialExpiry: options.clamp === true ? "clamp" : "refuse",
    clock: clockOf(options),
  };
  const [method, second] = options.method ?? [];
  if (second !== undefined)
    throw new UsageError("expected one --method for an S3 URL, found several: sign one URL for each");
  return (version === "v2" ? s3V2Signer : s3Signer)(signerOptions).sign({
    bucket,
    key,
    method,
    ...commonRequest(options),
    query: pairs("--query", options.query, "="),
    headers: requestHeaders(options),
    response: responseOverrides(options),
    bind: bindings(options),
    dotSegments: options["dot-segments"] === true ? "sign" : "refuse",
  });
}

/** Who signs for what: a gateway's own key, or what AWS's tools would use. */
async function s3Settings(options: SignOptions, context: Context): Promise<AwsSettings> {
  const { state, key: id, profile } = options;
  if (state === undefined) {
    if (id !== undefined) throw new UsageError("expected --key with --state, found it alone: choose a --profile");
    return awsSettings(context.env, profile);
  }
  if (profile !== undefined) throw new UsageError("expected --state or --profile, found both");
  if (options.endpoint === undefined)
    throw new UsageError(
      "expected --endpoint with --state, found none: give the S3 endpoint that daypass serve has printed",
    );
  const { credentials } = await storedKey("s3", { state, id }, context);
  return { credentials, region: undefined, endpoint: undefined, addressing: undefined };
}

/** Splits `s3://bucket/key`. The key is everything behind the bucket, as it is: it is data and nothing is decoded. */
export function s3Target(target: string): { readonly bucket: string; readonly key: string | undefined } {
  const [, bucket, key] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(target) ?? [];
  if (bucket === undefined) throw new UsageError(`expected s3://bucket/key, found ${JSON.stringify(target)}`);
  return { bucket, key: key === "" ? undefined : key };
}

function defaultRegion(endpoint: string | undefined): string {
  // Compatibles take this name, or do not look at it; Amazon's buckets each have a region of their own.
  if (endpoint !== undefined) return "us-east-1";
  throw new CommandError(
    "expected a region, found none: give --region, set AWS_REGION, or set region in the AWS profile",
  );
}
