/**
 * Links for nginx's `secure_link` module: {@link nginxSigner} and {@link nginxVerifier}.
 *
 * @module
 */

import { md5 } from "#crypto/digests";
import type { Clock, QueryToken, Verifier } from "../../core/contracts.ts";
import { type DaypassError, invalidInput, refusal } from "../../core/errors.ts";
import { checkSecret, type Secrets, secretResolver } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import { optionPairs, unsupportedConstraint } from "../../core/validate-options.ts";
import { hasToken, joinTarget, readExpiry, takeTokens, unsignedParameters } from "../../edge/query.ts";
import { checkPlainPath, type EdgeSigner, type EndlessSignRequest, edgeSigner, joinUrl } from "../../edge/sign.ts";
import {
  type EdgeGrant,
  type EdgeVerifierOptions,
  type ExpiryOptions,
  edgeVerifier,
  type UnsignedOptions,
} from "../../edge/verify.ts";
import { base64url, signatureBytesUrl } from "../../wire/encoding.ts";
import { formatIpv6, peerAddress } from "../../wire/ip.ts";
import { malformed } from "../../wire/parameters.ts";
import { checkRoutable } from "../../wire/path-safety.ts";
import { headerValues, joinTokens, parseTarget } from "../../wire/raw-target.ts";
import { compileExpression, DEFAULT_EXPRESSION, type NginxExpression } from "./expression.ts";

export type { Secrets } from "../../core/key-resolver.ts";
export type { EdgeSigner } from "../../edge/sign.ts";

/** The possible weaknesses of a `secure_link`, which depend on its expression. */
export type NginxWeakness = "plain-md5" | "unseparated-fields" | "no-expiry";

/** Names of the query parameters, as in `secure_link $arg_md5,$arg_expires;`. */
export interface NginxParameters {
  /** The name of the parameter with the MD5. */
  readonly signature: string;
  /** The name of the parameter with the expiry, in seconds since 1970. */
  readonly expires: string;
}

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

/**
 * One link. `bind.ip` is one address, required if the expression has `$remote_addr`; `bind.headers` has the headers that its
 * `$http_*` name.
 */
export interface NginxSignRequest extends EndlessSignRequest {}

/** Options of {@link nginxSigner}. */
export interface NginxSignerOptions extends NginxOptions {
  /** The secret in nginx.conf, for which the expression has `$secret`. */
  readonly secret: string;
  readonly clock?: Clock | undefined;
}

/**
 * Signs links for nginx's `secure_link` module.
 *
 * A link binds what the expression names, by default expiry and path. Weak by construction, see `weak` and the `warnings` of
 * each result. nginx decodes a path and merges its slashes before it checks, so a path that it would change is refused.
 *
 * Source: https://nginx.org/en/docs/http/ngx_http_secure_link_module.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { nginxSigner } from "daypass/nginx";
 *
 * // secure_link $arg_md5,$arg_expires;
 * // secure_link_md5 "$secure_link_expires$uri$remote_addr secret";
 * const links = nginxSigner({ secret: "secret", expression: "$secure_link_expires$uri$remote_addr $secret" });
 * const link = links.sign({
 *   url: "https://files.example.com/s/link",
 *   expiresAt: new Date(2147483647_000),
 *   bind: { ip: "127.0.0.1" },
 * });
 * console.log(link.url); // "https://files.example.com/s/link?md5=_e4Nc3iduzkWRm01TBBNYw&expires=2147483647"
 * ```
 */
