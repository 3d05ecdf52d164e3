import { md5 } from "#crypto/digests";
import { unsupportedConstraint } from "../../core/constraints.ts";
import type { Clock } from "../../core/contracts.ts";
import { type DaypassError, invalidInput } from "../../core/errors.ts";
import { optionPairs } from "../../core/option-pairs.ts";
import { checkSecret } from "../../core/secrets.ts";
import { weaknessWarnings } from "../../core/weakness.ts";
import {
  checkEdgeRequest,
  checkFree,
  checkPlainPath,
  type EdgeSigner,
  type EndlessSignRequest,
  edgeResult,
  edgeSigner,
  joinEdgeUrl,
  readEdgeUrl,
  uncovered,
} from "../../edge/sign.ts";
import { edgeWindow } from "../../edge/window.ts";
import { base64url } from "../../wire/encoding.ts";
import { parseTarget } from "../../wire/raw-target.ts";
import type { NginxParts } from "./canonical.ts";
import { addressText, onlyArg } from "./parse.ts";
import { type NginxOptions, type NginxWeakness, nginxFormat } from "./verify.ts";

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
  const { clock } = options;
  const secret = checkSecret(options.secret);
  const { expression, parameters, weak } = nginxFormat(options);
  const { variables } = expression;
  const isTimed = !weak.includes("no-expiry");
  const names = [parameters.signature, ...(isTimed ? [parameters.expires] : [])];

  return edgeSigner(weak, (request) => {
    checkEdgeRequest("this expression", request, "bind.ip bind.headers bind.query withoutExpiry");
    checkQuery(request, variables);
    const url = readEdgeUrl(request);
    const window = edgeWindow(request, clock);
    if (isTimed !== (window.expires !== undefined)) throw unsupported("its kind of end", "$secure_link_expires");
    const { tokens } = parseTarget(`/?${url.query}`);
    checkFree(url, names, { ignoreCase: true });
    checkPlainPath(url);
    const headers = boundHeaders(request, variables);
    const parts: NginxParts = {
      expires: window.expires ?? "",
      path: url.path,
      origin: url.origin,
      method: request.method ?? "GET",
      remoteAddress: boundAddress(request, variables),
      arg: onlyArg(tokens),
      header: (name) => headers[name] ?? "",
    };
    const { hashed, stringToSign } = expression.texts(parts, secret);
    const values = [base64url(md5(hashed)), ...(window.expires === undefined ? [] : [window.expires])];
    return edgeResult(
      {
        url: joinEdgeUrl(url, ...names.map((name, i) => `${name}=${values[i]}`)),
        request,
        window,
        headers,
        bound: variables
          .filter((name) => name !== "secret" && name !== "secure_link_expires")
          .map((name) => `$${name}`),
        unbound: unbound(variables),
        warnings: [
          ...weaknessWarnings(weak, window.expires),
          ...uncovered(url, (name) => variables.includes(`arg_${name.toLowerCase()}`)),
        ],
      },
      stringToSign,
    );
  });
}

function unsupported(constraint: string, variable: string): DaypassError {
  return unsupportedConstraint("this expression", constraint, `another expression (${variable})`);
}

function checkQuery({ bind }: NginxSignRequest, variables: readonly string[]): void {
  const names = Object.keys(bind?.query ?? {});
  const other = names.find((name) => !variables.includes(`arg_${name.toLowerCase()}`));
  if (other !== undefined) throw unsupported(`bind.query ${other}`, "$arg_*");
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
  const open: Readonly<Record<string, string>> = {
    request_method: "method",
    scheme: "scheme",
    host: "host",
    uri: "path",
  };
  const names = Object.entries(open).flatMap(([name, what]) => (variables.includes(name) ? [] : [what]));
  return [...names, "query parameters that the expression does not name", "headers", "body"];
}
