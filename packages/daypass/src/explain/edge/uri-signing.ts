import { isDaypassError } from "../../core/errors.ts";
import { joinUri, normalizeUri } from "../../schemes/uri-signing/canonical.ts";
import { containerHolds } from "../../schemes/uri-signing/container.ts";
import { uriSigningRegex } from "../../schemes/uri-signing/ere.ts";
import { ATTRIBUTE, detectToken, findToken } from "../../schemes/uri-signing/token.ts";
import { uriSigningVerifier } from "../../schemes/uri-signing/verify.ts";
import { fromBase64url } from "../../wire/encoding.ts";
import { percentDecode } from "../../wire/raw-target.ts";
import type { Explainer, SplitUrl } from "../explainer.ts";
import { edgeExplainer } from "./edge-explainer.ts";
import type { UriSigningExplainKey } from "./keys.ts";
import type { EdgeKind } from "./kind.ts";

type Json = Readonly<Record<string, unknown>>;

const kind: EdgeKind<UriSigningExplainKey> = {
  scheme: "uri-signing",
  what: "A URI signed by RFC 9246",
  signedBy: "a key that the token does not name",
  mayEndEarlier: "when its key is retired, or a renewed token takes its place",
  detects: (request) => detectToken(request, ATTRIBUTE),
  read(url, cookie, key) {
    const { attribute = ATTRIBUTE } = key ?? {};
    const found = tokenOf(url, attribute, cookie(attribute));
    const [head, payload, signature = ""] = (found?.token ?? "").split(".");
    const { kid } = readJson(head);
    const claims = readJson(payload);
    const text = (name: string): string | undefined => {
      const value = claims[name];
      return value === undefined ? undefined : typeof value === "string" ? value : JSON.stringify(value);
    };
    const time = (name: string): Date | undefined =>
      typeof claims[name] === "number" ? new Date(Math.min(claims[name], 8.64e12) * 1000) : undefined;
    const container = text("cdniuc");
    const isExpression = container?.startsWith("regex:") === true;
    const named = ["iss", "sub", "aud", "jti", "cdniip"].filter((name) => claims[name] !== undefined);
    const path = found?.target.replace(/\?.*$/s, "");
    return {
      signature,
      keyId: typeof kid === "string" ? kid : undefined,
      end: text("exp") ?? "",
      startsAt: time("nbf"),
      endsAt: time("exp"),
      path,
      below: isExpression ? `what matches ${container.slice(6)}` : undefined,
      binds: [
        ...(container === undefined ? [] : [isExpression ? "URIs that match the expression" : "the whole URI"]),
        ...(claims["exp"] === undefined ? [] : ["end"]),
        ...named,
      ],
      leavesOpen: [
        ...(container === undefined ? ["URI"] : []),
        ...["method", "headers", "body"],
        ...(claims["cdniip"] === undefined && claims["sub"] === undefined ? ["who uses it, and from where"] : []),
        ...(claims["jti"] === undefined ? ["how often it is used"] : []),
      ],
      weak: claims["exp"] === undefined ? ["no-expiry"] : [],
      traps: [
        ...(container === undefined
          ? [{ name: "every-uri", text: "It has no cdniuc: whoever accepts it accepts it for every URI." }]
          : []),
        ...(claims["cdnistt"] === 1
          ? [
              {
                name: "renewed",
                text: `Each answer renews it for ${text("cdniets")} s: access continues after it expires.`,
              },
            ]
          : []),
      ],
      ...(container === undefined || found === undefined
        ? {}
        : { covers: (origin) => isHeld(container, origin, found.target) }),
      isOwn: (name) => name === attribute,
      signs: { host: true, query: true, address: false },
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
};

/** What cannot be read refuses nothing: that is told by the verifier. */
function isHeld(container: string, origin: string, target: string): boolean {
  try {
    return containerHolds(container, joinUri(normalizeUri(origin, target)), uriSigningRegex);
  } catch (error) {
    if (isDaypassError(error)) return true;
    throw error;
  }
}

function tokenOf(
  url: SplitUrl,
  attribute: string,
  cookie: string | undefined,
): { token: string; target: string } | undefined {
  const { path, query } = url.wire;
  const target = query === "" ? path : `${path}?${query}`;
  try {
    const found = findToken({ method: "", target, authority: "", headers: [] }, attribute);
    return found.token === "" ? { token: cookie ?? "", target } : found;
  } catch {
    return undefined;
  }
}

function readJson(part: string | undefined): Json {
  const bytes = fromBase64url(part ?? "");
  try {
    const text = [...(bytes ?? [])].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
    return Object(JSON.parse(percentDecode(text))) as Json;
  } catch {
    return {};
  }
}

export const uriSigningExplainer: Explainer = edgeExplainer(kind);
