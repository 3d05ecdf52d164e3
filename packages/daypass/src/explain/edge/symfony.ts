import { parseEpoch } from "../../core/validity.ts";
import { SYMFONY_WEAK } from "../../schemes/symfony/canonical.ts";
import { SYMFONY_PARAMETERS } from "../../schemes/symfony/parse.ts";
import { symfonyVerifier } from "../../schemes/symfony/verify.ts";
import type { Explainer } from "../explainer.ts";
import { readParameters } from "../parameters.ts";
import { edgeExplainer } from "./edge-explainer.ts";
import type { SymfonyExplainKey } from "./keys.ts";
import type { EdgeKind } from "./kind.ts";

const kind: EdgeKind<SymfonyExplainKey> = {
  scheme: "symfony",
  what: "A URL of Symfony's UriSigner",
  signedBy: "the application's secret",
  mayEndEarlier: "when the application's secret is replaced",
  ownRefusal:
    /\bURI signature is invalid\b|\bUnverifiedSignedUriException\b|\bURL signature is (?:not valid|invalid)\b/i,
  detects: ({ target }) => /[?&]_hash=./.test(target),
  read(url, _cookie, key) {
    const names = { ...SYMFONY_PARAMETERS, ...key?.parameters };
    const values = new Map(readParameters(url));
    const end = values.get(names.expiration) ?? "";
    const signature = values.get(names.hash) ?? "";
    return {
      signature,
      lengths: signature.endsWith("=") ? [44] : [43],
      end,
      endsAt: parseEpoch(end),
      binds: ["scheme and host", "path", "query", ...(end === "" ? [] : ["end"])],
      leavesOpen: ["method", "headers", "body", "who uses it, from where, and how often"],
      weak: SYMFONY_WEAK,
      isOwn: (name) => name === names.hash || name === names.expiration,
      signs: { host: true, query: true, address: false },
    };
  },
  someKey: ({ signature }) => ({
    ...({ scheme: "symfony", secret: "-" } as const),
    encoding: /[+/=]/.test(signature) ? "base64" : "base64url",
  }),
  verifier: ({ secret, parameters, encoding }, options) =>
    symfonyVerifier({ ...options, secrets: secret, parameters, encoding }),
  *otherwise(key) {
    const other = key.encoding === "base64" ? "base64url" : "base64";
    yield [
      `its hash is written in ${other}, as ${other === "base64" ? "older" : "newer"} releases do`,
      { ...key, encoding: other },
    ];
  },
};

export const symfonyExplainer: Explainer = edgeExplainer(kind);
