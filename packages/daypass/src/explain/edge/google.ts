import { parseEpoch } from "../../core/time.ts";
import { CLOUD_CDN, GOOGLE_NAMES, KEY_NAME, mediaCdn, readPrefix } from "../../edge/google-cdn.ts";
import { isBelow } from "../../edge/query.ts";
import { cloudCdnVerifier } from "../../schemes/cloud-cdn/index.ts";
import { mediaCdnVerifier } from "../../schemes/media-cdn/index.ts";
import { mediaCdnTokenVerifier } from "../../schemes/media-cdn/token/index.ts";
import { matchesGlob } from "../../wire/glob.ts";
import type { Explainer } from "../explainer.ts";
import { nameOf } from "../parameters.ts";
import { attempt, edgeExplainer } from "./explainer.ts";
import type { CloudCdnExplainKey, MediaCdnExplainKey, MediaCdnTokenExplainKey } from "./keys.ts";
import type { EdgeFacts, EdgeReading } from "./kind.ts";

/** Reads a signature of Cloud CDN or Media CDN from the path, the cookie or the query. */
function googleFacts(
  { url, values, cookie }: Pick<EdgeReading<unknown>, "url" | "values" | "cookie">,
  name: string,
): EdgeFacts {
  const [, before, token, rest] = /^(.*\/)edge-cache-token=([^/]*)\/(.*)$/.exec(url.wire.path) ?? [];
  const text = token ?? cookie(name)?.replaceAll(":", "&");
  const fields = text === undefined ? values : fieldsOf(text, "&");
  const end = fields.get("Expires") ?? "";
  const path = before === undefined ? undefined : `${before}${rest}`;
  const prefix =
    before === undefined ? prefixOf(fields.get("URLPrefix")) : `${url.protocol}://${url.authority}${before}`;
  const loose = { name: "loose-prefix", text: `Google compares texts: ${prefix} opens ${prefix}x, too.` };
  return {
    signature: fields.get("Signature") ?? "",
    keyId: fields.get("KeyName") ?? "",
    end,
    path,
    below: prefix && `everything below ${prefix}`,
    binds: [...(prefix === undefined ? ["scheme and host", "path", "query"] : [`prefix (${prefix})`]), "end"],
    traps: prefix === undefined || prefix.endsWith("/") ? [] : [loose],
    ...(prefix !== undefined && {
      covers: (origin) => isBelow(origin + (path ?? url.wire.path), before === undefined ? prefix : origin + before),
    }),
    isOwn: (parameter) => GOOGLE_NAMES.some((own) => own === parameter),
    signs: { host: true, query: prefix === undefined },
  };
}

function fieldsOf(text: string, separator: string): ReadonlyMap<string, string> {
  return new Map(text.split(separator).map((part) => [nameOf(part), part.slice(nameOf(part).length + 1)]));
}

function prefixOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : attempt(() => readPrefix(text), undefined);
}

/** A name that the verifier accepts in a key. */
function validName(name: string | undefined): string {
  return name !== undefined && KEY_NAME.test(name) ? name : "-";
}

export const cloudCdnExplainer: Explainer = edgeExplainer<CloudCdnExplainKey>({
  scheme: "cloud-cdn",
  what: "A signature of Google's Cloud CDN",
  signedBy: "a key of the backend",
  mayEndEarlier: "when its key is removed from the backend",
  detects: /^(?=.*[?&]KeyName=).*[?&]Signature=[A-Za-z0-9_-]{1,40}={0,2}(?:&|$)|Cloud-CDN-Cookie=/,
  read: (reading) => googleFacts(reading, CLOUD_CDN.cookie),
  someKey: ({ keyId }) => ({ scheme: "cloud-cdn", keyName: validName(keyId), key: "AAAAAAAAAAAAAAAAAAAAAA" }),
  nameOf: ({ keyName }) => keyName,
  verifier: ({ keyName, key }, options) => cloudCdnVerifier({ ...options, keys: { keyName, key } }),
});

const { cookie: MEDIA_COOKIE } = mediaCdn(false);
// The public key of RFC 8032's first test vector.
const SOME_KEY = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

export const mediaCdnExplainer: Explainer = edgeExplainer<MediaCdnExplainKey>({
  scheme: "media-cdn",
  what: "A signature of Google's Media CDN",
  signedBy: "a key of the keyset",
  mayEndEarlier: "when its key is removed from the keyset",
  detects: /\/edge-cache-token=Expires=|^(?=.*[?&]KeyName=).*[?&]Signature=|Edge-Cache-Cookie=URLPrefix=[^;~]*:/,
  read: (reading) => googleFacts(reading, MEDIA_COOKIE),
  someKey: ({ signature, keyId }) => ({
    ...({ scheme: "media-cdn", publicKey: SOME_KEY } as const),
    keyName: validName(keyId),
    padded: signature.endsWith("="),
  }),
  nameOf: ({ keyName }) => keyName,
  verifier: ({ keyName, publicKey, padded }, options) =>
    mediaCdnVerifier({ ...options, keys: { keyName, publicKey }, padded }),
  *otherwise({ padded = false, ...key }) {
    yield [`base64url is written ${padded ? "without" : "with"} padding`, { ...key, padded: !padded }];
  },
});

export const mediaCdnTokenExplainer: Explainer = edgeExplainer<MediaCdnTokenExplainKey>({
  scheme: "media-cdn/token",
  what: "A token of Google's Media CDN",
  signedBy: "a key of the keyset",
  mayEndEarlier: "when its key is removed from the keyset",
  detects: /(?:[?&]edge-cache-token|Edge-Cache-Cookie)=[^&;]*~(?:hmac|Signature)=/,
  read({ url, values, cookie, key }) {
    const { parameter = "edge-cache-token" } = key ?? {};
    const fields = fieldsOf(values.get(parameter) ?? cookie(MEDIA_COOKIE) ?? "", "~");
    const end = fields.get("Expires") ?? "";
    const globs = fields.get("PathGlobs")?.split(/[,!]/);
    const prefix = prefixOf(fields.get("URLPrefix"));
    const place = `${url.protocol}://${url.authority}`;
    return {
      signature: fields.get("hmac") ?? fields.get("Signature") ?? "",
      end,
      startsAt: parseEpoch(fields.get("Starts") ?? ""),
      below: prefix ? `everything below ${prefix}` : globs && `what matches ${globs.join(" or ")} at ${place}`,
      binds: [...fields.keys()].filter((name) => !/^(?:hmac|Signature)?$/.test(name)),
      mustSend: fields
        .get("Headers")
        ?.split(",")
        .map((name) => ({ name })),
      ...((prefix ?? globs) && {
        covers: (origin) =>
          prefix === undefined
            ? globs?.some((glob) => matchesGlob(glob, url.wire.path)) === true
            : isBelow(origin + url.wire.path, prefix),
      }),
      isForOne: fields.has("IPRanges") || fields.has("SessionID"),
      isOwn: (name) => name === parameter,
      signs: { host: prefix !== undefined },
    };
  },
  someKey: () => ({ scheme: "media-cdn/token", key: { secret: "AAAAAAAAAAAAAAAAAAAAAA" } }),
  verifier: ({ key, parameter }, options) => mediaCdnTokenVerifier({ ...options, keys: [key], parameter }),
});