export function nginxSigner(options: NginxSignerOptions): EdgeSigner<NginxSignRequest, NginxWeakness> {
  requireOptions(options);
  const { secret, clock } = options;
  const { expression, parameters, weak } = readOptions(options);
  const { variables } = expression;
  const isTimed = !weak.includes("no-expiry");
  return edgeSigner(
    {
      name: "this expression",
      options: "bind.ip bind.headers bind.query withoutExpiry",
      weak,
      clock,
      own: isTimed ? [parameters.signature, parameters.expires] : [parameters.signature],
      ignoreCase: true,
      draft(request: NginxSignRequest, url, { expires }) {
        const { bind, method = "GET" } = request;
        const covers = (name: string): boolean => variables.includes(`arg_${name.toLowerCase()}`);
        const other = Object.keys(bind?.query ?? {}).find((name) => !covers(name));
        if (other !== undefined) throw unsupported(`bind.query ${other}`, "$arg_*");
        if (isTimed !== (expires !== undefined)) throw unsupported("its kind of end", "$secure_link_expires");
        checkPlainPath(url);
        const headers = boundHeaders(request, variables);
        const { path, origin } = url;
        return {
          stringToSign: expression.stringToSign({
            expires: expires ?? "",
            path,
            origin,
            method,
            remoteAddress: boundAddress(request, variables),
            arg: onlyArg(parseTarget(`/?${url.query}`).tokens),
            header: (name) => headers[name] ?? "",
          }),
          url: (signature) =>
            joinUrl(url, `${parameters.signature}=${signature}`, expires && `${parameters.expires}=${expires}`),
          headers,
          bound: variables
            .filter((name) => name !== "secret" && name !== "secure_link_expires")
            .map((name) => `$${name}`),
          unbound: unbound(variables),
          covers,
        };
      },
    },
    nginxHash(checkSecret(secret)),
  );
}

function unsupported(constraint: string, variable: string): DaypassError {
  return unsupportedConstraint("this expression", constraint, `another expression (${variable})`);
}

function boundAddress({ bind }: NginxSignRequest, variables: readonly string[]): string {
  const isBound = variables.includes("remote_addr");
  const { ip } = bind ?? {};
  if (!isBound && ip !== undefined) throw unsupported("bind.ip", "$remote_addr");
  const text = isBound && typeof ip === "string" ? addressText(ip) : "";
  if (isBound && text === "") throw invalidInput("bind.ip", "the one address that $remote_addr stands for", ip);
  return text;
}

function boundHeaders({ bind }: NginxSignRequest, variables: readonly string[]): Readonly<Record<string, string>> {
  const names = variables.flatMap((name) => (name.startsWith("http_") ? [name.slice(5).replaceAll("_", "-")] : []));
  const given = optionPairs<string>("bind.headers", bind?.headers).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  );
  const other = given.find(([name]) => !names.includes(name))?.[0];
  if (other !== undefined) throw unsupported(`header ${other}`, "$http_*");
  for (const name of names) {
    const [value = "", second] = given.flatMap(([found, text]) => (found === name ? [text] : []));
    if (second !== undefined || !/^[!-~](?:[ -~]*[!-~])?$/.test(value))
      throw invalidInput(`bind.headers.${name}`, "printable ASCII, once", "another");
  }
  return Object.fromEntries(given);
}

function unbound(variables: readonly string[]): readonly string[] {
  const parts = { request_method: "method", scheme: "scheme", host: "host", uri: "path" };
  const open = Object.entries(parts).flatMap(([name, part]) => (variables.includes(name) ? [] : [part]));
  return [...open, "query parameters that the expression does not name", "headers", "body"];
}

