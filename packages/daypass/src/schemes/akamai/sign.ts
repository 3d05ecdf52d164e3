import type { Clock } from "../../core/contracts.ts";
import { invalidInput } from "../../core/errors.ts";
import { checkName, checkTexts } from "../../core/validate-options.ts";
import {
  checkEdgeRequest,
  checkFree,
  checkPlainPath,
  type EdgeSigner,
  type EdgeSignRequest,
  type EdgeUrl,
  edgeResult,
  edgeSigner,
  joinEdgeUrl,
  readEdgeUrl,
  uncovered,
} from "../../edge/sign.ts";
import { edgeWindow } from "../../edge/window.ts";
import { matchesGlob } from "../../wire/glob.ts";
import { parseAddress } from "../../wire/ip.ts";
import {
  type AkamaiFields,
  type AkamaiOptions,
  akamaiMac,
  akamaiStringToSign,
  escapeValue,
  joinFields,
  salted,
} from "./canonical.ts";

/** One URL to sign. `notBefore` is bound, and `bind.ip` is one address. */
export interface AkamaiSignRequest extends EdgeSignRequest {
  /** Everything below this path, which ends in `/`: an ACL that ends in `*`. */
  readonly prefix?: string | undefined;
  /** Instead of `prefix`: patterns with `*` and `?`, one of which the path must match. */
  readonly acl?: readonly string[] | undefined;
  /** The field `id`, as text. It is bound, and nothing more is done with it here. */
  readonly sessionId?: string | undefined;
  /** The field `data`, as text. It is bound, and nothing more is done with it here. */
  readonly data?: string | undefined;
}

/** Options of {@link akamaiSigner}. */
export interface AkamaiSignerOptions extends AkamaiOptions {
  /** The key in hexadecimal. */
  readonly secret: string;
  readonly clock?: Clock | undefined;
}

/**
 * Signs URLs with Akamai's EdgeAuth 2.0 token: for one path, or with `prefix` or `acl` for more. Binds path, start, expiry, one
 * client address, session and data; does not bind host, method or query.
 *
 * Source: https://techdocs.akamai.com/property-mgr/docs/auth-token-2-0-ver
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS`,
 * `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { akamaiSigner } from "daypass/akamai";
 *
 * const signer = akamaiSigner({ secret: "52a152a152a152a152a152a152a1", parameter: "hdnts" });
 * export const { url } = signer.sign({ url: "https://media.example.com/hls/a.m3u8", prefix: "/hls/", expiresIn: 900 });
 * ```
 */
export function akamaiSigner(options: AkamaiSignerOptions): EdgeSigner<AkamaiSignRequest> {
  const { secret, hash = "sha256", salt, parameter = "__token__", escapeEarly = false, clock } = options;
  const mac = akamaiMac(secret, hash);
  checkName("parameter", parameter);
  return edgeSigner([], (request) => {
    checkEdgeRequest("Akamai's token", request, "prefix notBefore bind.ip acl sessionId data");
    const url = readEdgeUrl(request);
    checkFree(url, [parameter]);
    checkPlainPath(url);
    const { ip } = request.bind ?? {};
    if (ip !== undefined && parseAddress(String(ip)) === undefined) throw invalidInput("bind.ip", "one address", ip);
    const window = edgeWindow(request, clock);
    const value = (name: string, text: unknown): string | undefined => {
      const escaped = text === undefined ? undefined : escapeValue(String(text), escapeEarly);
      // Nor what URL parsers encode in a query, as the token would not be the one that was signed, nor `\`, which no verifier takes.
      if (escaped === undefined || /^[!$%(-;=?-[\]-}]+$/.test(escaped)) return escaped;
      throw invalidInput(name, "visible ASCII without ~ & # \" ' < > \\ (or escapeEarly)", escaped);
    };
    const rules = {
      ip: value("bind.ip", ip),
      st: window.starts,
      exp: window.expires,
      acl: patterns(request, url),
      id: value("sessionId", request.sessionId),
      data: value("data", request.data),
    };
    const fields: AkamaiFields = Object.fromEntries(Object.entries(rules).filter(([, text]) => text !== undefined));
    const stringToSign = akamaiStringToSign(fields, url.path, escapeEarly);
    const token = `${joinFields(fields)}~hmac=${mac(salted(stringToSign, salt))}`;
    return edgeResult(
      {
        url: joinEdgeUrl(url, `${parameter}=${token}`),
        request,
        window,
        bound: [...(rules.acl === undefined ? ["path"] : []), ...Object.keys(fields).filter((name) => name !== "exp")],
        unbound: [
          ...(rules.acl === undefined ? [] : [`path ${request.acl ? "that the acl admits" : "below the prefix"}`]),
          "method",
          "scheme",
          "host",
          "query",
          "headers",
          "body",
        ],
        warnings: uncovered(url),
      },
      stringToSign,
    );
  });
}

function patterns({ prefix, acl }: AkamaiSignRequest, url: EdgeUrl): string | undefined {
  if (prefix === undefined && acl === undefined) return undefined;
  if (acl !== undefined) checkTexts("acl", /./, acl);
  const list = acl ?? [`${prefix}*`];
  const isPlain = list.every((pattern) => /^\/[$%(-;=?-[\]-}]*$/.test(pattern));
  if (
    isPlain &&
    (prefix === undefined || /^\/([^*?]*\/)?$/.test(prefix)) &&
    list.some((p) => matchesGlob(p, url.path))
  ) {
    if (prefix === undefined || acl === undefined) return list.join("!");
  }
  throw invalidInput(
    "prefix or acl",
    "a beginning of the url's path that ends in /, or patterns like /a/* that the path matches",
    list.join("!"),
  );
}
