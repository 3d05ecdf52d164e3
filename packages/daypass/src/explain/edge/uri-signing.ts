import { joinTarget } from "../../edge/query.ts";
import { uriSigningRegex } from "../../schemes/uri-signing/ere.ts";
import { ATTRIBUTE, detectToken, findToken } from "../../schemes/uri-signing/token.ts";
import { containerHolds, joinUri, normalizeUri } from "../../schemes/uri-signing/uri.ts";
import { uriSigningVerifier } from "../../schemes/uri-signing/verify.ts";
import { fromBase64url } from "../../wire/encoding.ts";
import { percentDecode } from "../../wire/raw-target.ts";
import type { Explainer, SplitUrl } from "../explainer.ts";
import { attempt, edgeExplainer } from "./explainer.ts";
import type { UriSigningExplainKey } from "./keys.ts";

/** URI Signing (RFC 9246). */
export const uriSigningExplainer: Explainer = edgeExplainer<UriSigningExplainKey>({
  scheme: "uri-signing",
  what: "A URI signed by RFC 9246",
  signedBy: "a key that the token does not name",
  mayEndEarlier: "when its key is retired, or a renewed token takes its place",
  detects: (request) => detectToken(request, ATTRIBUTE),
  read({ url, cookie, key }) {
    const { attribute = ATTRIBUTE } = key ?? {};
    const found = tokenOf(url, attribute, cookie(attribute));
    const [head, payload, signature = ""] = (found?.token ?? "").split(".");
    const { kid } = readJson(head);
    const claims = readJson(payload);
    const has = (name: string): boolean => claims[name] !== undefined;
    const text = (name: string): string =>
      typeof claims[name] === "string" ? claims[name] : JSON.stringify(claims[name]);
    const time = (name: string): Date | undefined =>
      typeof claims[name] === "number" ? new Date(Math.min(claims[name], 8.64e12) * 1000) : undefined;
    const container = has("cdniuc") ? text("cdniuc") : undefined;
    const isExpression = container?.startsWith("regex:") === true;
    const renewed = `Each answer renews it for ${text("cdniets")} s: access continues after it expires.`;
    return {
      signature,
      keyId: typeof kid === "string" ? kid : undefined,
      end: has("exp") ? text("exp") : "",
      startsAt: time("nbf"),
      endsAt: time("exp"),
      path: found?.target.replace(/\?.*$/s, ""),
      below: isExpression ? `what matches ${container.slice(6)}` : undefined,
      binds: [
        ...(container === undefined ? [] : [isExpression ? "URIs that match the expression" : "the whole URI"]),
        ...(has("exp") ? ["end"] : []),
        ...["iss", "sub", "aud", "jti", "cdniip"].filter(has),
      ],
      leavesOpen: [
        ...(container === undefined ? ["URI"] : []),
        "method",
        "headers",
        "body",
        ...(has("cdniip") || has("sub") ? [] : ["who uses it, and from where"]),
        ...(has("jti") ? [] : ["how often it is used"]),
      ],
      weak: has("exp") ? [] : ["no-expiry"],
      traps: [
        ...(container === undefined
          ? [{ name: "every-uri", text: "It has no cdniuc: a server that accepts it accepts it for every URI." }]
          : []),
        ...(claims["cdnistt"] === 1 ? [{ name: "renewed", text: renewed }] : []),
      ],
      ...(container !== undefined &&
        found !== undefined && {
          // The verifier reports a container that cannot be read.
          covers: (origin) =>
            attempt(
              () => containerHolds(container, joinUri(normalizeUri(origin, found.target)), uriSigningRegex),
              true,
            ),
        }),
      isOwn: (name) => name === attribute,
      signs: { host: true, query: true },
    };
  },
  someKey: ({ keyId }) => ({
    scheme: "uri-signing",
    key: { kty: "oct", alg: "HS256", kid: keyId ?? "-", k: "AAAAAAAAAAAAAAAAAAAAAA" },
  }),
  nameOf: ({ key }) => key.kid,
  verifier: ({ key, issuer, attribute }, options) =>
    uriSigningVerifier({
      ...options,
      keySets: [{ issuer, keys: [key] }],
      attribute,
      regex: uriSigningRegex,
      enforces: ["uses"],
    }),
  *otherwise(key) {
    if (key.issuer !== undefined) yield ["it names no issuer (iss)", { ...key, issuer: undefined }];
  },
});

/** The token of the URL or the cookie, and the target without it. */
function tokenOf(
  { wire: { path, query } }: SplitUrl,
  attribute: string,
  cookie = "",
): ReturnType<typeof findToken> | undefined {
  const target = joinTarget(path, query);
  const found = attempt(() => findToken({ method: "", target, authority: "", headers: [] }, attribute), undefined);
  return found?.token === "" ? { token: cookie, target } : found;
}

function readJson(part = ""): Readonly<Record<string, unknown>> {
  const bytes = [...(fromBase64url(part) ?? [])];
  try {
    const text = bytes.map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
    return Object(JSON.parse(percentDecode(text)));
  } catch {
    return {};
  }
}
