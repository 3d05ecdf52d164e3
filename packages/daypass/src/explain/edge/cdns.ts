import { parseEpoch } from "../../core/time.ts";
import { isBelow } from "../../edge/query.ts";
import { type AkamaiHash, akamaiVerifier } from "../../schemes/akamai/index.ts";
import { bunnyVerifier } from "../../schemes/bunny/index.ts";
import { cloudflareVerifier } from "../../schemes/cloudflare/index.ts";
import { fastlyVerifier } from "../../schemes/fastly/index.ts";
import { imgixVerifier } from "../../schemes/imgix/index.ts";
import { base64, utf8 } from "../../wire/encoding.ts";
import { matchesGlob } from "../../wire/glob.ts";
import { parseTarget } from "../../wire/raw-target.ts";
import { decodeOr } from "../decoded.ts";
import type { Explainer } from "../explainer.ts";
import { nameOf, readParameters } from "../parameters.ts";
import { ANYONE, edgeExplainer } from "./explainer.ts";
import type {
  AkamaiExplainKey,
  BunnyExplainKey,
  CloudflareExplainKey,
  FastlyExplainKey,
  ImgixExplainKey,
} from "./keys.ts";

export const bunnyExplainer: Explainer = edgeExplainer<BunnyExplainKey>({
  scheme: "bunny",
  what: "A token of Bunny's CDN",
  signedBy: "the pull zone's security key",
  detects: /^\/bcdn_token=HS256-|[?&]token=HS256-/,
  read({ url }) {
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
        "method",
        "scheme and host",
        ...(isIgnoring ? ["query"] : segment === undefined ? [] : ["further query parameters"]),
        "headers",
        "body",
        isLocked ? "how often it is used" : ANYONE,
      ],
      weak: ["unseparated-fields"],
      traps:
        prefix === undefined || prefix.endsWith("/")
          ? []
          : [{ name: "loose-prefix", text: `Bunny compares texts: ${prefix} opens ${prefix}x, too.` }],
      ...(prefix === undefined ? {} : { covers: () => isBelow(decodeOr(rest ?? url.wire.path), prefix) }),
      isOwn: (name) => /^(?:token|expires|limit|token_.*)$/.test(name),
      signs: { query: !isIgnoring, address: isLocked },
    };
  },
  someKey: () => ({ scheme: "bunny", secret: "-" }),
  verifier: ({ secret }, options) => bunnyVerifier({ ...options, secrets: secret, enforcesSpeedLimit: true }),
});

const HASHES: readonly AkamaiHash[] = ["sha256", "sha1", "md5"];
/** The hashes by the length of their signatures. */
const HASH_BY_LENGTH: Readonly<Record<number, AkamaiHash>> = { 64: "sha256", 40: "sha1", 32: "md5" };
/** The names in Akamai's documentation. */
const AKAMAI_NAMES: readonly string[] = ["__token__", "hdnts", "hdnea"];

export const akamaiExplainer: Explainer = edgeExplainer<AkamaiExplainKey>({
  scheme: "akamai",
  what: "An Akamai EdgeAuth token",
  signedBy: "the property's key",
  detects: new RegExp(`(?:^|[?&;\\s])(?:${AKAMAI_NAMES.join("|")})=[^&;]*~hmac=[0-9a-f]{32}`),
  read({ url, values, cookie, key }) {
    const names = key?.parameter === undefined ? AKAMAI_NAMES : [key.parameter];
    const text = names.map((name) => values.get(name) ?? cookie(name)).find((found) => found !== undefined) ?? "";
    const fields = new Map(text.split("~").map((part) => [nameOf(part), part.replace(/^[^=]*=/, "")]));
    const end = fields.get("exp") ?? "";
    const patterns = fields.get("acl")?.split("!");
    return {
      signature: fields.get("hmac") ?? "",
      end,
      startsAt: parseEpoch(fields.get("st") ?? ""),
      below: patterns && `what matches ${patterns.join(" or ")} at ${url.protocol}://${url.authority}`,
      binds: [
        patterns === undefined ? "path" : `path patterns (${fields.get("acl")})`,
        "end",
        ...["ip", "st", "id", "data"].flatMap((name) => (fields.has(name) ? [`${name} (${fields.get(name)})`] : [])),
      ],
      clients: fields.get("ip"),
      isForOne: fields.has("ip"),
      ...(patterns && { covers: () => patterns.some((pattern) => matchesGlob(pattern, url.wire.path)) }),
      isOwn: (name) => AKAMAI_NAMES.includes(name) || name === key?.parameter,
    };
  },
  someKey: ({ signature }, url) => ({
    ...({ scheme: "akamai", secret: "00" } as const),
    parameter: AKAMAI_NAMES.find((name) => url.wire.tokens.some((token) => token.name === name)),
    hash: HASH_BY_LENGTH[signature.length],
  }),
  verifier: ({ secret, hash, salt, parameter, escapeEarly }, options) =>
    akamaiVerifier({ ...options, secrets: secret, hash, salt, parameter, escapeEarly }),
  *otherwise(key) {
    const { hash = "sha256", escapeEarly = false, salt, parameter = AKAMAI_NAMES[0] } = key;
    for (const other of HASHES) if (other !== hash) yield [`with HMAC-${other.toUpperCase()}`, { ...key, hash: other }];
    yield [`${escapeEarly ? "without" : "with"} "Escape token input"`, { ...key, escapeEarly: !escapeEarly }];
    for (const name of AKAMAI_NAMES)
      if (name !== parameter) yield [`its token is named ${name}`, { ...key, parameter: name }];
    if (salt !== undefined) yield ["without the salt", { ...key, salt: undefined }];
  },
});

