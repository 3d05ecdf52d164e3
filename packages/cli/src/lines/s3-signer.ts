import { DaypassError } from "daypass";
import { type S3SignerOptions, type S3SignRequest, s3Signer } from "daypass/s3";
import type { S3FormRequest } from "daypass/s3/form";
import type { S3V4aSignerOptions } from "daypass/s3/v4a";
import { BIND, uploadForm } from "./bindings.ts";
import { cache } from "./cache.ts";
import {
  checked,
  describe,
  type FieldKind,
  type Fields,
  fields,
  missing,
  nested,
  oneOf,
  text,
  textList,
  textListMap,
  textMap,
} from "./fields.ts";
import { LIFETIME, type LineLifetime, lifetime, signingTime } from "./lifetime.ts";
import type { LineResult, SignLine } from "./line-scheme.ts";
import { S3_CREDENTIALS, type S3LineCredentials, s3Credentials } from "./s3-credentials.ts";
import { type TimedSigner, timedSigner } from "./timed-signer.ts";
import { expectHostName } from "./virtual-endpoint.ts";

/** A line of `sign --batch` with `"scheme":"s3"`, once its fields have been checked. */
interface S3Line extends Omit<S3SignRequest, keyof LineLifetime>, LineLifetime {
  readonly version?: string;
  readonly region?: string;
  readonly regionSet?: readonly string[];
  readonly endpoint?: string;
  readonly addressing?: "path" | "virtual";
  readonly credentials: S3LineCredentials;
  readonly credentialExpiry?: "refuse" | "clamp";
  readonly form?: Omit<S3FormRequest, keyof LineLifetime>;
}

const COMMON: Readonly<Record<string, FieldKind>> = {
  ...{ scheme: text, version: text, region: text, endpoint: text },
  addressing: oneOf("path", "virtual"),
  credentials: nested(S3_CREDENTIALS),
  credentialExpiry: oneOf("refuse", "clamp"),
  ...LIFETIME,
};
const OBJECT: Readonly<Record<string, FieldKind>> = {
  ...{ bucket: text, key: text, prefix: text, bind: nested(BIND) },
  dotSegments: oneOf("refuse", "sign"),
};
const REQUEST = { ...COMMON, ...OBJECT, method: text, query: textListMap, headers: textMap, response: textMap };
type Signable = S3SignRequest & S3FormRequest;

/** What makes a signer of one version: only the command line has a switch. */
type Make = (options: S3SignerOptions & Pick<S3V4aSignerOptions, "regionSet">) => {
  sign(request: Signable): LineResult | Promise<LineResult>;
};

/** The library's function for one version, and the fields of its lines. */
interface Dialect {
  readonly fields: Fields;
  /** Loads it where it is asked for: nearly all lines are of one version. */
  readonly load: () => Promise<Make>;
  /** Once it is loaded. */
  make?: Make;
  /** The region where a line names none; without one, a line has to. */
  readonly region?: string;
}

const URL_LINE = fields(REQUEST);
// The bucket always stands in the host.
const EXPRESS_LINE = new Map([...URL_LINE].filter(([name]) => name !== "addressing"));
const FORM_LINE = fields({ ...COMMON, form: uploadForm(OBJECT) });
// SigV2 does not sign the region: there it only chooses Amazon's endpoint.
const V2_REGION = "us-east-1";

const VERSIONS: ReadonlyMap<unknown, Dialect> = new Map<string, Dialect>([
  ["v4", { fields: URL_LINE, load: async () => s3Signer }],
  ["v2", { fields: URL_LINE, load: async () => (await import("daypass/s3/v2")).s3V2Signer, region: V2_REGION }],
  ["express", { fields: EXPRESS_LINE, load: async () => (await import("daypass/s3/express")).s3ExpressSigner }],
  ["v4a", { fields: fields({ ...REQUEST, regionSet: textList }), load: loadV4aSigner, region: "" }],
]);
const FORM_VERSIONS: ReadonlyMap<unknown, Dialect> = new Map<string, Dialect>([
  ["v4", { fields: FORM_LINE, load: async () => (await import("daypass/s3/form")).s3FormSigner }],
  [
    "v2",
    { fields: FORM_LINE, load: async () => (await import("daypass/s3/form/v2")).s3FormV2Signer, region: V2_REGION },
  ],
]);

