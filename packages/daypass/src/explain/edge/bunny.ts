import { parseEpoch } from "../../core/validity.ts";
import { BUNNY_WEAK, isBelow } from "../../schemes/bunny/canonical.ts";
import { bunnyVerifier } from "../../schemes/bunny/verify.ts";
import { parseTarget } from "../../wire/raw-target.ts";
import { decodeOr } from "../decoded.ts";
import type { Explainer } from "../explainer.ts";
import { readParameters } from "../parameters.ts";
import { edgeExplainer } from "./edge-explainer.ts";
import type { BunnyExplainKey } from "./keys.ts";
import type { EdgeKind } from "./kind.ts";

const kind: EdgeKind<BunnyExplainKey> = {
  scheme: "bunny",
  what: "A token of Bunny's CDN",
  signedBy: "the pull zone's security key",
  mayEndEarlier: "when the pull zone's security key is reset",
  detects: ({ target }) => /^\/bcdn_token=HS256-|[?&]token=HS256-/.test(target),
  read(url) {
    const [, segment, rest] = /^\/bcdn_token=([^/]*)(\/.*)$/.exec(url.wire.path) ?? [];
    const wire = segment === undefined ? url.wire : parseTarget(`/?token=${segment}`);
    const parameters = readParameters({ ...url, wire });
    const values = new Map(parameters);
    const signature = values.get("token") ?? "";
    const end = values.get("expires") ?? "";
    const prefix = values.get("token_path");
    const isLocked = signature.startsWith("HS256-1-");
    const isIgnoring = values.has("token_ignore_params");
    const rules = parameters.filter(([name]) => /^token_countries|^limit$/.test(name));
    return {
      signature,
      end,
      endsAt: parseEpoch(end),
      path: rest,
      below: prefix && `everything below ${url.protocol}://${url.authority}${prefix}`,
      binds: [
        prefix === undefined ? "path" : "prefix",
        "end",
        ...(isIgnoring ? [] : ["query"]),
        ...(isLocked ? ["client address (of IPv6 its /64)"] : []),
        ...rules.map((rule) => rule.join(" ")),
      ],
      leavesOpen: [
        ...["method", "scheme and host"],
        ...(isIgnoring ? ["query"] : segment === undefined ? [] : ["further query parameters"]),
        ...["headers", "body", isLocked ? "how often it is used" : "who uses it, from where, and how often"],
      ],
      weak: BUNNY_WEAK,
      traps:
        prefix === undefined || prefix.endsWith("/")
          ? []
          : [{ name: "loose-prefix", text: `Bunny compares texts: ${prefix} opens ${prefix}x, too.` }],
      ...(prefix === undefined ? {} : { covers: () => isBelow(decodeOr(rest ?? url.wire.path), prefix) }),
      isOwn: (name) => /^(?:token|expires|limit|token_.*)$/.test(name),
      signs: { host: false, query: !isIgnoring, address: isLocked },
    };
  },
  someKey: () => ({ scheme: "bunny", secret: "-" }),
  verifier: ({ secret }, options) => bunnyVerifier({ ...options, secrets: secret, enforcesSpeedLimit: true }),
};

export const bunnyExplainer: Explainer = edgeExplainer(kind);