/** What a verified `secure_link` allows. */
export interface NginxGrant extends EdgeGrant<NginxWeakness> {}

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
  requireOptions(options);
  const { secrets, allowUnsigned, withoutExpiry } = options;
  const { expression, parameters, weak } = readOptions(options);
  const { variables } = expression;
  const isTimed = !weak.includes("no-expiry");
  if (!isTimed && withoutExpiry !== "accept") {
    throw refusal(
      "INVALID_INPUT",
      'expression has no $secure_link_expires, so its links never end. Add it, or set withoutExpiry: "accept"',
    );
  }
  const names = isTimed ? [parameters.signature, parameters.expires] : [parameters.signature];
  const signedNames = variables.flatMap((name) => (name.startsWith("arg_") ? [name.slice(4)] : []));
  const isSigned = ({ name }: QueryToken): boolean => signedNames.includes(name.toLowerCase());
  return edgeVerifier(
    {
      id: "nginx",
      weak,
      detect: ({ target }) => hasToken(target, [parameters.signature], { ignoreCase: true }),
      parse({ request, wire: { path, tokens }, origin }) {
        const { method, headers, remoteAddress } = request;
        checkRoutable(path);
        // nginx finds its parameters in any case, so names in another case are the token's, too.
        const { own, others } = takeTokens(tokens, names, { ignoreCase: true });
        const { [parameters.signature]: signature = "", [parameters.expires]: expires } = own;
        if (isTimed && !Number(expires)) throw malformed(parameters.expires, "form", "seconds since 1970, above 0");
        const expiresAt = readExpiry(parameters.expires, expires);
        if (signatureBytesUrl(signature, 16) === undefined) {
          throw malformed(parameters.signature, "form", "an MD5 in base64url without padding");
        }
        const arg = onlyArg(others);
        const stringToSign = expression.stringToSign({
          expires: expires ?? "",
          path,
          origin,
          method,
          remoteAddress: addressText(remoteAddress),
          arg,
          header(name) {
            const [value = "", second] = headerValues(headers, name);
            if (second !== undefined) throw malformed(`header ${name}`, "duplicate", "one field: it is signed");
            return value;
          },
        });
        const target = joinTarget(path, joinTokens(others.filter(isSigned)));
        const open = others.filter((token) => !isSigned(token));
        return { signature, stringToSign, expiresAt, path, target, unsigned: unsignedParameters(open, allowUnsigned) };
      },
      dummyKey: nginxHash("dummy"),
    },
    secretResolver(secrets, nginxHash),
    options,
  );
}

function nginxHash(secret: string): (token: { readonly stringToSign: string }) => string {
  return ({ stringToSign }) => {
    // The last `$secret` is the variable: an expression has no other variable after it, and literals have no `$`.
    const at = stringToSign.lastIndexOf("$secret");
    return base64url(md5(stringToSign.slice(0, at) + secret + stringToSign.slice(at + 7)));
  };
}

/** The options of both sides, checked. */
function readOptions(options: NginxOptions): {
  readonly expression: NginxExpression;
  readonly parameters: NginxParameters;
  readonly weak: readonly NginxWeakness[];
} {
  const expression = compileExpression(options.expression ?? DEFAULT_EXPRESSION);
  const parameters = { signature: "md5", expires: "expires", ...options.parameters };
  for (const name of Object.values(parameters)) {
    if (!/^[a-z0-9_]+$/.test(name))
      throw refusal("INVALID_INPUT", "parameters is not valid. Pass the names after $arg_ in nginx.conf");
  }
  const weak: NginxWeakness[] = ["plain-md5"];
  if (expression.ambiguous) weak.push("unseparated-fields");
  if (!expression.variables.includes("secure_link_expires")) weak.push("no-expiry");
  return { expression, parameters, weak };
}

/** The value of `$arg_name`. nginx reads the first of several parameters, and the application may read the last. */
function onlyArg(tokens: readonly QueryToken[]): (name: string) => string {
  return (name) => {
    const [token, second] = tokens.filter((candidate) => candidate.name.toLowerCase() === name);
    if (second !== undefined) throw malformed(name, "duplicate", "one parameter: it is signed");
    return token?.value ?? "";
  };
}

/** The text of `$remote_addr`; empty for an unknown address, which no link contains. */
function addressText(remoteAddress: string | undefined): string {
  const bytes = peerAddress(remoteAddress ?? "");
  return bytes === undefined ? "" : bytes.length === 4 ? bytes.join(".") : formatIpv6(bytes);
}
