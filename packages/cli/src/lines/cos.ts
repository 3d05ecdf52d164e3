import { type CosCredentials, type CosSignRequest, cosSigner, cosVerifier } from "daypass/cos";
import { BIND } from "./bindings.ts";
import { cache } from "./cache.ts";
import {
  checked,
  type Fields,
  fields,
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
import { originMap, ownOrigin } from "./origins.ts";
import { bucketsOf, originsOf, SIGNER_FIELDS, type SignerPlace } from "./signer-place.ts";
import { type TimedSigner, timedSigner } from "./timed-signer.ts";

/** Lines of the scheme `cos`: Tencent COS. */
export const cosLineScheme: LineScheme = {
  signer: cosLineSigner,
  verifiers: cosLineVerifiers,
  explainKeys: (object) => keysOf(checked(object, ENTRY)),
};

type CosLineCredentials = LineCredentials<CosCredentials>;

/** A line of `sign --batch` with `"scheme":"cos"`, once its fields have been checked. */
interface CosLine extends Omit<CosSignRequest, keyof LineLifetime>, LineLifetime {
  readonly region?: string;
  readonly endpoint?: string;
  readonly addressing?: "virtual" | "path" | "bucket-bound";
  readonly credentialExpiry?: "refuse" | "clamp";
  readonly credentials?: CosLineCredentials;
}

const CREDENTIALS = nested(fields({ secretId: text, secretKey: text, sessionToken: text, expiration: text }));
const LINE: Fields = fields({
  ...{ scheme: text, region: text, endpoint: text, addressing: oneOf("virtual", "path", "bucket-bound") },
  ...{ credentials: CREDENTIALS, credentialExpiry: oneOf("refuse", "clamp") },
  ...{ bucket: text, key: text, method: text, query: textMap, headers: textMap, response: textMap },
  ...{ bind: nested(BIND), prefix: text, dotSegments: oneOf("refuse", "sign") },
  ...LIFETIME,
});

function cosLineSigner(): SignLine {
  const signers = cache<TimedSigner<CosSignRequest>>();
  return (object) => {
    const line = checked<CosLine>(object, LINE);
    const { region, endpoint, addressing, credentialExpiry } = line;
    if (line.credentials === undefined) throw missing("credentials", "give secretId and secretKey in each line");
    const time = signingTime(line);
    const options = {
      region,
      endpoint,
      addressing,
      credentialExpiry,
      credentials: credentialsOf<CosCredentials>(line.credentials),
    };
    const signer = signers(JSON.stringify(options), () => timedSigner((clock) => cosSigner({ ...options, clock })));
    return signer.sign(cosRequest(line), time);
  };
}

function cosRequest(line: CosLine): CosSignRequest {
  const { bucket, key, method, query, headers, response, bind, prefix, dotSegments } = line;
  return { bucket, key, method, query, headers, response, bind, prefix, dotSegments, ...lifetime(line) };
}

const ENTRY: Fields = fields({
  ...{ scheme: text, credentials: oneOrMore(CREDENTIALS), origins: textList, buckets: originMap },
  ...{ maxLife: number, maxFutureSkew: number },
  ...SIGNER_FIELDS,
});

interface CosEntry extends SignerPlace {
  readonly credentials?: CosLineCredentials | readonly CosLineCredentials[];
  readonly origins?: readonly string[];
  readonly addressing?: "virtual" | "path" | "bucket-bound";
  readonly buckets?: Readonly<Record<string, string>>;
  readonly maxLife?: number;
  readonly maxFutureSkew?: number;
}

const TENCENT_VIRTUAL = /^(https?:\/\/)[a-z0-9-]+\.(cos\.[a-z0-9-]+\.myqcloud\.com)$/;

function keysOf({ credentials }: CosEntry): readonly CosCredentials[] {
  if (credentials === undefined) throw missing("credentials", "give secretId and secretKey in each cos entry");
  return [credentials].flat().map((one) => credentialsOf<CosCredentials>(one));
}

function cosLineVerifiers(object: JsonObject, { origin, clock }: LineContext): readonly DialectVerifier[] {
  const entry = checked<CosEntry>(object, ENTRY);
  const credentials = keysOf(entry);
  const { maxLife, maxFutureSkew } = entry;
  const options = {
    credentials,
    // On Tencent a bucket in front of the host can be told from the host's name alone, and the grant should name it.
    origins: originsOf(entry) ?? [ownOrigin(origin).replace(TENCENT_VIRTUAL, "$1*.$2")],
    ...{ buckets: bucketsOf(entry, origin), maxLife, maxFutureSkew, clock, enforces: ENFORCES },
  };
  return [["cos", cosVerifier(options)]];
}
