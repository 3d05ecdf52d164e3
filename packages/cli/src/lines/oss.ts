import { type OssCredentials, type OssSignRequest, ossSigner, ossVerifier } from "daypass/oss";
import { ossV1Signer, ossV1Verifier } from "daypass/oss/v1";
import { BIND } from "./bindings.ts";
import { cache } from "./cache.ts";
import {
  checked,
  type FieldKind,
  type Fields,
  fields,
  flag,
  type JsonObject,
  missing,
  nested,
  number,
  oneOf,
  oneOrMore,
  text,
  textList,
  textMap,
} from "./fields.ts";
import { LIFETIME, type LineLifetime, lifetime, signingTime } from "./lifetime.ts";
import { credentialsOf, type LineCredentials } from "./line-credentials.ts";
import { type DialectVerifier, ENFORCES, type LineContext, type LineScheme, type SignLine } from "./line-scheme.ts";
import { originMap, ownOrigin, wildcardOrigin } from "./origins.ts";
import { bucketsOf, originsOf, regionsOf, SIGNER_FIELDS, type SignerPlace } from "./signer-place.ts";
import { type TimedSigner, timedSigner } from "./timed-signer.ts";

/** Lines of the scheme `oss`: Alibaba OSS V4 and V1. */
export const ossLineScheme: LineScheme = {
  signer: ossLineSigner,
  verifiers: ossLineVerifiers,
  explainKeys: (object) => keysOf(checked(object, ENTRY)),
};

type OssLineCredentials = LineCredentials<OssCredentials>;

/** A line of `sign --batch` with `"scheme":"oss"`, once its fields have been checked. */
interface OssLine extends Omit<OssSignRequest, keyof LineLifetime>, LineLifetime {
  readonly version?: "v4" | "v1";
  readonly region?: string;
  readonly endpoint?: string;
  readonly addressing?: "virtual" | "path" | "bucket-bound";
  readonly cloudBoxId?: string;
  readonly credentialExpiry?: "refuse" | "clamp";
  readonly credentials?: OssLineCredentials;
}

const CREDENTIALS = nested(fields({ accessKeyId: text, accessKeySecret: text, securityToken: text, expiration: text }));
const COMMON: Readonly<Record<string, FieldKind>> = {
  ...{ scheme: text, version: oneOf("v4", "v1"), region: text, endpoint: text },
  addressing: oneOf("virtual", "path", "bucket-bound"),
  ...{ credentials: CREDENTIALS, credentialExpiry: oneOf("refuse", "clamp") },
  ...{ bucket: text, key: text, method: text, query: textMap, headers: textMap, response: textMap },
  ...{ bind: nested(BIND), prefix: text, dotSegments: oneOf("refuse", "sign") },
  ...LIFETIME,
};
const V1_LINE: Fields = fields(COMMON);
const V4_LINE: Fields = fields({ ...COMMON, bindHost: flag, cloudBoxId: text });

// Signers are kept by their options: deriving the signing key costs more than a signature.
function ossLineSigner(): SignLine {
  const signers = cache<TimedSigner<OssSignRequest>>();
  return (object) => {
    const line = checked<OssLine>(object, object["version"] === "v1" ? V1_LINE : V4_LINE);
    const { version, region, endpoint, addressing, cloudBoxId, credentialExpiry } = line;
    if (region === undefined) throw missing("region", 'give it in each line, such as "cn-hangzhou"');
    if (line.credentials === undefined)
      throw missing("credentials", "give accessKeyId and accessKeySecret in each line");
    const time = signingTime(line);
    const credentials = credentialsOf<OssCredentials>(line.credentials);
    const options = { region, endpoint, addressing, cloudBoxId, credentialExpiry, credentials };
    const signer = signers(JSON.stringify([version, options]), () =>
      timedSigner((clock) => (version === "v1" ? ossV1Signer : ossSigner)({ ...options, clock })),
    );
    return signer.sign(ossRequest(line), time);
  };
}

function ossRequest(line: OssLine): OssSignRequest {
  const { bucket, key, method, query, headers, response, bind, bindHost, prefix, dotSegments } = line;
  return { bucket, key, method, query, headers, response, bind, bindHost, prefix, dotSegments, ...lifetime(line) };
}

const ENTRY: Fields = fields({
  ...{ scheme: text, version: oneOf("v4", "v1"), credentials: oneOrMore(CREDENTIALS) },
  ...{ origins: textList, buckets: originMap, regions: textList, maxFutureSkew: number, maxLife: number },
  ...SIGNER_FIELDS,
  allowUnsigned: textList,
});

interface OssEntry extends SignerPlace {
  readonly version?: "v4" | "v1";
  readonly credentials?: OssLineCredentials | readonly OssLineCredentials[];
  readonly origins?: readonly string[];
  readonly addressing?: "virtual" | "path" | "bucket-bound";
  readonly buckets?: Readonly<Record<string, string>>;
  readonly regions?: readonly string[];
  readonly maxFutureSkew?: number;
  readonly maxLife?: number;
  readonly allowUnsigned?: readonly string[];
}

function keysOf({ credentials }: OssEntry): readonly OssCredentials[] {
  if (credentials === undefined) throw missing("credentials", "give accessKeyId and accessKeySecret in each oss entry");
  return [credentials].flat().map((one) => credentialsOf<OssCredentials>(one));
}

/** The verifiers of an entry with `"scheme":"oss"`. */
function ossLineVerifiers(object: JsonObject, { origin, clock }: LineContext): readonly DialectVerifier[] {
  const entry = checked<OssEntry>(object, ENTRY);
  const credentials = keysOf(entry);
  const { version, maxFutureSkew, maxLife, allowUnsigned } = entry;
  const buckets = bucketsOf(entry, origin);
  const regions = regionsOf(entry);
  const configured = originsOf(entry);
  // The bucket is signed wherever its name stands: without configured origins both places are tried.
  const places = configured === undefined ? [[wildcardOrigin(origin)], [ownOrigin(origin)]] : [configured];
  return places.flatMap(([first, ...more]) => {
    if (first === undefined) return [];
    const common = { credentials, origins: [first, ...(more as string[])], buckets, clock, enforces: ENFORCES };
    const verifiers: DialectVerifier[] = [];
    if (version !== "v1") verifiers.push(["oss", ossVerifier({ ...common, regions, maxFutureSkew })]);
    if (version !== "v4") verifiers.push(["oss/v1", ossV1Verifier({ ...common, maxLife, allowUnsigned })]);
    return verifiers;
  });
}
