import { DaypassError } from "../../core/errors.ts";
import { listOf, missing, oneOf, text } from "../../core/fields.ts";
import type { KeyTools, SchemeFields } from "../../core/scheme.ts";
import { type EdgeOptions, edgeFields } from "../../edge/fields.ts";
import {
  type CloudfrontHash,
  type CloudfrontKey,
  type CloudfrontSignerOptions,
  type CloudfrontSignRequest,
  cloudfrontCookieSigner,
  cloudfrontSigner,
  cloudfrontVerifier,
} from "./index.ts";

const HASH = oneOf("sha1", "sha256");

interface Key {
  readonly keyPairId: string;
  readonly publicKey?: string;
  readonly privateKey?: string;
  readonly hashes?: readonly CloudfrontHash[];
}

const edge = edgeFields({
  scheme: "cloudfront",
  credentials: { keyPairId: text, publicKey: text, privateKey: text, hashes: listOf(HASH) },
  required: ["keyPairId"],
  // Which of both a line makes says nothing to a verifier, which takes either.
  options: { hash: HASH, as: oneOf("url", "cookies") },
  request: { resource: text, policy: text },
  signer({ as, ...options }: CloudfrontSignerOptions & { readonly as?: string }) {
    if (options.privateKey === undefined) throw missing("credentials.privateKey", "give it in each cloudfront line");
    return as === "cookies" ? cookieSigner(options) : cloudfrontSigner(options);
  },
  prepare: (request: CloudfrontSignRequest) => ({ ...request, url: request.url ?? "" }),
  verifier: (key: Key, { as: _, hash, ...options }: EdgeOptions & Shared, tools) =>
    cloudfrontVerifier({ ...options, keys: publicKey({ ...(hash && { hashes: [hash] }), ...key }, tools) }),
  explainKey: publicKey,
});

/** Lines of CloudFront: signed URLs, and cookies with `"as":"cookies"`. */
export const fields: SchemeFields = {
  ...edge,
  // `explain` recognises keys of CloudFront by their members.
  explainKeys: (entry, tools) =>
    edge.explainKeys(entry, tools).map((key) => {
      const { scheme: _, as: __, hash: ___, ...own } = key as Readonly<Record<string, unknown>>;
      return own;
    }),
};

interface Shared {
  readonly as?: string;
  readonly hash?: CloudfrontHash;
}

/** Cookies open a resource, or one URL. */
function cookieSigner(options: CloudfrontSignerOptions) {
  const signer = cloudfrontCookieSigner(options);
  return {
    sign: ({ url, resource, ...request }: CloudfrontSignRequest) => {
      if (request.policy !== undefined) return signer.sign({ ...request, resource, url: url === "" ? undefined : url });
      if (url === "" || resource === undefined) return signer.sign({ ...request, resource: resource ?? url });
      throw new DaypassError("INVALID_INPUT", "url and resource are both set. Cookies open one of them");
    },
  };
}

/** The public half verifies: an entry may have the private key alone. */
function publicKey(
  { keyPairId, publicKey, privateKey, hashes = ["sha1", "sha256"] }: Key,
  tools: KeyTools,
): CloudfrontKey {
  if (publicKey !== undefined) return { keyPairId, publicKey, hashes };
  if (privateKey === undefined) throw missing("credentials.publicKey", "give it in each cloudfront entry");
  return { keyPairId, publicKey: tools.publicPem(privateKey, "publicKey"), hashes };
}
