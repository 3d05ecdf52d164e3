import { createPublicKey } from "node:crypto";
import { DaypassError } from "daypass";
import {
  type CloudfrontHash,
  type CloudfrontKey,
  type CloudfrontSignRequest,
  cloudfrontCookieSigner,
  cloudfrontSigner,
  cloudfrontVerifier,
} from "daypass/cloudfront";
import { BIND } from "./bindings.ts";
import { cache } from "./cache.ts";
import {
  checked,
  type FieldKind,
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
  textOrList,
} from "./fields.ts";
import { LIFETIME, type LineLifetime, lifetime, signingTime } from "./lifetime.ts";
import { type DialectVerifier, ENFORCES, type LineContext, type LineScheme, type SignLine } from "./line-scheme.ts";
import { ownOrigin } from "./origins.ts";
import { type TimedSigner, timedSigner } from "./timed-signer.ts";

/** Lines of the scheme `cloudfront`: signed URLs and cookies. */
export const cloudfrontLineScheme: LineScheme = {
  signer: cloudfrontLineSigner,
  verifiers: cloudfrontLineVerifiers,
  explainKeys: (object) => keysOf(checked(object, ENTRY)),
};

/** A line of `sign --batch` with `"scheme":"cloudfront"`, once its fields have been checked. */
interface CloudfrontLine extends Omit<CloudfrontSignRequest, "url" | keyof LineLifetime>, LineLifetime {
  readonly url?: string;
  readonly hash?: CloudfrontHash;
  readonly credentials?: { readonly keyPairId?: string; readonly privateKey?: string };
  readonly as?: "url" | "cookies";
  readonly ip?: string | readonly string[];
}

const HASH = oneOf("sha1", "sha256");
const AS = oneOf("url", "cookies");
const LINE: Fields = fields({
  ...{ scheme: text, url: text, resource: text, prefix: text, policy: text, ip: textOrList, hash: HASH },
  ...{ as: AS, credentials: nested(fields({ keyPairId: text, privateKey: text })) },
  ...{ bind: nested(BIND), response: textMap },
  ...LIFETIME,
});

// Signers are kept by their key, which is read once.
function cloudfrontLineSigner(): SignLine {
  const signers = cache<TimedSigner<CloudfrontSignRequest>>();
  return (object) => {
    const line = checked<CloudfrontLine>(object, LINE);
    const { hash, as = "url", credentials } = line;
    const { keyPairId, privateKey } = credentials ?? {};
    if (keyPairId === undefined || privateKey === undefined)
      throw missing("credentials", "give keyPairId and privateKey in each line");
    const time = signingTime(line);
    const options = { keyPairId, privateKey, hash };
    const signer = signers(JSON.stringify([as, options]), () =>
      timedSigner<CloudfrontSignRequest>((clock) =>
        as === "url" ? cloudfrontSigner({ ...options, clock }) : cookieSigner({ ...options, clock }),
      ),
    );
    return signer.sign(cloudfrontRequest(line), time);
  };
}

type Options = Parameters<typeof cloudfrontCookieSigner>[0];

/** Cookies open a resource, or one URL. */
function cookieSigner(options: Options): ReturnType<typeof timedCookies> {
  return timedCookies(cloudfrontCookieSigner(options));
}

function timedCookies(signer: ReturnType<typeof cloudfrontCookieSigner>) {
  return {
    sign: ({ url, resource, ...request }: CloudfrontSignRequest) => {
      if (request.policy !== undefined) return signer.sign({ ...request, resource, url: url === "" ? undefined : url });
      if (url !== "" && resource !== undefined) {
        throw new DaypassError(
          "INVALID_INPUT",
          "expected url or resource for cookies, found both: they open one of them",
        );
      }
      return signer.sign({ ...request, resource: resource ?? url });
    },
  };
}

function cloudfrontRequest(line: CloudfrontLine): CloudfrontSignRequest {
  const { url = "", resource, prefix, policy, response } = line;
  const bind = line.ip === undefined ? line.bind : { ...line.bind, ip: line.ip };
  return { url, resource, prefix, policy, response, bind, ...lifetime(line) };
}

const HASHES: FieldKind = {
  expected: 'a list of "sha1" and "sha256"',
  accepts: (value) => textList.accepts(value) && (value as readonly string[]).every(HASH.accepts),
};
const ENTRY: Fields = fields({
  scheme: text,
  credentials: oneOrMore(nested(fields({ keyPairId: text, publicKey: text, privateKey: text, hashes: HASHES }))),
  ...{ origins: textList, methods: textList, maxLife: number, hash: HASH, as: AS },
});

/** Whoever has the private key at hand may verify with it, too: only its public half is used. */
interface EntryKey {
  readonly keyPairId?: string;
  readonly publicKey?: string;
  readonly privateKey?: string;
  readonly hashes?: readonly CloudfrontHash[];
}

interface CloudfrontEntry {
  readonly credentials?: EntryKey | readonly EntryKey[];
  /** The signer's: the one that is taken. */
  readonly hash?: CloudfrontHash;
  /** The signer's, which says nothing to a verifier: it takes either. */
  readonly as?: "url" | "cookies";
  readonly origins?: readonly string[];
  readonly methods?: readonly string[];
  readonly maxLife?: number;
}

function cloudfrontLineVerifiers(object: JsonObject, { origin, clock }: LineContext): readonly DialectVerifier[] {
  const entry = checked<CloudfrontEntry>(object, ENTRY);
  const keys = keysOf(entry);
  const { origins = [ownOrigin(origin)], methods, maxLife } = entry;
  return [["cloudfront", cloudfrontVerifier({ keys, origins, methods, maxLife, clock, enforces: ENFORCES })]];
}

function keysOf({ credentials, hash }: CloudfrontEntry): readonly (CloudfrontKey & { readonly publicKey: string })[] {
  if (credentials === undefined) throw missing("credentials", "give keyPairId and publicKey in each cloudfront entry");
  return [credentials].flat().map((key) => publicKey({ ...(hash && { hashes: [hash] }), ...key }));
}

function publicKey({
  keyPairId = "",
  publicKey,
  privateKey = "",
  hashes = ["sha1", "sha256"],
}: EntryKey): CloudfrontKey & { readonly publicKey: string } {
  if (publicKey !== undefined) return { keyPairId, publicKey, hashes };
  try {
    const pem = createPublicKey(privateKey).export({ format: "pem", type: "spki" }).toString();
    return { keyPairId, publicKey: pem, hashes };
  } catch {
    throw new DaypassError(
      "INVALID_KEY",
      "expected publicKey as an RSA or P-256 key in PEM, found none that can be read",
    );
  }
}
