import { parseEpoch } from "../../core/validity.ts";
import { FASTLY_WEAK } from "../../schemes/fastly/canonical.ts";
import { fastlyVerifier } from "../../schemes/fastly/verify.ts";
import { base64, utf8 } from "../../wire/encoding.ts";
import type { Explainer } from "../explainer.ts";
import { readParameters } from "../parameters.ts";
import { edgeExplainer } from "./edge-explainer.ts";
import type { FastlyExplainKey } from "./keys.ts";
import type { EdgeKind } from "./kind.ts";

const kind: EdgeKind<FastlyExplainKey> = {
  scheme: "fastly",
  what: "A token of Fastly's examples for VCL",
  signedBy: "the secret in the VCL",
  mayEndEarlier: "when the secret in the VCL is replaced",
  detects: ({ target }) => /[?&]token=\d{10,11}_[0-9a-f]{40,64}(?:&|$)/.test(target),
  read(url, _cookie, key) {
    const { parameter = "token" } = key ?? {};
    const token = new Map(readParameters(url)).get(parameter) ?? "";
    const [, end = "", signature = ""] = /^(\d*)_(.*)$/s.exec(token) ?? [];
    return {
      signature,
      end,
      endsAt: parseEpoch(end),
      binds: ["path", "end"],
      leavesOpen: [
        ...["method", "scheme and host", "query", "headers", "body", "who uses it, from where, and how often"],
      ],
      weak: FASTLY_WEAK,
      isOwn: (name) => name === parameter,
      signs: { host: false, query: false, address: false },
    };
  },
  someKey: ({ signature }) => ({
    ...({ scheme: "fastly", secret: "LQ==" } as const),
    hash: signature.length === 64 ? "sha256" : "sha1",
  }),
  verifier: ({ secret, hash, parameter }, options) => fastlyVerifier({ ...options, secrets: secret, hash, parameter }),
  *otherwise(key) {
    const { hash = "sha1", secret } = key;
    const other = hash === "sha1" ? "sha256" : "sha1";
    yield [`with HMAC-${other === "sha1" ? "SHA1" : "SHA256"}`, { ...key, hash: other }];
    yield ["with the secret as text, where the VCL decodes it from base64", { ...key, secret: base64(utf8(secret)) }];
  },
};

export const fastlyExplainer: Explainer = edgeExplainer(kind);
