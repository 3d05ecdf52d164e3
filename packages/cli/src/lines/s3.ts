import { DaypassError, type ResponseOverrides, type Signer } from "daypass";
import { type S3Credentials, type S3SignerOptions, type S3SignRequest, s3Signer, s3Verifier } from "daypass/s3";
import { s3HeaderVerifier } from "daypass/s3/header";
import { s3V2Signer, s3V2Verifier } from "daypass/s3/v2";
import { BIND } from "./bindings.ts";
import { cache } from "./cache.ts";
import {
  checkFields,
  describe,
  type Fields,
  fields,
  type JsonObject,
  missing,
  nested,
  number,
  oneOf,
  text,
  textList,
  textListMap,
  textMap,
} from "./fields.ts";
import { instant } from "./instant.ts";
import { LIFETIME, type LineLifetime, lifetime, signingTime } from "./lifetime.ts";
import { type DialectVerifier, ENFORCES, type LineContext, type LineScheme, type SignLine } from "./line-scheme.ts";
import { s3Origin, wildcardOrigin } from "./origins.ts";
import { type TimedSigner, timedSigner } from "./timed-signer.ts";

/** Lines of the scheme `s3`: SigV4 and SigV2. */
export const s3LineScheme: LineScheme = { signer: s3LineSigner, verifiers: s3LineVerifiers };

/** Credentials as they stand in a line: the end of temporary ones is text. */
interface S3LineCredentials extends Omit<S3Credentials, "expiration"> {
  readonly expiration?: string;
}

/** A line of `sign --batch` with `"scheme":"s3"`, once its fields have been checked. */
interface S3Line extends Omit<S3SignRequest, keyof LineLifetime>, LineLifetime {
  readonly version?: string;
  readonly region?: string;
  readonly endpoint?: string;
  readonly addressing?: "path" | "virtual";
  readonly credentials: S3LineCredentials;
  readonly credentialExpiry?: "refuse" | "clamp";
}

const S3_CREDENTIALS: Fields = fields({
  accessKeyId: text,
  secretAccessKey: text,
  sessionToken: text,
  expiration: text,
});

const LINE = fields({
  scheme: text,
  version: text,
  method: text,
  region: text,
  endpoint: text,
  addressing: oneOf("path", "virtual"),
  bucket: text,
  key: text,
  credentials: nested(S3_CREDENTIALS),
  credentialExpiry: oneOf("refuse", "clamp"),
  ...LIFETIME,
  prefix: text,
  query: textListMap,
  headers: textMap,
  response: textMap,
  bind: nested(BIND),
  dotSegments: oneOf("refuse", "sign"),
});

// Signers are kept by their options, so that the key derivation is paid once for each credential and day.
function s3LineSigner(): SignLine {
  const signers = cache<TimedSigner<S3SignRequest>>();
  let last: { readonly line: S3Line; readonly signer: TimedSigner<S3SignRequest> } | undefined;
  return (object) => {
    if (Object.hasOwn(object, "form")) {
      throw new DaypassError(
        "INVALID_INPUT",
        "expected a request to presign, found a form: this release signs none yet",
      );
    }
    // Before the fields: those of another version are not misspelt.
    signerFor(object["version"]);
    checkFields(object, LINE);
    const line = object as unknown as S3Line;
    const time = signingTime(line);
    if (line.credentials === undefined)
      throw missing("credentials", "give accessKeyId and secretAccessKey in each line");
    // The lines of a manifest are for one account as a rule: comparing is a tenth of naming.
    if (last === undefined || !hasSameOptions(last.line, line))
      last = { line, signer: signers(signerName(line), () => newSigner(line)) };
    return last.signer.sign(s3Request(line), time);
  };
}

/** Whether two lines can share a signer. Every option that {@link newSigner} reads is compared. */
function hasSameOptions(a: S3Line, b: S3Line): boolean {
  return (
    a.version === b.version &&
    a.region === b.region &&
    a.endpoint === b.endpoint &&
    a.addressing === b.addressing &&
    a.credentialExpiry === b.credentialExpiry &&
    a.credentials.accessKeyId === b.credentials.accessKeyId &&
    a.credentials.secretAccessKey === b.credentials.secretAccessKey &&
    a.credentials.sessionToken === b.credentials.sessionToken &&
    a.credentials.expiration === b.credentials.expiration
  );
}

/** Names the options of a signer. JSON, because a separator of our own could stand inside one of the parts. */
function signerName({ version, region, endpoint, addressing, credentialExpiry, credentials }: S3Line): string {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = credentials;
  return JSON.stringify([
    version,
    region,
    endpoint,
    addressing,
    credentialExpiry,
    accessKeyId,
    secretAccessKey,
    sessionToken,
    expiration,
  ]);
}

