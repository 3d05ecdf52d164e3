import { type S3Credentials, s3Verifier } from "daypass/s3";
import { s3ExpressVerifier } from "daypass/s3/express";
import { s3HeaderVerifier } from "daypass/s3/header";
import { s3V2Verifier } from "daypass/s3/v2";
import { s3V4aVerifier } from "daypass/s3/v4a";
import {
  checked,
  type Fields,
  fields,
  type JsonObject,
  missing,
  nested,
  number,
  oneOf,
  text,
  textList,
} from "./fields.ts";
import { type DialectVerifier, ENFORCES, type LineContext } from "./line-scheme.ts";
import { s3Origin, wildcardOrigin } from "./origins.ts";
import { S3_CREDENTIALS, type S3LineCredentials, s3Credentials } from "./s3-credentials.ts";
import { originsOf, regionSetOf, regionsOf, SIGNER_FIELDS, type SignerPlace } from "./signer-place.ts";

const CREDENTIALS = nested(S3_CREDENTIALS);

const ENTRY: Fields = fields({
  scheme: text,
  version: oneOf("v4", "v2", "v4a", "express", "header"),
  credentials: {
    expected: "{accessKeyId, secretAccessKey, sessionToken, expiration} or a list of them",
    accepts: (value) => (Array.isArray(value) ? value : [value]).every((item) => CREDENTIALS.accepts(item)),
  },
  origins: textList,
  regions: textList,
  ...SIGNER_FIELDS,
  addressing: oneOf("virtual", "path"),
  regionSet: textList,
  maxFutureSkew: number,
  maxLife: number,
  allowUnsigned: textList,
});

interface S3Entry extends SignerPlace {
  readonly version?: "v4" | "v2" | "v4a" | "express" | "header";
  readonly credentials?: S3LineCredentials | readonly S3LineCredentials[];
  readonly origins?: readonly string[];
  readonly regions?: readonly string[];
  /** The signer's own, of `v4a`: the set of the URL has to be as wide, or have one of these. */
  readonly regionSet?: readonly string[];
  readonly maxFutureSkew?: number;
  readonly maxLife?: number;
  readonly allowUnsigned?: readonly string[];
}

/** The keys of an entry with `"scheme":"s3"`. Throws `INVALID_INPUT` for a misspelt one. */
export function s3EntryKeys(object: JsonObject): readonly S3Credentials[] {
  return keysOf(checked(object, ENTRY));
}

function keysOf({ credentials }: S3Entry): readonly S3Credentials[] {
  if (credentials === undefined) throw missing("credentials", "give accessKeyId and secretAccessKey in each s3 entry");
  return [credentials].flat().map((one) => s3Credentials(one));
}

/** The verifiers of an entry with `"scheme":"s3"`. */
export function s3LineVerifiers(object: JsonObject, { origin, clock }: LineContext): readonly DialectVerifier[] {
  const entry = checked<S3Entry>(object, ENTRY);
  const credentials = keysOf(entry);
  const { version, maxFutureSkew, maxLife, allowUnsigned } = entry;
  const regions = regionsOf(entry);
  const configured = originsOf(entry);
  const origins = configured ?? [s3Origin(origin)];
  const common = { credentials, origins, clock, enforces: ENFORCES };
  const verifiers: DialectVerifier[] = [];
  if (version === undefined || version === "v4")
    verifiers.push(["s3", s3Verifier({ ...common, regions, maxFutureSkew })]);
  if (version === undefined || version === "header")
    verifiers.push(["s3/header", s3HeaderVerifier({ ...common, regions })]);
  if (version === undefined || version === "express")
    verifiers.push(["s3/express", s3ExpressVerifier({ ...common, regions, maxFutureSkew })]);
  if (version === undefined || version === "v4a")
    verifiers.push(["s3/v4a", s3V4aVerifier({ ...common, regions: regionSetOf(entry) ?? regions, maxFutureSkew })]);
  if (version === undefined || version === "v2") {
    const options = { ...common, maxLife, allowUnsigned };
    verifiers.push(["s3/v2", s3V2Verifier(options)]);
    // SigV2 signs the bucket's name wherever it stands. Without configured origins both places have to be tried.
    const wildcard = configured === undefined ? wildcardOrigin(origin) : undefined;
    if (wildcard !== undefined) verifiers.push(["s3/v2", s3V2Verifier({ ...options, origins: [wildcard] })]);
  }
  return verifiers;
}
