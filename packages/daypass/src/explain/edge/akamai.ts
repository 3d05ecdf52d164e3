import { parseEpoch } from "../../core/validity.ts";
import { type AkamaiHash, DIGITS } from "../../schemes/akamai/canonical.ts";
import { akamaiVerifier } from "../../schemes/akamai/verify.ts";
import { matchesGlob } from "../../wire/glob.ts";
import type { Explainer } from "../explainer.ts";
import { nameOf, readParameters } from "../parameters.ts";
import { edgeExplainer } from "./edge-explainer.ts";
import type { AkamaiExplainKey } from "./keys.ts";
import type { EdgeKind } from "./kind.ts";

const HASHES: readonly AkamaiHash[] = ["sha256", "sha1", "md5"];
/** The names that Akamai's own documents use. */
const NAMES = ["__token__", "hdnts", "hdnea"] as const;
const TOKEN = new RegExp(`(?:^|[?&;\\s])(?:${NAMES.join("|")})=[^&;]*~hmac=[0-9a-f]{32}`);

const kind: EdgeKind<AkamaiExplainKey> = {
  scheme: "akamai",
  what: "An Akamai EdgeAuth token",
  signedBy: "the property's key",
  mayEndEarlier: "when the property's key is replaced",
  detects: ({ target, headers }) =>
    TOKEN.test(target) || headers.some(([name, value]) => name.toLowerCase() === "cookie" && TOKEN.test(value)),
  read(url, cookie, key) {
    const values = new Map(readParameters(url));
    const names = key?.parameter === undefined ? NAMES : [key.parameter];
    const text = names.map((name) => values.get(name) ?? cookie(name)).find((found) => found !== undefined) ?? "";
    const fields = new Map(text.split("~").map((part) => [nameOf(part), part.replace(/^[^=]*=/, "")]));
    const end = fields.get("exp") ?? "";
    const acl = fields.get("acl");
    const ip = fields.get("ip");
    return {
      signature: fields.get("hmac") ?? "",
      end,
      startsAt: parseEpoch(fields.get("st") ?? ""),
      endsAt: parseEpoch(end),
      below: acl && `what matches ${acl.split("!").join(" or ")} at ${url.protocol}://${url.authority}`,
      binds: [
        ...[acl === undefined ? "path" : `path patterns (${acl})`, "end"],
        ...["ip", "st", "id", "data"].flatMap((name) => (fields.has(name) ? [`${name} (${fields.get(name)})`] : [])),
      ],
      leavesOpen: [
        ...["method", "scheme and host", "query", "headers", "body"],
        ip === undefined ? "who uses it, from where, and how often" : "how often it is used",
      ],
      weak: [],
      clients: ip,
      ...(acl === undefined
        ? {}
        : { covers: () => acl.split("!").some((pattern) => matchesGlob(pattern, url.wire.path)) }),
      isOwn: (name) => (names as readonly string[]).includes(name),
      signs: { host: false, query: false, address: false },
    };
  },
  someKey: ({ signature }, url) => ({
    ...({ scheme: "akamai", secret: "00" } as const),
    parameter: NAMES.find((name) => url.wire.tokens.some((token) => token.name === name)),
    hash: HASHES.find((hash) => DIGITS[hash] === signature.length),
  }),
  verifier: ({ secret, hash, salt, parameter, escapeEarly }, options) =>
    akamaiVerifier({ ...options, secrets: secret, hash, salt, parameter, escapeEarly }),
  *otherwise(key) {
    const { hash = "sha256", escapeEarly = false, salt } = key;
    for (const other of HASHES) if (other !== hash) yield [`with HMAC-${other.toUpperCase()}`, { ...key, hash: other }];
    const what = escapeEarly ? 'without "Escape token input"' : 'with "Escape token input"';
    yield [what, { ...key, escapeEarly: !escapeEarly }];
    for (const parameter of NAMES)
      if (parameter !== (key.parameter ?? NAMES[0])) yield [`its token is named ${parameter}`, { ...key, parameter }];
    if (salt !== undefined) yield ["without the salt", { ...key, salt: undefined }];
  },
};

export const akamaiExplainer: Explainer = edgeExplainer(kind);
