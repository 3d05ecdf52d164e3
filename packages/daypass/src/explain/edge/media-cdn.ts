import { mediaCdn } from "../../schemes/media-cdn/canonical.ts";
import { mediaCdnVerifier } from "../../schemes/media-cdn/verify.ts";
import type { Explainer } from "../explainer.ts";
import { edgeExplainer } from "./edge-explainer.ts";
import { googleFacts, plainName } from "./google-facts.ts";
import type { MediaCdnExplainKey } from "./keys.ts";
import type { EdgeKind } from "./kind.ts";

const { cookie: COOKIE } = mediaCdn(false);
// A public key of somebody, to read with where none is given.
const SOME_KEY = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

const kind: EdgeKind<MediaCdnExplainKey> = {
  scheme: "media-cdn",
  what: "A signature of Google's Media CDN",
  signedBy: "a key of the keyset",
  mayEndEarlier: "when its key is removed from the keyset",
  detects: ({ target, headers }) =>
    /\/edge-cache-token=Expires=/.test(target) ||
    (/[?&]KeyName=/.test(target) && /[?&]Signature=/.test(target)) ||
    headers.some(
      ([name, value]) => name.toLowerCase() === "cookie" && /Edge-Cache-Cookie=URLPrefix=[^;~]*:/.test(value),
    ),
  read: (url, cookie) => googleFacts(url, cookie(COOKIE)),
  someKey: ({ signature, keyId }) => ({
    ...({ scheme: "media-cdn", publicKey: SOME_KEY } as const),
    keyName: plainName(keyId),
    padded: signature.endsWith("="),
  }),
  nameOf: ({ keyName }) => keyName,
  verifier: ({ keyName, publicKey, padded }, options) =>
    mediaCdnVerifier({ ...options, keys: { keyName, publicKey }, padded }),
  *otherwise(key) {
    const padded = key.padded !== true;
    yield [`base64url is written ${padded ? "with" : "without"} padding`, { ...key, padded }];
  },
};

export const mediaCdnExplainer: Explainer = edgeExplainer(kind);
