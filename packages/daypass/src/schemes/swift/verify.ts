import { constantTimeEqual } from "#crypto";
import type { Grant, Scheme, Verifier } from "../../core/contracts.ts";
import { invalidInput, refusal } from "../../core/errors.ts";
import { grantOf } from "../../core/grant.ts";
import type { Keys } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import { checkMaxLife, checkRemaining, checkValidity } from "../../core/time.ts";
import { type VerifierOptions, verifier } from "../../core/verify.ts";
import { isInside } from "../../wire/ip.ts";
import type { Parameter } from "../../wire/parameters.ts";
import { refuseDotSegments } from "../../wire/path-safety.ts";
import { type LoadedKey, loadKey, type SwiftDigest, type SwiftKey, type SwiftMac, swiftKeys } from "./key.ts";
import { detectSwift, type ParsedSwift, parseSwift, signedMethod, signedMethodsFor, swiftMessage } from "./parse.ts";
import type { PrefixMatch } from "./sign.ts";

/** Options of {@link swiftVerifier}. */
export interface SwiftVerifierOptions extends VerifierOptions {
  /**
   * The keys of accounts and containers, or a function that looks them up by `account/container`. All matching keys are
   * tried, so that one can replace another.
   */
  readonly keys: Keys<SwiftKey>;
  /** The path before `/v1/` in the URL, such as `/swift`. It is not signed. */
  readonly basePath?: string | undefined;
  /** Accepted prefixes: `folder` (default) those that end in `/`, `text` any, as in Swift. */
  readonly prefixMatch?: PrefixMatch | undefined;
  /** `filename` and `inline`, which TempURLs do not sign; none is let through by default. */
  readonly allowUnsigned?: readonly ("filename" | "inline")[] | undefined;
  /** Longest remaining lifetime of a URL, in seconds. */
  readonly maxLife?: number | undefined;
}

/** What a verified TempURL allows. */
export interface SwiftGrant extends Grant {
  readonly account: string;
  readonly container: string;
  readonly object: string;
  /** If set, every object whose name begins with it is granted. */
  readonly prefix: string | undefined;
  /** The network of the client, if the URL names one. */
  readonly ipRange: string | undefined;
  /** The hash of the signature. */
  readonly digest: SwiftDigest;
  /** `filename` and `inline`: the holder of the URL chose their values. */
  readonly unsignedParameters: readonly Parameter[];
}

/**
 * Verifies OpenStack Swift temporary URLs: grammar, signature over method, expiry, path or prefix and network, the client's
 * address (`request.remoteAddress`), and that no header would make an upload a pointer to other data. A URL for `GET`, `PUT` or
 * `POST` also grants `HEAD`, as on Swift.
 *
 * A TempURL does not sign other headers, body, host or start: the grant's `notBefore` is 1970. Each key defines the digests
 * that it allows. Dot segments below a prefix are refused in every spelling.
 *
 * Source: https://docs.openstack.org/swift/latest/api/temporary_url_middleware.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNSIGNED_PARAMETER`, `UNSIGNED_HEADER`, `UNKNOWN_KEY`,
 * `SIGNATURE_MISMATCH`, `EXPIRED`, `KEY_SCOPE`, `METHOD_NOT_GRANTED`, `IP_NOT_GRANTED`
 * @example
 * ```ts
 * import { swiftVerifier } from "daypass/swift";
 *
 * export const verifier = swiftVerifier({
 *   keys: [{ account: "AUTH_test", key: "mykey" }, { account: "AUTH_test", key: "the one before" }],
 *   origins: ["https://swift.example.com"],
 * });
 * ```
 */
export function swiftVerifier(options: SwiftVerifierOptions): Verifier<SwiftGrant> {
  requireOptions(options);
  const { basePath = "", prefixMatch = "folder", allowUnsigned, maxLife } = options;
  if (!/^(?:\/[A-Za-z0-9._~-]+)*$/.test(basePath)) throw invalidInput("basePath", 'a path such as "/swift"', basePath);
  checkMaxLife(maxLife);
  const allowed: ReadonlySet<string> = new Set([allowUnsigned ?? []].flat());

  const scheme: Scheme<ParsedSwift, LoadedKey, SwiftGrant> = {
    id: "swift",
    detect: detectSwift,
    parse(received) {
      const parsed = parseSwift(received, basePath, allowed);
      const { object, prefix } = parsed;
      if (prefix !== undefined) {
        refuseDotSegments(received.wire.path);
        if (!object.startsWith(prefix) || (prefixMatch !== "text" && !prefix.endsWith("/"))) {
          throw refusal("KEY_SCOPE", 'the prefix does not end in "/", so it would grant more than a folder', {
            member: "prefix",
          });
        }
      }
      return parsed;
    },
    keyId: ({ account, container }) => `${account}/${container}`,
    dummyKey: DUMMY_KEY,
    async check({ request }, parsed, { macs }) {
      // A digest that the key may not have costs the same and fits nothing.
      const mac = macs[parsed.digest] ?? (DUMMY_KEY.macs[parsed.digest] as SwiftMac);
      let stringToSign: string | undefined;
      for (const method of signedMethodsFor(request.method)) {
        const message = swiftMessage(method, parsed);
        if (constantTimeEqual(await mac(message), parsed.signature)) stringToSign ??= message;
      }
      return { matches: stringToSign !== undefined, stringToSign: stringToSign ?? "" };
    },
    reportsTimeFirst: true,
    checkTime: ({ expiresAt }, now) => checkValidity(now, expiresAt),
    grant({ request }, parsed, { key, stringToSign, now }) {
      const { account, container, object, prefix, ipRange, digest, expiresAt, unsigned } = parsed;
      const method = signedMethod(stringToSign);
      if (!/^(?:GET|HEAD|PUT|POST|DELETE)$/.test(method)) {
        throw refusal("METHOD_NOT_GRANTED", `a TempURL does not grant ${method}. Send GET, HEAD, PUT, POST or DELETE`);
      }
      if (!isInside(request.remoteAddress, parsed.network && [parsed.network])) {
        throw refusal("IP_NOT_GRANTED", `the client is outside ${ipRange}, or its address is unknown`);
      }
      checkRemaining(now, expiresAt, maxLife);
      const methods = /^(?:GET|PUT|POST)$/.test(method) ? [method, "HEAD"] : [method];
      const keyId = key.container === undefined ? account : `${account}/${container}`;
      return grantOf(
        request,
        { scheme: "swift", keyId, methods, notBefore: 0, expiresAt, obligations: [] },
        { account, container, object, prefix, ipRange, digest, unsignedParameters: unsigned },
        stringToSign,
      );
    },
  };
  return verifier(scheme, swiftKeys(options.keys), options);
}

const DUMMY_KEY: LoadedKey = /* @__PURE__ */ loadKey({
  account: "",
  key: "unknown",
  digests: ["sha1", "sha256", "sha512"],
});
