import { hmacSha256 } from "#crypto";
import type { Clock } from "../../core/contracts.ts";
import { invalidInput } from "../../core/errors.ts";
import { checkText } from "../../core/secrets.ts";
import { checkOneOf } from "../../core/validate-options.ts";
import { weaknessWarnings } from "../../core/weakness.ts";
import {
  checkEdgeRequest,
  checkFree,
  type EdgeSigner,
  type EndlessSignRequest,
  edgeResult,
  edgeSigner,
  joinEdgeUrl,
  readEdgeUrl,
  readTokens,
} from "../../edge/sign.ts";
import { edgeWindow } from "../../edge/window.ts";
import type { Parameter } from "../../wire/parameters.ts";
import {
  isPhpName,
  phpQuery,
  SYMFONY_WEAK,
  type SymfonyOptions,
  type SymfonyWeakness,
  symfonyHash,
} from "./canonical.ts";
import { SYMFONY_PARAMETERS } from "./parse.ts";

/** One URL to sign. */
export interface SymfonySignRequest extends EndlessSignRequest {}

/** Options of {@link symfonySigner}. */
export interface SymfonySignerOptions extends SymfonyOptions {
  /** `kernel.secret`. */
  readonly secret: string;
  readonly clock?: Clock | undefined;
}

/**
 * Signs URLs that Symfony's UriSigner accepts. Binds scheme, host, path, query and, if there is one, the expiry. The query
 * is sorted and re-encoded as in PHP, and a name that PHP would change is refused.
 *
 * Source: https://github.com/symfony/http-foundation, UriSigner.php (5.4 to 7.4)
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS`,
 * `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { symfonySigner } from "daypass/symfony";
 *
 * const signer = symfonySigner({ secret: "foobar" });
 * const link = signer.sign({ url: "http://example.com/foo?foo=bar&baz=bay", expiresAt: new Date("2038-01-01T00:00:00Z") });
 * console.log(link.url);
 * // "http://example.com/foo?_expiration=2145916800&_hash=xLhnPMzV3KqqHaaUffBUJvtRDAZ4_Z9Y8Sw-gmS-82Q&baz=bay&foo=bar"
 * ```
 */
export function symfonySigner(options: SymfonySignerOptions): EdgeSigner<SymfonySignRequest, SymfonyWeakness> {
  const { secret, parameters, encoding = "base64url", clock } = options;
  const names = { ...SYMFONY_PARAMETERS, ...parameters };
  checkOneOf("encoding", encoding, "base64url", "base64");
  // Of any text: PHP reads one from a file together with the break at its end.
  const key = hmacSha256(checkText(secret));
  return edgeSigner(SYMFONY_WEAK, (request) => {
    checkEdgeRequest("UriSigner", request, "withoutExpiry bind.query");
    const url = readEdgeUrl(request);
    checkFree(url, [names.hash, names.expiration]);
    const window = edgeWindow(request, clock);
    const asked = readTokens(url.query);
    const end: readonly Parameter[] = window.expires === undefined ? [] : [[names.expiration, window.expires]];
    const signed = [...asked, ...end];
    const query = phpQuery(signed);
    // Beside an array of hashes or ends there would be no other.
    const all: readonly Parameter[] = [...asked, [names.hash, ""], [names.expiration, ""]];
    if (query === undefined || !all.every(([name]) => isPhpName(name)) || phpQuery(all) === undefined) {
      throw invalidInput("url", "a query of names that PHP leaves alone (no `.`, no `[]`), each once", url.query);
    }
    const stringToSign = joinEdgeUrl({ ...url, query });
    const hash = symfonyHash(key.base64url(stringToSign), encoding);
    return edgeResult(
      {
        url: joinEdgeUrl({ ...url, query: phpQuery([...signed, [names.hash, hash]]) as string }),
        request,
        window,
        bound: ["scheme", "host", "path", "query"],
        unbound: ["method", "headers", "body"],
        warnings: weaknessWarnings(SYMFONY_WEAK, window.expires),
      },
      stringToSign,
    );
  });
}
