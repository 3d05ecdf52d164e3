import { CLOUD_CDN } from "../../schemes/cloud-cdn/canonical.ts";
import { cloudCdnVerifier } from "../../schemes/cloud-cdn/verify.ts";
import type { Explainer } from "../explainer.ts";
import { edgeExplainer } from "./edge-explainer.ts";
import { googleFacts, plainName } from "./google-facts.ts";
import type { CloudCdnExplainKey } from "./keys.ts";
import type { EdgeKind } from "./kind.ts";

const kind: EdgeKind<CloudCdnExplainKey> = {
  scheme: "cloud-cdn",
  what: "A signature of Google's Cloud CDN",
  signedBy: "a key of the backend",
  mayEndEarlier: "when its key is removed from the backend",
  detects: ({ target, headers }) =>
    (/[?&]KeyName=/.test(target) && /[?&]Signature=[A-Za-z0-9_-]{1,40}={0,2}(?:&|$)/.test(target)) ||
    headers.some(([name, value]) => name.toLowerCase() === "cookie" && value.includes(`${CLOUD_CDN.cookie}=`)),
  read: (url, cookie) => googleFacts(url, cookie(CLOUD_CDN.cookie)),
  someKey: ({ keyId }) => ({ scheme: "cloud-cdn", keyName: plainName(keyId), key: "AAAAAAAAAAAAAAAAAAAAAA" }),
  nameOf: ({ keyName }) => keyName,
  verifier: ({ keyName, key }, options) => cloudCdnVerifier({ ...options, keys: { keyName, key } }),
};

export const cloudCdnExplainer: Explainer = edgeExplainer(kind);