// SigV4A signs a set of regions. One region only chooses the endpoint, and an access point in many has its own.
async function loadV4aSigner(): Promise<Make> {
  const { s3V4aSigner } = await import("daypass/s3/v4a");
  return ({ region, ...options }) => s3V4aSigner(region === "" ? options : { ...options, region });
}

/**
 * Signs lines of the scheme `s3`: SigV4, SigV2, SigV4A, sessions of S3 Express, and upload forms. Signers are kept by their options, so
 * that the key derivation is paid once for each credential and day.
 */
export function s3LineSigner(): SignLine {
  const signers = cache<TimedSigner<Signable>>();
  let last: { readonly line: S3Line; readonly signer: TimedSigner<Signable> } | undefined;
  const signLine: SignLine = (object) => {
    const isForm = Object.hasOwn(object, "form");
    // Before the fields: those of another version are not misspelt.
    const dialect = dialectOf(object["version"], { isForm });
    const line = checked<S3Line>(object, dialect.fields);
    const { make } = dialect;
    if (make === undefined) return loaded(dialect).then(() => signLine(object));
    const time = signingTime(line);
    if (line.credentials === undefined)
      throw missing("credentials", "give accessKeyId and secretAccessKey in each line");
    // The lines of a manifest are for one account as a rule: comparing is a tenth of naming.
    if (last === undefined || !hasSameOptions(last.line, line))
      last = { line, signer: signers(signerName(line), () => newSigner(line, make, dialect.region)) };
    return last.signer.sign(isForm ? formRequest(line) : s3Request(line), time);
  };
  return signLine;
}

async function loaded(dialect: Dialect): Promise<void> {
  dialect.make = await dialect.load();
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
    a.credentials.expiration === b.credentials.expiration &&
    a.regionSet === undefined &&
    b.regionSet === undefined &&
    (a.form === undefined) === (b.form === undefined)
  );
}

/** Names the options of a signer. JSON, because a separator of our own could stand inside one of the parts. */
function signerName(line: S3Line): string {
  const { version, region, regionSet, endpoint, addressing, credentialExpiry, credentials, form } = line;
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = credentials;
  const key = [accessKeyId, secretAccessKey, sessionToken, expiration];
  return JSON.stringify([version, region, regionSet, endpoint, addressing, credentialExpiry, key, form !== undefined]);
}

function dialectOf(version: unknown = "v4", { isForm }: { readonly isForm: boolean }): Dialect {
  const versions = isForm ? FORM_VERSIONS : VERSIONS;
  const found = versions.get(version);
  if (found !== undefined) return found;
  const shown = typeof version === "string" ? JSON.stringify(version).slice(0, 40) : describe(version);
  const known = [...versions.keys()].map((name) => JSON.stringify(name)).join(" or ");
  throw new DaypassError(
    "INVALID_INPUT",
    `expected version ${known}${isForm ? " for a form" : ""}, found ${shown}: there is no other`,
  );
}

function newSigner(line: S3Line, make: Make, usualRegion: string | undefined): TimedSigner<Signable> {
  const { endpoint, addressing, credentials, credentialExpiry, regionSet } = line;
  const region = line.region ?? usualRegion;
  if (region === undefined)
    throw missing(
      "region",
      'name the one of the bucket, "us-east-1" or "auto" for most compatibles, in the line, by --region or by AWS_REGION',
    );
  expectHostName(endpoint, addressing);
  const options = { region, endpoint, addressing, credentials: s3Credentials(credentials), credentialExpiry };
  return timedSigner((clock) => make({ ...options, regionSet, clock }));
}

function s3Request(line: S3Line): Signable {
  // Named, not spread: this runs for every line of a manifest.
  const { expiresIn, expiresAt, stableWindow, notBefore } = lifetime(line);
  return {
    bucket: line.bucket,
    key: line.key,
    method: line.method,
    query: line.query,
    headers: line.headers,
    response: line.response,
    bind: line.bind,
    dotSegments: line.dotSegments,
    prefix: line.prefix,
    expiresIn,
    expiresAt,
    stableWindow,
    notBefore,
  };
}

function formRequest(line: S3Line): Signable {
  return { ...(line.form as Signable), ...lifetime(line) };
}