/** Which signer a `version` means. The library has one function for each; only the command line has a switch. */
const VERSIONS: ReadonlyMap<unknown, (options: S3SignerOptions) => Signer<S3SignRequest>> = new Map([
  ["v4", s3Signer],
  ["v2", s3V2Signer],
]);

function signerFor(version: unknown = "v4"): (options: S3SignerOptions) => Signer<S3SignRequest> {
  const found = VERSIONS.get(version);
  if (found !== undefined) return found;
  const text = typeof version === "string" ? JSON.stringify(version) : describe(version);
  throw new DaypassError("INVALID_INPUT", `expected version "v4" or "v2", found ${text}: this release signs no other`);
}

function newSigner(line: S3Line): TimedSigner<S3SignRequest> {
  const { version, endpoint, addressing, credentials, credentialExpiry } = line;
  const newS3Signer = signerFor(version);
  // SigV2 does not sign the region: there it only chooses Amazon's endpoint.
  const region = line.region ?? (version === "v2" ? "us-east-1" : undefined);
  if (region === undefined)
    throw missing("region", 'name the one of the bucket, "us-east-1" or "auto" for most compatibles');
  return timedSigner((clock) =>
    newS3Signer({ region, endpoint, addressing, credentials: s3Credentials(credentials), credentialExpiry, clock }),
  );
}

/** Credentials of the library from those of a line. */
function s3Credentials({ expiration, ...credentials }: S3LineCredentials): S3Credentials {
  return expiration === undefined
    ? credentials
    : { ...credentials, expiration: instant("credentials.expiration", expiration) };
}

function s3Request(line: S3Line): S3SignRequest {
  // Named, not spread: this runs for every line of a manifest.
  const { expiresIn, expiresAt, stableWindow, notBefore } = lifetime(line);
  return {
    bucket: line.bucket,
    key: line.key,
    method: line.method,
    query: line.query,
    headers: line.headers,
    response: line.response as ResponseOverrides | undefined,
    bind: line.bind,
    dotSegments: line.dotSegments,
    prefix: line.prefix,
    expiresIn,
    expiresAt,
    stableWindow,
    notBefore,
  };
}

const CREDENTIALS = nested(S3_CREDENTIALS);

const ENTRY: Fields = fields({
  scheme: text,
  version: oneOf("v4", "v2", "header"),
  credentials: {
    expected: "{accessKeyId, secretAccessKey, sessionToken, expiration} or a list of them",
    accepts: (value) => (Array.isArray(value) ? value : [value]).every((item) => CREDENTIALS.accepts(item)),
  },
  origins: textList,
  regions: textList,
  maxFutureSkew: number,
  maxLife: number,
  allowUnsigned: textList,
});

interface S3Entry {
  readonly version?: "v4" | "v2" | "header";
  readonly credentials?: S3LineCredentials | readonly S3LineCredentials[];
  readonly origins?: readonly string[];
  readonly regions?: readonly string[];
  readonly maxFutureSkew?: number;
  readonly maxLife?: number;
  readonly allowUnsigned?: readonly string[];
}

function s3LineVerifiers(object: JsonObject, { origin, clock }: LineContext): readonly DialectVerifier[] {
  checkFields(object, ENTRY);
  const entry = object as S3Entry;
  if (entry.credentials === undefined)
    throw missing("credentials", "give accessKeyId and secretAccessKey in each s3 entry");
  const list = Array.isArray(entry.credentials) ? entry.credentials : [entry.credentials as S3LineCredentials];
  const { version, regions, maxFutureSkew, maxLife, allowUnsigned } = entry;
  const origins = entry.origins ?? [s3Origin(origin)];
  const common = { credentials: list.map(s3Credentials), origins, clock, enforces: ENFORCES };
  const verifiers: DialectVerifier[] = [];
  if (version === undefined || version === "v4")
    verifiers.push(["s3", s3Verifier({ ...common, regions, maxFutureSkew })]);
  if (version === undefined || version === "header")
    verifiers.push(["s3/header", s3HeaderVerifier({ ...common, regions })]);
  if (version === undefined || version === "v2") {
    const options = { ...common, maxLife, allowUnsigned };
    verifiers.push(["s3/v2", s3V2Verifier(options)]);
    // SigV2 signs the bucket's name wherever it stands. Without configured origins both places have to be tried.
    const wildcard = entry.origins === undefined ? wildcardOrigin(origin) : undefined;
    if (wildcard !== undefined) verifiers.push(["s3/v2", s3V2Verifier({ ...options, origins: [wildcard] })]);
  }
  return verifiers;
}
