import {
  type SwiftDigest,
  type SwiftKey,
  type SwiftSignRequest,
  type SwiftVerifierOptions,
  swiftSigner,
  swiftVerifier,
} from "daypass/swift";
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
  textOrList,
} from "./fields.ts";
import { LIFETIME, type LineLifetime, lifetime, signingTime } from "./lifetime.ts";
import { type DialectVerifier, ENFORCES, type LineContext, type LineScheme, type SignLine } from "./line-scheme.ts";
import { ownOrigin } from "./origins.ts";
import { type TimedSigner, timedSigner } from "./timed-signer.ts";

/** Lines of the scheme `swift`: OpenStack Swift TempURLs. */
export const swiftLineScheme: LineScheme = {
  signer: swiftLineSigner,
  verifiers: swiftLineVerifiers,
  explainKeys: (object) => keysOf(checked(object, ENTRY)),
};

/** A line of `sign --batch` with `"scheme":"swift"`, once its fields have been checked. */
interface SwiftLine extends Omit<SwiftSignRequest, keyof LineLifetime>, LineLifetime {
  readonly endpoint?: string;
  readonly account?: string;
  readonly credentials?: { readonly key?: string };
  readonly digest?: SwiftDigest;
  readonly ip?: string | readonly string[];
}

const DIGEST = oneOf("sha1", "sha256", "sha512");
const LINE: Fields = fields({
  ...{ scheme: text, endpoint: text, account: text, credentials: nested(fields({ key: text })), digest: DIGEST },
  ...{ container: text, object: text, method: text, filename: text, inline: flag, ip: textOrList },
  ...{ prefix: text, prefixMatch: oneOf("folder", "text"), expiresAs: oneOf("unix", "iso") },
  ...{ bind: nested(BIND), response: textMap, dotSegments: oneOf("refuse", "sign") },
  ...LIFETIME,
});

function swiftLineSigner(): SignLine {
  const signers = cache<TimedSigner<SwiftSignRequest>>();
  return (object) => {
    const line = checked<SwiftLine>(object, LINE);
    const { endpoint, account, digest, credentials } = line;
    const key = credentials?.key;
    if (endpoint === undefined || account === undefined || key === undefined) {
      throw missing("endpoint, account and credentials.key", "give all three in each line");
    }
    const time = signingTime(line);
    const options = { endpoint, account, key };
    const signer = signers(JSON.stringify([options, digest]), () =>
      timedSigner((clock) =>
        digest === "sha512"
          ? swiftSigner({ ...options, digest, clock })
          : swiftSigner({ ...options, digest: digest ?? "sha256", clock }),
      ),
    );
    return signer.sign(swiftRequest(line), time);
  };
}

function swiftRequest(line: SwiftLine): SwiftSignRequest {
  const { container, object, method, filename, inline, prefix, prefixMatch, expiresAs, response, dotSegments } = line;
  return {
    ...{ container, object, method, filename, inline, prefix, prefixMatch, expiresAs, response, dotSegments },
    bind: line.ip === undefined ? line.bind : { ...line.bind, ip: line.ip },
    ...lifetime(line),
  };
}

const DIGESTS: FieldKind = {
  expected: 'a list of "sha1", "sha256" and "sha512"',
  accepts: (value) => textList.accepts(value) && (value as readonly string[]).every(DIGEST.accepts),
};
const UNSIGNED: FieldKind = {
  expected: 'a list of "filename" and "inline"',
  accepts: (value) =>
    textList.accepts(value) && (value as readonly string[]).every((name) => /^(?:filename|inline)$/.test(name)),
};
const ENTRY: Fields = fields({
  ...{
    scheme: text,
    account: text,
    origins: textList,
    endpoint: text,
    basePath: text,
    prefixMatch: oneOf("folder", "text"),
  },
  credentials: oneOrMore(nested(fields({ key: text, container: text, digests: DIGESTS }))),
  ...{ allowUnsigned: UNSIGNED, maxLife: number },
});

interface SwiftEntry extends Pick<SwiftVerifierOptions, "basePath" | "prefixMatch" | "allowUnsigned" | "maxLife"> {
  readonly account?: string;
  readonly credentials?: Omit<SwiftKey, "account"> | readonly Omit<SwiftKey, "account">[];
  readonly origins?: readonly string[];
  /** As the signer has it: the origin, and in its path what stands in front of `/v1/`. */
  readonly endpoint?: string;
}

function keysOf({ account, credentials }: SwiftEntry): readonly SwiftKey[] {
  if (account === undefined || credentials === undefined) {
    throw missing("account and credentials", "give them in each swift entry");
  }
  return [credentials].flat().map((key) => ({ ...key, account }));
}

function swiftLineVerifiers(object: JsonObject, { origin, clock }: LineContext): readonly DialectVerifier[] {
  const entry = checked<SwiftEntry>(object, ENTRY);
  const keys = keysOf(entry);
  const { endpoint, prefixMatch, allowUnsigned, maxLife } = entry;
  const [, start = origin, path = ""] = /^(https?:\/\/[^/]*)(.*?)\/?$/i.exec(endpoint ?? "") ?? [];
  const { origins = [ownOrigin(start)], basePath = path === "" ? undefined : path } = entry;
  const options = { keys, origins, basePath, prefixMatch, allowUnsigned, maxLife, clock, enforces: ENFORCES };
  return [["swift", swiftVerifier(options)]];
}
