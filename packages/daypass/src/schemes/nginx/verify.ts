import { constantTimeEqual } from "#crypto";
import { md5 } from "#crypto/digests";
import type { Verifier } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { type Secrets, secretResolver } from "../../core/secrets.ts";
import { hasToken } from "../../edge/query.ts";
import {
  type EdgeFormat,
  type EdgeGrant,
  type EdgeVerifierOptions,
  type ExpiryOptions,
  edgeVerifier,
  type UnsignedOptions,
} from "../../edge/verify.ts";
import { base64url } from "../../wire/encoding.ts";
import { compileExpression, DEFAULT_EXPRESSION, type NginxExpression } from "./canonical.ts";
import { DEFAULT_PARAMETERS, type NginxParameters, type NginxToken, parseNginx } from "./parse.ts";

/** The possible weaknesses of a `secure_link`, which depend on its expression. */
export type NginxWeakness = "plain-md5" | "unseparated-fields" | "no-expiry";

/** What a verified `secure_link` allows. */
export interface NginxGrant extends EdgeGrant<NginxWeakness> {}

/** Options that signer and verifier must share with nginx.conf. */
export interface NginxOptions {
  /**
   * The value of `secure_link_md5` in nginx.conf, with `$secret` in place of the secret: `"$secure_link_expires$uri
   * $secret"` by default.
   */
  readonly expression?: string | undefined;
  /** The names that `secure_link` reads: `{ signature: "md5", expires: "expires" }` by default. */
  readonly parameters?: Partial<NginxParameters> | undefined;
}

/** Options of {@link nginxVerifier}. */
export interface NginxVerifierOptions extends NginxOptions, EdgeVerifierOptions, ExpiryOptions, UnsignedOptions {
  /** The secret, several while one replaces another, or a function that fetches them. */
  readonly secrets: Secrets;
  /** Who signed, for `grant.keyId`: links do not contain it. `"nginx"` by default. */
  readonly keyId?: string | undefined;
}

/**
 * Verifies links for nginx's `secure_link` module: the MD5 over what the expression names, and the expiry.
 *
 * Weak by construction: a bare MD5, and fields that the expression may join without separators; `grant.weak` says which.
 * The query is not signed, except the `$arg_*` of the expression: other parameters are refused unless `allowUnsigned` lists
 * them. The method is not signed either: `methods` says what a link grants. nginx itself accepts a link one second longer.
 *
 * Source: https://nginx.org/en/docs/http/ngx_http_secure_link_module.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `WRONG_ORIGIN`, `UNSIGNED_PARAMETER`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`, `METHOD_NOT_GRANTED`,
 * `KEY_SCOPE`
 * @example
 * ```ts
 * import { nginxVerifier } from "daypass/nginx";
 *
 * const verifier = nginxVerifier({
 *   secrets: "secret",
 *   expression: "$secure_link_expires$uri$remote_addr $secret",
 *   origins: ["https://files.example.com"],
 *   clock: () => new Date(2147483640_000),
 * });
 * const grant = await verifier.verify({
 *   method: "GET",
 *   target: "/s/link?md5=_e4Nc3iduzkWRm01TBBNYw&expires=2147483647",
 *   authority: "files.example.com",
 *   headers: [],
 *   remoteAddress: "127.0.0.1",
 * });
 * console.log(grant.weak); // [ "plain-md5", "unseparated-fields" ]
 * ```
 */
export function nginxVerifier(options: NginxVerifierOptions): Verifier<NginxGrant> {
  const { secrets, allowUnsigned, withoutExpiry } = options;
  const { expression, parameters, weak } = nginxFormat(options);
  if (weak.includes("no-expiry") && withoutExpiry !== "accept") {
    throw refusal(
      "INVALID_INPUT",
      'expression with $secure_link_expires, or withoutExpiry: "accept": its links never end',
    );
  }
  const format: EdgeFormat<NginxToken, string, NginxWeakness, object> = {
    id: "nginx",
    weak,
    detect: ({ target }) => hasToken(target, [parameters.signature], { ignoreCase: true }),
    parse: (received) => parseNginx(received, expression, parameters, allowUnsigned),
    check(_received, { parts, signature }, secret) {
      const { hashed, stringToSign } = expression.texts(parts, secret);
      return { matches: constantTimeEqual(base64url(md5(hashed)), signature), stringToSign };
    },
    dummyKey: "dummy",
    facts: () => ({}),
  };
  return edgeVerifier(
    format,
    secretResolver(secrets, (secret) => secret),
    options,
  );
}

/** The options of both sides, checked. */
export function nginxFormat(options: NginxOptions): {
  readonly expression: NginxExpression;
  readonly parameters: NginxParameters;
  readonly weak: readonly NginxWeakness[];
} {
  const expression = compileExpression(options.expression ?? DEFAULT_EXPRESSION);
  const parameters = { ...DEFAULT_PARAMETERS, ...options.parameters };
  for (const name of Object.values(parameters)) {
    if (!/^[a-z0-9_]+$/.test(name)) throw refusal("INVALID_INPUT", "parameters as the names after $arg_ in nginx.conf");
  }
  const weak: NginxWeakness[] = ["plain-md5"];
  if (expression.ambiguous) weak.push("unseparated-fields");
  if (!expression.variables.includes("secure_link_expires")) weak.push("no-expiry");
  return { expression, parameters, weak };
}
