import { parseEpoch } from "../../core/validity.ts";
import { cloudflareVerifier } from "../../schemes/cloudflare/verify.ts";
import type { Explainer } from "../explainer.ts";
import { readParameters } from "../parameters.ts";
import { edgeExplainer } from "./edge-explainer.ts";
import type { CloudflareExplainKey } from "./keys.ts";
import type { EdgeKind } from "./kind.ts";

const A_LONG_TIME = 3_153_600_000;

const kind: EdgeKind<CloudflareExplainKey> = {
  scheme: "cloudflare",
  what: "A token for Cloudflare's is_timed_hmac_valid_v0",
  signedBy: "the secret of the rule",
  mayEndEarlier: "when the secret of the rule is replaced, or its lifetime shortened",
  detects: ({ target }) => /[?&]verify=\d{10}-/.test(target),
  read(url, _cookie, key) {
    const { parameter = "verify" } = key ?? {};
    const token = new Map(readParameters(url)).get(parameter) ?? "";
    const [, timestamp = "", signature = ""] = /^(\d*)-(.*)$/s.exec(token) ?? [];
    const signedAt = parseEpoch(timestamp);
    return {
      signature,
      lengths: signature.endsWith("=") ? [44] : [43],
      end: timestamp,
      startsAt: signedAt,
      endsAt: key && signedAt && new Date(signedAt.getTime() + key.ttl * 1000),
      binds: ["path", "query", "time of signing"],
      leavesOpen: ["method", "scheme and host", "headers", "body", "who uses it, from where, and how often"],
      weak: [],
      traps:
        key === undefined
          ? [
              {
                name: "end-in-the-rule",
                text: "Its expiry is not in the URL: the rule adds a lifetime to its timestamp.",
              },
            ]
          : [],
      isOwn: (name) => name === parameter,
      signs: { host: false, query: true, address: false },
    };
  },
  someKey: () => ({ scheme: "cloudflare", secret: "-", ttl: A_LONG_TIME }),
  verifier: ({ secret, ttl, parameter, urlSafe }, options) =>
    cloudflareVerifier({ ...options, secrets: secret, ttl, parameter, urlSafe }),
  *otherwise(key) {
    const what = key.urlSafe === true ? "without the flag 's'" : "for a rule with the flag 's' (base64url)";
    yield [what, { ...key, urlSafe: key.urlSafe !== true }];
  },
};

export const cloudflareExplainer: Explainer = edgeExplainer(kind);
