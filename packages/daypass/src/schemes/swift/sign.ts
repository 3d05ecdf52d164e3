import { adviser } from "#advice";
import type { AsyncSigner, Clock, Constraints, SignedRequest, Signer } from "../../core/contracts.ts";
import { invalidInput } from "../../core/errors.ts";
import { checkKey, methodOf } from "../../core/object-request.ts";
import { requireOptions } from "../../core/require-options.ts";
import { asyncSigner, type SignedFields, SignedResult, signer } from "../../core/signed-request.ts";
import { CENTURY, signingWindow, systemClock } from "../../core/time.ts";
import { checkOneOf, checkOptions, type RequestRules } from "../../core/validate-options.ts";
import { uriEncode, uriEncodePath } from "../../wire/encoding.ts";
import { oneNetwork } from "../../wire/ip.ts";
import { type SwiftDigest, swiftMac, swiftMac512 } from "./key.ts";
import { swiftMessage } from "./parse.ts";

// It concerns the key alone.
const advise = /* @__PURE__ */ adviser();

/** One TempURL to sign. */
export interface SwiftSignRequest extends Constraints {
  readonly container: string;
  /** The object's name, exactly: it is data, and is never parsed as a URL. May be omitted if there is a `prefix`. */
  readonly object?: string | undefined;
  /** `GET` (default), `HEAD`, `PUT`, `POST` or `DELETE`. `GET`, `PUT` and `POST` also grant `HEAD`. */
  readonly method?: string | undefined;
  /** Grants every object whose name starts with this. */
  readonly prefix?: string | undefined;
  /**
   * `folder` (default) accepts only prefixes that end in `/`. `text` accepts any, even an empty one for the whole
   * container if there is an `object`: with `text`, `pri` also grants `private`.
   */
  readonly prefixMatch?: PrefixMatch | undefined;
  /** The name under which a browser saves the download. Not signed: the holder of the URL can change it. */
  readonly filename?: string | undefined;
  /** Shows the download instead of saving it. Not signed, either. */
  readonly inline?: boolean | undefined;
  /** `iso` writes the expiry into the URL as `2026-01-02T03:04:05Z`; the signature is the same. */
  readonly expiresAs?: "unix" | "iso" | undefined;
  /** `sign` signs names with `.` or `..` segments, which no browser can fetch. Refused by default. */
  readonly dotSegments?: "refuse" | "sign" | undefined;
}

/** @inline */
export type PrefixMatch = "folder" | "text";

/** What a TempURL can be asked for. */
export const RULES: RequestRules = {
  scheme: "Swift",
  known:
    /^(?:container|object|method|prefix|prefixMatch|filename|inline|expires(?:In|At|As)|stableWindow|dotSegments|bind(?:\.ip)?)$/,
  instead: {
    response: "use filename or inline, which are not signed",
    "bind.contentLength": "use FormPost",
  },
};

/** Options of {@link swiftSigner}. */
export interface SwiftSignerOptions<D extends SwiftDigest> {
  /** Scheme, host, port and the path before `/v1/` (`https://rgw.example.com/swift`); it is not signed. */
  readonly endpoint: string;
  /** `AUTH_…` */
  readonly account: string;
  /** A `Temp-URL-Key` of the account or of the container. */
  readonly key: string;
  /** `sha256` by default. With `sha512` the signer answers by promise, as WebCrypto does. */
  readonly digest?: D | undefined;
  readonly clock?: Clock | undefined;
}

// What Keystone calls the endpoint ends in `/v1/AUTH_…`: here the URL would contain it twice, and the signature for another path.
const ENDPOINT = /^https?:\/\/[A-Za-z0-9.:[\]-]+(?:\/(?!v1(?:\/|$))[A-Za-z0-9._~-]+)*\/?$/;
const SEGMENT = /^(?!\.{1,2}$)[^/]+$/;

/**
 * Signs OpenStack Swift temporary URLs (HMAC-SHA256, SHA-512 or SHA-1): one method on one object, or on every object
 * below a prefix, until an expiry, and from one network with `bind.ip`.
 *
 * A TempURL does not bind headers, body, start, `filename` or `inline`. It stops working when its key is replaced.
 * The server decides which methods and digests it allows, and refuses the URL if the key is not set on the account.
 *
 * Source: https://docs.openstack.org/swift/latest/api/temporary_url_middleware.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { swiftSigner } from "daypass/swift";
 *
 * const swift = swiftSigner({ endpoint: "https://swift.example.com", account: "AUTH_test", key: "mykey" });
 * export const { url } = swift.sign({ container: "media", object: "talks/keynote.mp4", expiresIn: 900 });
 * ```
 */