const A_LONG_TIME = 3_153_600_000;

export const cloudflareExplainer: Explainer = edgeExplainer<CloudflareExplainKey>({
  scheme: "cloudflare",
  what: "A token for Cloudflare's is_timed_hmac_valid_v0",
  signedBy: "the secret of the rule",
  mayEndEarlier: "when the secret of the rule is replaced, or its lifetime shortened",
  detects: /[?&]verify=\d{10}-/,
  read({ values, key }) {
    const { parameter = "verify" } = key ?? {};
    const [, timestamp = "", signature = ""] = /^(\d*)-(.*)$/s.exec(values.get(parameter) ?? "") ?? [];
    const signedAt = parseEpoch(timestamp);
    const text = "Its expiry is not in the URL: the rule adds a lifetime to its timestamp.";
    return {
      signature,
      lengths: signature.endsWith("=") ? [44] : [43],
      end: timestamp,
      startsAt: signedAt,
      endsAt: key && signedAt && new Date(signedAt.getTime() + key.ttl * 1000),
      binds: ["path", "query", "time of signing"],
      traps: key === undefined ? [{ name: "end-in-the-rule", text }] : [],
      isOwn: (name) => name === parameter,
      signs: { query: true },
    };
  },
  someKey: () => ({ scheme: "cloudflare", secret: "-", ttl: A_LONG_TIME }),
  verifier: ({ secret, ttl, parameter, urlSafe }, options) =>
    cloudflareVerifier({ ...options, secrets: secret, ttl, parameter, urlSafe }),
  *otherwise({ urlSafe = false, ...key }) {
    const what = urlSafe ? "without the flag 's'" : "for a rule with the flag 's' (base64url)";
    yield [what, { ...key, urlSafe: !urlSafe }];
  },
});

export const fastlyExplainer: Explainer = edgeExplainer<FastlyExplainKey>({
  scheme: "fastly",
  what: "A token of Fastly's examples for VCL",
  signedBy: "the secret in the VCL",
  detects: /[?&]token=\d{10,11}_[0-9a-f]{40,64}(?:&|$)/,
  read({ values, key }) {
    const { parameter = "token" } = key ?? {};
    const [, end = "", signature = ""] = /^(\d*)_(.*)$/s.exec(values.get(parameter) ?? "") ?? [];
    const isOwn = (name: string): boolean => name === parameter;
    return { signature, end, binds: ["path", "end"], weak: ["unseparated-fields"], isOwn };
  },
  someKey: ({ signature }) => ({
    ...({ scheme: "fastly", secret: "LQ==" } as const),
    hash: signature.length === 64 ? "sha256" : "sha1",
  }),
  verifier: ({ secret, hash, parameter }, options) => fastlyVerifier({ ...options, secrets: secret, hash, parameter }),
  *otherwise(key) {
    const { hash = "sha1", secret } = key;
    const other = hash === "sha1" ? "sha256" : "sha1";
    yield [`with HMAC-${other.toUpperCase()}`, { ...key, hash: other }];
    yield ["with the secret as text, where the VCL decodes it from base64", { ...key, secret: base64(utf8(secret)) }];
  },
});

export const imgixExplainer: Explainer = edgeExplainer<ImgixExplainKey>({
  scheme: "imgix",
  what: "A signed imgix URL",
  signedBy: "the token of the source",
  detects: /[?&]s=[0-9a-f]{32}$/,
  read({ values }) {
    const end = values.get("expires") ?? "";
    return {
      signature: values.get("s") ?? "",
      end,
      binds: ["path", "query", ...(end === "" ? [] : ["end"])],
      weak: ["plain-md5", "no-expiry"],
      isOwn: (name) => name === "s" || name === "expires",
      signs: { query: true },
    };
  },
  someKey: () => ({ scheme: "imgix", secret: "-" }),
  verifier: ({ secret }, options) => imgixVerifier({ ...options, secrets: secret }),
});
