import { parseEpoch } from "../../core/validity.ts";
import { LARAVEL_WEAK } from "../../schemes/laravel/canonical.ts";
import { laravelVerifier } from "../../schemes/laravel/verify.ts";
import type { Explainer } from "../explainer.ts";
import { readParameters } from "../parameters.ts";
import { edgeExplainer } from "./edge-explainer.ts";
import type { LaravelExplainKey } from "./keys.ts";
import type { EdgeKind } from "./kind.ts";

const kind: EdgeKind<LaravelExplainKey> = {
  scheme: "laravel",
  what: "A signed route of Laravel",
  signedBy: "the application's APP_KEY",
  mayEndEarlier: "when APP_KEY is replaced",
  ownRefusal: /\bInvalid signature\b/i,
  detects: ({ target }) => /[?&]signature=[0-9a-f]{64}(?:&|$)/.test(target),
  read(url, _cookie, key) {
    const { relative = false } = key ?? {};
    const values = new Map(readParameters(url));
    const end = values.get("expires") ?? "";
    return {
      signature: values.get("signature") ?? "",
      end,
      endsAt: parseEpoch(end),
      binds: [...(relative ? [] : ["scheme and host"]), "path", "query", ...(end === "" ? [] : ["end"])],
      leavesOpen: [
        ...["method", ...(relative ? ["scheme and host"] : []), "headers", "body"],
        "who uses it, from where, and how often",
      ],
      weak: LARAVEL_WEAK,
      isOwn: (name) => name === "signature" || name === "expires",
      signs: { host: !relative, query: true, address: false },
    };
  },
  someKey: () => ({ scheme: "laravel", secret: "-" }),
  verifier: ({ secret, relative }, options) => laravelVerifier({ ...options, secrets: secret, relative }),
  *otherwise(key) {
    const { secret, relative = false } = key;
    const what = relative ? "for the whole URL (absolute)" : "as a relative one (absolute: false)";
    yield [what, { ...key, relative: !relative }];
    const other = secret.startsWith("base64:") ? secret.slice(7) : `base64:${secret}`;
    yield [
      `with the key ${secret.startsWith("base64:") ? "without" : "with"} its "base64:"`,
      { ...key, secret: other },
    ];
  },
};

export const laravelExplainer: Explainer = edgeExplainer(kind);
