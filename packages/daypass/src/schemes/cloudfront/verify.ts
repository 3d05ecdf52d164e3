import type { Grant, ReceivedRequest, Scheme, Verifier, WireRequest } from "../../core/contracts.ts";
import { invalidInput, refusal } from "../../core/errors.ts";
import { VerifiedGrant } from "../../core/grant.ts";
import { type Keys, keyResolver } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import { checkMaxLife, checkRemaining, checkValidity, parseEpoch } from "../../core/time.ts";
import { type VerifierOptions, verifier } from "../../core/verify.ts";
import { latin1, signatureBytes } from "../../wire/encoding.ts";
import { isInside } from "../../wire/ip.ts";
import { malformed } from "../../wire/parameters.ts";
import { refuseDotSegments } from "../../wire/path-safety.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { type CloudfrontHash, type CloudfrontKey, type LoadedKey, loadKey } from "./key.ts";
import { fits, fromUrlText, PARAMETERS, type ParameterName, type Policy, policyText, readPolicy } from "./policy.ts";

/** A request with a signed URL or signed cookies, read strictly. Nothing in it has been verified. */
export interface ParsedCloudfront {
  readonly via: "url" | "cookies";
  readonly keyPairId: string;
  readonly hash: CloudfrontHash;
  readonly signature: Uint8Array;
  /** What is signed: the policy that travelled, or the canned one of this request. */
  readonly text: string;
  readonly isCanned: boolean;
  readonly policy: Policy;
  /** The target without the signing parameters, and its whole URL. */
  readonly target: string;
  readonly url: string;
}

const IN_URL = /[?&]Key-Pair-Id=/;
const COOKIE = "CloudFront-";

/** Returns, by names alone, whether a request has a signed URL or signed cookies. */
export function detectCloudfront(request: WireRequest): boolean {
  const { target, headers } = request;
  return (
    IN_URL.test(target) || headerValues(headers, "cookie").some((value) => value.includes(`${COOKIE}Key-Pair-Id=`))
  );
}

/** Reads a request. Throws `MALFORMED`. */
export function parseCloudfront({ request, wire, origin }: ReceivedRequest): ParsedCloudfront {
  // Otherwise, a policy with wildcards would open every path that a router derives from the rest.
  refuseDotSegments(wire.path);
  // Another reader could complete a broken escape with the text after it.
  if (/%(?![0-9A-Fa-f]{2})/.test(request.target)) throw malformed("target", "form", "whole escapes");
  const own = wire.tokens.filter(({ name }) => isParameter(name));
  // "If the URL contains any of these parameters, CloudFront does not look at cookies."
  const via = own.length > 0 ? "url" : "cookies";
  const pairs = via === "url" ? own.map(({ name, value = "" }) => [name, value] as const) : ownCookies(request);
  const values = readOnce(pairs);
  const rest = wire.query
    .split("&")
    .filter((token) => !isParameter(token.split("=", 1)[0] as string))
    .join("&");
  const target = via === "cookies" ? request.target : rest === "" ? wire.path : `${wire.path}?${rest}`;
  const url = origin + target;

  const { Expires: end, Policy: encoded, Signature: encodedSignature = "", "Key-Pair-Id": keyPairId = "" } = values;
  const signature = fromUrlText(encodedSignature, signatureBytes);
  if (signature === undefined) throw malformed("Signature", "form", "base64 with -, _ and ~");
  if (!/^[\w-]+$/.test(keyPairId)) throw malformed("Key-Pair-Id", "form", "the id of a public key");
  if ((end === undefined) === (encoded === undefined)) throw malformed("Policy", "form", "one of Policy and Expires");
  const common = { via, keyPairId, hash: readHash(values["Hash-Algorithm"]), signature, target, url } as const;
  if (encoded !== undefined) {
    const text = readText(encoded);
    const policy = readPolicy(text, (expected) => malformed("Policy", "form", expected));
    return { ...common, text, isCanned: false, policy };
  }
  const expiresAt = parseEpoch(end ?? "");
  if (expiresAt === undefined) throw malformed("Expires", "form", "whole seconds since 1970");
  const policy = { resource: url, expiresAt, startsAt: undefined, ipRange: undefined, network: undefined };
  return { ...common, text: policyText({ resource: url, end: Number(end) }), isCanned: true, policy };
}

function isParameter(name: string): name is ParameterName {
  return (PARAMETERS as readonly string[]).includes(name);
}

function readOnce(pairs: readonly (readonly [string, string])[]): Readonly<Partial<Record<ParameterName, string>>> {
  const values = new Map(pairs);
  if (values.size < pairs.length) throw malformed("Key-Pair-Id", "duplicate", "each signing parameter once");
  return Object.fromEntries(values);
}

function readHash(text = "SHA1"): CloudfrontHash {
  if (text === "SHA1") return "sha1";
  if (text === "SHA256") return "sha256";
  throw malformed("Hash-Algorithm", "form", "SHA1 or SHA256");
}

/** ASCII, as URLs are: a policy in anything else fits none. */
function readText(encoded: string): string {
  const bytes = fromUrlText(encoded);
  if (bytes === undefined || !bytes.every((byte) => byte < 0x7f))
    throw malformed("Policy", "form", "base64 of ASCII text");
  return latin1(bytes);
}

function ownCookies({ headers }: WireRequest): readonly (readonly [string, string])[] {
  const own = headerValues(headers, "cookie")
    .flatMap((value) => value.split(";"))
    .map((cookie) => cookie.trim())
    .filter((cookie) => cookie.startsWith(COOKIE))
    .map((cookie) => {
      const equals = cookie.indexOf("=");
      return [cookie.slice(COOKIE.length, equals), cookie.slice(equals + 1)] as const;
    });
  const unknown = own.find(([name]) => !isParameter(name))?.[0];
  if (unknown !== undefined) throw malformed(`${COOKIE}${unknown}`, "unknown", "a known cookie");
  return own;
}

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
  requireOptions(options);
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
        throw refusal("KEY_SCOPE", "the signed resource does not cover this URL", { member: "resource" });
      if (!methods.includes(request.method)) {
        throw refusal("METHOD_NOT_GRANTED", `the method is not granted. Send ${methods.join(" or ")}`);
      }
      if (!isInside(request.remoteAddress, network && [network])) {
        throw refusal("IP_NOT_GRANTED", `the client is outside ${ipRange}, or its address is unknown`);
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
