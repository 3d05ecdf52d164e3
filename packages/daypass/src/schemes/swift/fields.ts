import {
  flag,
  listOf,
  missing,
  number,
  oneOf,
  oneOrMore,
  record,
  text,
  textList,
  textMap,
  textOrList,
} from "../../core/fields.ts";
import { BIND, ownOrigin } from "../../core/line-fields.ts";
import type { EntryContext, SchemeFields, SignFields } from "../../core/scheme.ts";
import {
  type SwiftKey,
  type SwiftSignerOptions,
  type SwiftVerifierOptions,
  swiftSigner,
  swiftVerifier,
} from "./index.ts";

const DIGEST = oneOf("sha1", "sha256", "sha512");
const hint = "give endpoint, account and credentials.key in each line";
type Options = Omit<SwiftSignerOptions<"sha256">, "key"> & { readonly credentials: { readonly key: string } };

const line: SignFields = {
  options: { endpoint: text, account: text, credentials: record({ key: text }), digest: DIGEST },
  request: {
    container: text,
    object: text,
    method: text,
    filename: text,
    inline: flag,
    ip: textOrList,
    prefix: text,
    prefixMatch: oneOf("folder", "text"),
    expiresAs: oneOf("unix", "iso"),
    bind: BIND,
    response: textMap,
    dotSegments: oneOf("refuse", "sign"),
  },
  required: { endpoint: hint, account: hint, "credentials.key": hint },
  signer: ({ credentials: { key }, digest = "sha256", ...options }: Options) =>
    swiftSigner({ ...options, key, digest }),
};

interface Entry extends Pick<SwiftVerifierOptions, "basePath" | "prefixMatch" | "allowUnsigned" | "maxLife"> {
  readonly account?: string;
  readonly credentials?: Omit<SwiftKey, "account"> | readonly Omit<SwiftKey, "account">[];
  readonly origins?: readonly string[];
  /** The signer's endpoint: the origin, and in its path the part in front of `/v1/`. */
  readonly endpoint?: string;
}

/** Lines of OpenStack Swift's temporary URLs. */
export const fields: SchemeFields = {
  line: () => line,
  entry: {
    account: text,
    origins: textList,
    endpoint: text,
    basePath: text,
    prefixMatch: oneOf("folder", "text"),
    credentials: oneOrMore(record({ key: text, container: text, digests: listOf(DIGEST) })),
    allowUnsigned: listOf(oneOf("filename", "inline")),
    maxLife: number,
  },
  verifiers(entry: Entry, { origin, clock, enforces }: EntryContext) {
    const { endpoint, prefixMatch, allowUnsigned, maxLife } = entry;
    const [, start = origin, path = ""] = /^(https?:\/\/[^/]*)(.*?)\/?$/i.exec(endpoint ?? "") ?? [];
    const { origins = [ownOrigin(start)], basePath = path === "" ? undefined : path } = entry;
    const options = { keys: keysOf(entry), origins, basePath, prefixMatch, allowUnsigned, maxLife, clock, enforces };
    return [["swift", swiftVerifier(options)]];
  },
  explainKeys: keysOf,
};

function keysOf({ account, credentials }: Entry): readonly SwiftKey[] {
  if (account === undefined || credentials === undefined)
    throw missing("account and credentials", "give them in each swift entry");
  return [credentials].flat().map((key) => ({ ...key, account }));
}