export function swiftSigner(options: SwiftSignerOptions<"sha1" | "sha256">): Signer<SwiftSignRequest>;
export function swiftSigner(options: SwiftSignerOptions<"sha512">): AsyncSigner<SwiftSignRequest>;
export function swiftSigner(
  given: SwiftSignerOptions<"sha512"> | SwiftSignerOptions<"sha1" | "sha256">,
): Signer<SwiftSignRequest> | AsyncSigner<SwiftSignRequest> {
  requireOptions(given);
  const { endpoint, account, key, digest = "sha256", clock } = given;
  // One by one, as a class may have them as getters, and the object may be the next signer's, too.
  const options = { endpoint: `${endpoint}`.replace(/\/$/, ""), account, digest, clock };
  if (!ENDPOINT.test(endpoint)) throw invalidInput("endpoint", "scheme://host[:port][/path] without /v1", endpoint);
  checkSegment("account", account);
  if (digest === "sha512") {
    const mac = swiftMac512(key);
    return asyncSigner(async (request) => {
      const unsigned = prepareTempUrl(request, options);
      return finish(unsigned, await mac(unsigned.message));
    });
  }
  const mac = swiftMac(digest, key);
  return signer((request) => {
    const unsigned = prepareTempUrl(request, options);
    return finish(unsigned, mac(unsigned.message));
  });
}

// The pattern would accept an absent name as the word `undefined`, and sign a path in no account.
function checkSegment(option: string, text: string): void {
  if (typeof text !== "string" || !SEGMENT.test(text)) throw invalidInput(option, "a name without slashes", text);
}

interface Unsigned {
  readonly message: string;
  /** The URL up to its query, and the query after the signature. */
  readonly address: string;
  readonly tokens: readonly string[];
  readonly result: Omit<SignedFields, "url">;
}

function prepareTempUrl(request: SwiftSignRequest, options: Omit<SwiftSignerOptions<SwiftDigest>, "key">): Unsigned {
  const { endpoint, account, digest, clock = systemClock } = options;
  const { container, object = request.prefix as string, prefix, filename, inline, expiresAs } = request;
  checkSegment("container", container);
  const method = methodOf(request.method);
  checkOneOf("method", method, "GET", "HEAD", "PUT", "POST", "DELETE");
  checkOptions(request, RULES);
  if (expiresAs !== undefined) checkOneOf("expiresAs", expiresAs, "unix", "iso");
  checkPrefix(request);
  checkKey(object, request.dotSegments, "object");
  // The signature covers the given spelling, so the text is checked and not rewritten.
  const ipRange = oneNetwork("Swift", request.bind?.ip);
  const { expiresAt, warnings } = signingWindow(request, clock(), { maxSeconds: CENTURY });
  const expires = expiresAt.getTime() / 1000;
  const end = expiresAs === "iso" ? expiresAt.toISOString().replace(/\.\d+/, "") : expires;
  const open = [...optional(filename, (name) => `filename=${uriEncode(name)}`), ...(inline ? ["inline"] : [])];
  return {
    message: swiftMessage(method, { ipRange, expires, account, container, object, prefix }),
    address: endpoint + uriEncodePath(`/v1/${account}/${container}/${object}`),
    tokens: [
      `temp_url_expires=${end}`,
      ...optional(ipRange, (range) => `temp_url_ip_range=${uriEncode(range)}`),
      ...optional(prefix, (text) => `temp_url_prefix=${uriEncode(text)}`),
      ...open,
    ],
    result: {
      method,
      headers: {},
      expiresAt,
      bound: [...BOUND, prefix === undefined ? "object" : `prefix ${prefix}`, ...optional(ipRange, (ip) => `ip ${ip}`)],
      unbound: [...UNBOUND, ...optional(prefix, () => "path below the prefix")],
      warnings: advise(
        [
          ...warnings,
          ...(digest === "sha1" ? [SHA1] : []),
          ...open.slice(0, 1).map(() => UNSIGNED),
          ...(prefix === undefined || prefix.endsWith("/") ? [] : [`${prefix}… is granted, within a word as well`]),
        ],
        { key: object },
      ),
    },
  };
}

function finish({ address, tokens, message, result }: Unsigned, signature: string): SignedRequest {
  return new SignedResult({ url: `${address}?temp_url_sig=${signature}&${tokens.join("&")}`, ...result }, message);
}

function optional(value: string | undefined, write: (value: string) => string): readonly string[] {
  return value === undefined ? [] : [write(value)];
}

const BOUND: readonly string[] = ["method", "account", "container", "end"];
const UNBOUND: readonly string[] = ["scheme", "host", "filename, inline", "all headers", "body"];
const SHA1 = "HMAC-SHA1 is deprecated in Swift, and newer servers refuse it: use sha256";
const UNSIGNED = "filename and inline are not signed: the holder of the URL can change them";

function checkPrefix({ object, prefix, prefixMatch = "folder" }: SwiftSignRequest): void {
  if (prefix === undefined) return;
  if (typeof prefix !== "string" || (prefixMatch !== "text" && !prefix.endsWith("/"))) {
    throw invalidInput("prefix", 'text that ends in "/" (or prefixMatch: "text")', prefix);
  }
  if (object !== undefined && !object.startsWith(prefix)) throw invalidInput("object", "a name below prefix", object);
}
