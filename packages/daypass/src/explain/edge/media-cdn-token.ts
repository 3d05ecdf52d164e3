import { parseEpoch } from "../../core/validity.ts";
import { isBelowPrefix } from "../../edge/google-cdn.ts";
import { mediaCdnTokenVerifier } from "../../schemes/media-cdn/token/verify.ts";
import { matchesGlob } from "../../wire/glob.ts";
import type { Explainer } from "../explainer.ts";
import { nameOf, readParameters } from "../parameters.ts";
import { edgeExplainer } from "./edge-explainer.ts";
import { prefixOf } from "./google-facts.ts";
import type { MediaCdnTokenExplainKey } from "./keys.ts";
import type { EdgeKind } from "./kind.ts";

const TOKEN = /(?:[?&]edge-cache-token|Edge-Cache-Cookie)=[^&;]*~(?:hmac|Signature)=/;

const kind: EdgeKind<MediaCdnTokenExplainKey> = {
  scheme: "media-cdn/token",
  what: "A token of Google's Media CDN",
  signedBy: "a key of the keyset",
  mayEndEarlier: "when its key is removed from the keyset",
  detects: ({ target, headers }) =>
    TOKEN.test(target) || headers.some(([name, value]) => name.toLowerCase() === "cookie" && TOKEN.test(value)),
  read(url, cookie, key) {
    const { parameter = "edge-cache-token" } = key ?? {};
    const text = new Map(readParameters(url)).get(parameter) ?? cookie("Edge-Cache-Cookie") ?? "";
    const fields = new Map(
      text.split("~").map((part) => [nameOf(part), part.includes("=") ? part.replace(/^[^=]*=/, "") : ""]),
    );
    const end = fields.get("Expires") ?? "";
    const globs = fields.get("PathGlobs");
    const prefix = prefixOf(fields.get("URLPrefix"));
    const headers = fields.get("Headers")?.split(",") ?? [];
    const isForOne = fields.has("IPRanges") || fields.has("SessionID");
    return {
      signature: fields.get("hmac") ?? fields.get("Signature") ?? "",
      end,
      startsAt: parseEpoch(fields.get("Starts") ?? ""),
      endsAt: parseEpoch(end),
      below: prefix
        ? `everything below ${prefix}`
        : globs && `what matches ${globs.split(/[,!]/).join(" or ")} at ${url.protocol}://${url.authority}`,
      binds: [...fields.keys()].filter((name) => !/^(?:hmac|Signature)?$/.test(name)),
      leavesOpen: [
        ...["method", ...(prefix === undefined ? ["scheme and host"] : []), "query", "other headers", "body"],
        isForOne ? "how often it is used" : "who uses it, from where, and how often",
      ],
      weak: [],
      mustSend: headers.map((name) => ({ name })),
      ...(prefix === undefined && globs === undefined
        ? {}
        : {
            covers: (origin) =>
              prefix === undefined
                ? globs?.split(/[,!]/).some((glob) => matchesGlob(glob, url.wire.path)) === true
                : isBelowPrefix(origin + url.wire.path, prefix),
          }),
      isOwn: (name) => name === parameter,
      signs: { host: prefix !== undefined, query: false, address: false },
    };
  },
  someKey: () => ({ scheme: "media-cdn/token", key: { secret: "AAAAAAAAAAAAAAAAAAAAAA" } }),
  verifier: ({ key, parameter }, options) => mediaCdnTokenVerifier({ ...options, keys: [key], parameter }),
};

export const mediaCdnTokenExplainer: Explainer = edgeExplainer(kind);
