import type { Clock, SignedRequest, Signer } from "../../../core/contracts.ts";
import { invalidInput } from "../../../core/errors.ts";
import { optionPairs } from "../../../core/option-pairs.ts";
import { signer } from "../../../core/signed-request.ts";
import { checkName, checkTexts } from "../../../core/validate-options.ts";
import { checkPrefix } from "../../../edge/google-cdn.ts";
import {
  checkEdgeRequest,
  checkFree,
  checkPlainPath,
  type EdgeSignRequest,
  type EdgeUrl,
  edgeResult,
  joinEdgeUrl,
  readEdgeUrl,
  uncovered,
} from "../../../edge/sign.ts";
import { edgeWindow } from "../../../edge/window.ts";
import { base64url, utf8 } from "../../../wire/encoding.ts";
import { matchesGlob } from "../../../wire/glob.ts";
import { parseCidr } from "../../../wire/ip.ts";
import {
  joinToken,
  type MediaCdnTokenMac,
  type MediaCdnTokenSecret,
  proofOf,
  type TokenFields,
  tokenStringToSign,
} from "./canonical.ts";

/** One URL to sign. `bind.ip` and `bind.headers` are bound, and so is `notBefore`. */
export interface MediaCdnTokenRequest extends EdgeSignRequest {
  /** Everything below this path, which ends in `/`; also binds scheme and host. */
  readonly prefix?: string | undefined;
  /** Instead of `prefix`: patterns with `*` and `?`, one of which the path must match. */
  readonly pathGlobs?: readonly string[] | undefined;
  /** The field `SessionID`, as text. It is bound, and nothing more is done with it here. */
  readonly sessionId?: string | undefined;
  /** The field `Data`, as text. It is bound, and nothing more is done with it here. */
  readonly data?: string | undefined;
}

/** Options that both signers have besides their keys. */
export interface MediaCdnTokenOptions {
  /** Name of the query parameter, `"edge-cache-token"` by default. */
  readonly parameter?: string | undefined;
  readonly clock?: Clock | undefined;
}

/** Options of {@link mediaCdnTokenSigner}. */
export interface MediaCdnTokenSignerOptions extends MediaCdnTokenOptions {
  readonly key: MediaCdnTokenSecret | MediaCdnTokenMac;
}

/**
 * Signs URLs with a token of Google's Media CDN by a shared secret: HMAC-SHA256, or with `mediaCdnSha1Key`
 * HMAC-SHA1. With Ed25519: `mediaCdnEd25519TokenSigner`.
 *
 * Binds path, prefix or path patterns, start and expiry, client addresses and request headers; the host only with a
 * `prefix`. Method and query are not bound.
 *
 * Source: https://cloud.google.com/media-cdn/docs/generate-tokens
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS`,
 * `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { mediaCdnTokenSigner } from "daypass/media-cdn/token";
 *
 * const signer = mediaCdnTokenSigner({ key: { secret: "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8" } });
 * export const { url } = signer.sign({ url: "https://media.example.com/a.m3u8", expiresIn: 900, bind: { ip: "203.0.113.0/24" } });
 * ```
 */
export function mediaCdnTokenSigner(options: MediaCdnTokenSignerOptions): Signer<MediaCdnTokenRequest> {
  const { key, parameter, clock } = options;
  const prove = proofOf(key);
  return signer((request) => {
    const { stringToSign, finish } = prepareToken(request, { parameter, clock });
    return finish(prove(stringToSign));
  });
}

interface Unsigned {
  readonly stringToSign: string;
  readonly finish: (proof: string) => SignedRequest;
}

/** All of a token but its proof. */
export function prepareToken(
  request: MediaCdnTokenRequest,
  { parameter = "edge-cache-token", clock }: MediaCdnTokenOptions,
): Unsigned {
  const { bind, prefix, sessionId, data } = request;
  checkEdgeRequest("this token", request, "prefix notBefore bind.ip bind.headers pathGlobs sessionId data");
  const url = readEdgeUrl(request);
  checkFree(url, [parameter]);
  checkPlainPath(url);
  const window = edgeWindow(request, clock);
  checkName("parameter", parameter);
  const headers = optionPairs<string>("bind.headers", bind?.headers);
  const names = headers.map(([name]) => name).join();
  const rules = {
    Starts: window.starts,
    Expires: window.expires,
    SessionID: sessionId,
    Data: data,
    Headers: names || undefined,
    IPRanges: ranges(bind?.ip),
  };
  const fields = Object.fromEntries(
    [scope(request, url), ...Object.entries(rules)].filter(([, value]) => value !== undefined),
  ) as TokenFields;
  // URL parsers encode these in a query, and the token would not be the one that was signed; a `\` no verifier takes.
  if (/["'<>\\]/.test(Object.values(fields).join())) throw invalidInput("fields", "no \" ' < > \\", "one");
  const stringToSign = tokenStringToSign(fields, { path: url.path, headers, code: "INVALID_INPUT" });
  return {
    stringToSign,
    finish: (proof) =>
      edgeResult(
        {
          url: joinEdgeUrl(url, `${parameter}=${joinToken(fields, proof)}`),
          request,
          window,
          headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
          bound: Object.keys(fields),
          unbound: [
            "method",
            ...(prefix === undefined ? ["scheme", "host"] : []),
            ...(prefix ? ["path below the prefix"] : request.pathGlobs ? ["path that the pathGlobs admit"] : []),
            "query",
            "other headers",
            "body",
          ],
          warnings: uncovered(url),
        },
        stringToSign,
      ),
  };
}

function scope({ prefix, pathGlobs }: MediaCdnTokenRequest, url: EdgeUrl): readonly [name: string, value: string] {
  if (pathGlobs !== undefined) {
    checkTexts("pathGlobs", /./, pathGlobs);
    const isFor = pathGlobs.some((glob) => matchesGlob(glob, url.path));
    if (isFor && prefix === undefined && pathGlobs.every((glob) => /^\/[^,!&#]*$/.test(glob))) {
      return ["PathGlobs", pathGlobs.join()];
    }
    throw invalidInput("pathGlobs", "patterns for the url, no prefix", pathGlobs.join());
  }
  const whole = checkPrefix(url, prefix);
  return whole === undefined ? ["FullPath", ""] : ["URLPrefix", base64url(utf8(whole))];
}

function ranges(ip: string | readonly string[] | undefined): string | undefined {
  if (ip === undefined) return undefined;
  const list = [ip].flat();
  if (list.length > 0 && list.every((text) => typeof text === "string" && parseCidr(text)))
    return base64url(utf8(list.join()));
  throw invalidInput("bind.ip", "CIDR networks", list.join());
}
