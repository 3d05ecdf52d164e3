import { parseEpoch } from "../../core/validity.ts";
import { IMGIX_WEAK } from "../../schemes/imgix/canonical.ts";
import { imgixVerifier } from "../../schemes/imgix/verify.ts";
import type { Explainer } from "../explainer.ts";
import { readParameters } from "../parameters.ts";
import { edgeExplainer } from "./edge-explainer.ts";
import type { ImgixExplainKey } from "./keys.ts";
import type { EdgeKind } from "./kind.ts";

const kind: EdgeKind<ImgixExplainKey> = {
  scheme: "imgix",
  what: "A signed imgix URL",
  signedBy: "the token of the source",
  mayEndEarlier: "when the token of the source is replaced",
  detects: ({ target }) => /[?&]s=[0-9a-f]{32}$/.test(target),
  read(url) {
    const values = new Map(readParameters(url));
    const end = values.get("expires") ?? "";
    return {
      signature: values.get("s") ?? "",
      end,
      endsAt: parseEpoch(end),
      binds: ["path", "query", ...(end === "" ? [] : ["end"])],
      leavesOpen: ["method", "scheme and host", "headers", "body", "who uses it, from where, and how often"],
      weak: IMGIX_WEAK,
      isOwn: (name) => name === "s" || name === "expires",
      signs: { host: false, query: true, address: false },
    };
  },
  someKey: () => ({ scheme: "imgix", secret: "-" }),
  verifier: ({ secret }, options) => imgixVerifier({ ...options, secrets: secret }),
};

export const imgixExplainer: Explainer = edgeExplainer(kind);
