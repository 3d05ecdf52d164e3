import type { Grant, Scheme, Verifier } from "../../core/contracts.ts";
import { invalidInput, refusal } from "../../core/errors.ts";
import { VerifiedGrant } from "../../core/grant.ts";
import { type Keys, keyResolver } from "../../core/key-resolver.ts";
import { checkMaxLife, checkRemaining, checkValidity } from "../../core/time.ts";
import { type VerifierOptions, verifier } from "../../core/verify.ts";
import { isInside } from "../../wire/ip.ts";
import { type CloudfrontKey, type LoadedKey, loadKey } from "./key.ts";
import { detectCloudfront, type ParsedCloudfront, parseCloudfront } from "./parse.ts";
import { fits } from "./policy.ts";

/** Options of {@link cloudfrontVerifier}. */
export interface CloudfrontVerifierOptions extends VerifierOptions {
  /** The public keys, or a function that looks them up by key pair id. */
  readonly keys: Keys<CloudfrontKey>;
  /** The granted methods, because no policy binds them: `["GET", "HEAD"]` by default, as in a distribution. */
  readonly methods?: readonly string[] | undefined;
  /** Longest remaining lifetime of a URL or cookie, in seconds. CloudFront has no maximum. */
  readonly maxLife?: number | undefined;
}

/** What a verified CloudFront URL or cookie allows. */
export interface CloudfrontGrant extends Grant {
  /** Where the signature was found. */
  readonly via: "url" | "cookies";
  /** Whether the policy was built from the URL, or travelled with it. */
  readonly policy: "canned" | "custom";
  /** The URL or pattern that was signed. */
  readonly resource: string;
  /** The URL of this request, without signing parameters. */
  readonly url: string;
  /** The network of the client, if the policy names one. */
  readonly ipRange: string | undefined;
}

/**
 * Verifies CloudFront signed URLs and signed cookies: grammar, signature of the policy (RSA or ECDSA, with a hash that the
 * key allows), that its resource matches this URL including scheme, host and query, start, expiry, the client's address
 * (`request.remoteAddress`) and the method. If the URL has signing parameters, cookies are ignored.
 *
 * Stricter than CloudFront: a policy needs a resource and an expiry, and may have no unknown or repeated members; paths with dot
 * segments are refused in every spelling. `grant.target` has no signing parameters.
 *
 * Source: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-signed-urls.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `WRONG_ORIGIN`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`, `NOT_YET_VALID`, `KEY_SCOPE`, `METHOD_NOT_GRANTED`,
 * `IP_NOT_GRANTED`
 * @example
 * ```ts
 * import { cloudfrontVerifier } from "daypass/cloudfront";
 *
 * export const verifierFor = (publicKey: string) =>
 *   cloudfrontVerifier({
 *     keys: [{ keyPairId: "K2JCJMDEHXQW5F", publicKey, hashes: ["sha256"] }],
 *     origins: ["https://media.example.com"],
 *   });
 * ```
 */
export function cloudfrontVerifier(options: CloudfrontVerifierOptions): Verifier<CloudfrontGrant> {
  const { keys, methods = ["GET", "HEAD"], maxLife } = options;
  checkMaxLife(maxLife);
  if (!methods.every((method) => /^[A-Z]{1,16}$/.test(method))) throw invalidInput("methods", "upper case", methods);
  const scheme: Scheme<ParsedCloudfront, LoadedKey, CloudfrontGrant> = {
    id: "cloudfront",
    detect: detectCloudfront,
    parse: parseCloudfront,
    keyId: (parsed) => parsed.keyPairId,
    dummyKey: loadKey({ keyPairId: "unknown", publicKey: NOBODY, hashes: ["sha1", "sha256"] }),
    async check(_received, { text, hash, signature }, publicKey) {
      // A hash that the key may not have costs the same and fits nothing.
      const isSigned = await publicKey.verify(hash, text, signature);
      return { matches: isSigned && publicKey.hashes.includes(hash), stringToSign: text };
    },
    reportsTimeFirst: true,
    checkTime: ({ policy: { expiresAt, startsAt } }, now) => checkValidity(now, expiresAt, startsAt),
    grant({ request }, { policy, via, isCanned, keyPairId, target, url }, { stringToSign, now }) {
      const { resource, expiresAt, startsAt = 0, ipRange, network } = policy;
      checkRemaining(now, expiresAt, maxLife);
      if (!fits(resource, url))
        throw refusal("KEY_SCOPE", "a URL that the signed resource covers", { member: "resource" });
      if (!methods.includes(request.method)) {
        throw refusal("METHOD_NOT_GRANTED", `${methods.join(" or ")}, found another method`);
      }
      if (!isInside(request.remoteAddress, network && [network])) {
        throw refusal("IP_NOT_GRANTED", `a client in ${ipRange}, found another or an unknown address`);
      }
      const fields = {
        scheme: "cloudfront",
        keyId: keyPairId,
        methods,
        notBefore: startsAt,
        expiresAt,
        obligations: [],
        target,
      };
      return Object.assign(new VerifiedGrant(fields, stringToSign), {
        via,
        policy: isCanned ? ("canned" as const) : ("custom" as const),
        resource,
        url,
        ipRange,
      });
    },
  };
  return verifier(
    scheme,
    keyResolver(keys, ({ keyPairId }) => keyPairId, loadKey),
    options,
  );
}

// 2048 bits without a known private key, so that an unknown key costs the same arithmetic.
const NOBODY = `-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA${"/".repeat(341)}wIDAQAB\n-----END PUBLIC KEY-----`;
