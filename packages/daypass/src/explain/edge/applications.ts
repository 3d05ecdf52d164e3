import { imgproxyVerifier } from "../../schemes/imgproxy/index.ts";
import { laravelVerifier } from "../../schemes/laravel/index.ts";
import { compileExpression, DEFAULT_EXPRESSION } from "../../schemes/nginx/expression.ts";
import { nginxVerifier } from "../../schemes/nginx/index.ts";
import { symfonyVerifier } from "../../schemes/symfony/index.ts";
import { hex, utf8 } from "../../wire/encoding.ts";
import type { Explainer } from "../explainer.ts";
import { ANYONE, edgeExplainer } from "./explainer.ts";
import type { ImgproxyExplainKey, LaravelExplainKey, NginxExplainKey, SymfonyExplainKey } from "./keys.ts";

const EXPRESSIONS: readonly string[] = [
  DEFAULT_EXPRESSION,
  "$secure_link_expires$uri$remote_addr $secret",
  "$secure_link_expires$uri$secret",
  "$secure_link_expires$uri$remote_addr$secret",
  "$uri$secure_link_expires $secret",
  "$uri$secure_link_expires$remote_addr $secret",
  "$secure_link_expires$host$uri $secret",
];

export const nginxExplainer: Explainer = edgeExplainer<NginxExplainKey>({
  scheme: "nginx",
  what: "A link for nginx' secure_link",
  signedBy: "the secret in nginx.conf",
  detects: /[?&]md5=[A-Za-z0-9_-]{22}(?:=*)(?:&|$)/,
  read({ values, key }) {
    const names = { signature: "md5", expires: "expires", ...key?.parameters };
    const end = values.get(names.expires) ?? "";
    const expression = key?.expression ?? (end === "" ? "$uri $secret" : DEFAULT_EXPRESSION);
    const { variables, ambiguous } = compileExpression(expression);
    const signed = variables.filter((name) => name !== "secret");
    const signs = { host: signed.includes("host"), address: signed.includes("remote_addr") };
    const text = "nginx still serves it in the second it expires; a Daypass verifier does not.";
    return {
      signature: values.get(names.signature) ?? "",
      end,
      binds: [
        `${signed.map((name) => `$${name}`).join(" ")}${key === undefined ? " (or what secure_link_md5 says)" : ""}`,
      ],
      leavesOpen: [
        ...(signed.includes("request_method") ? [] : ["method"]),
        ...(signs.host ? [] : ["scheme and host"]),
        "parameters that the expression does not name",
        "headers",
        "body",
        ...(signs.address ? [] : [ANYONE]),
      ],
      weak: ["plain-md5", ...(ambiguous ? (["unseparated-fields"] as const) : []), "no-expiry"],
      traps: signed.includes("secure_link_expires") ? [{ name: "a-second-longer", text }] : [],
      isOwn: (name) =>
        name === names.signature || name === names.expires || variables.includes(`arg_${name.toLowerCase()}`),
      signs,
    };
  },
  someKey: ({ end }) => ({
    ...({ scheme: "nginx", secret: "-" } as const),
    expression: end === "" ? "$uri $secret" : undefined,
  }),
  verifier: ({ secret, expression, parameters }, options) =>
    nginxVerifier({ ...options, secrets: secret, expression, parameters }),
  *otherwise(key) {
    for (const expression of EXPRESSIONS) {
      if (expression !== (key.expression ?? DEFAULT_EXPRESSION))
        yield [`for the expression "${expression}"`, { ...key, expression }];
    }
  },
});

const asHex = (text: string): string => hex(utf8(text));

export const imgproxyExplainer: Explainer = edgeExplainer<ImgproxyExplainKey>({
  scheme: "imgproxy",
  what: "A signed imgproxy URL",
  signedBy: "the server's pair of key and salt",
  ownRefusal: /\bInvalid signature\b/i,
  // The URL has no names: a signature of 32 bytes, then an option or a plain source.
  detects: /^\/[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\/(?:[a-z_]+:|plain\/)/,
  read({ url, key }) {
    const { pathPrefix = "" } = key ?? {};
    const [, signature = "", path = ""] = /^\/([^/]*)(\/.*)$/.exec(url.wire.path.slice(pathPrefix.length)) ?? [];
    // Options are the segments with a `:` before the source.
    const [, end = ""] = /^(?:\/[^/]*:[^/]*)*?\/(?:expires|exp):([^/]*)/.exec(path) ?? [];
    return {
      signature,
      end,
      path,
      binds: ["options and source", ...(end === "" ? [] : ["end"])],
      weak: signature.length < 22 ? ["no-expiry", "short-signature"] : ["no-expiry"],
      isOwn: () => false,
    };
  },
  someKey: ({ signature }) => ({
    ...({ scheme: "imgproxy", key: "00", salt: "00" } as const),
    signatureSize: Math.min(32, Math.max(1, Math.floor((signature.length * 3) / 4))),
  }),
  verifier: ({ key, salt, signatureSize, pathPrefix }, options) =>
    imgproxyVerifier({ ...options, keys: { key, salt }, signatureSize, pathPrefix }),
  *otherwise(given) {
    const { key, salt } = given;
    yield ["with key and salt exchanged", { ...given, key: salt, salt: key }];
    yield ["with key and salt as texts, where both are hexadecimal", { ...given, key: asHex(key), salt: asHex(salt) }];
    yield ["without the salt", { ...given, salt: "" }];
    for (const size of [8, 12, 16, 20, 24, 32])
      yield [`cut to ${size} bytes (IMGPROXY_SIGNATURE_SIZE)`, { ...given, signatureSize: size }];
  },
});

export const laravelExplainer: Explainer = edgeExplainer<LaravelExplainKey>({
  scheme: "laravel",
  what: "A signed route of Laravel",
  signedBy: "the application's APP_KEY",
  ownRefusal: /\bInvalid signature\b/i,
  detects: /[?&]signature=[0-9a-f]{64}(?:&|$)/,
  read({ values, key }) {
    const host = key?.relative !== true;
    const end = values.get("expires") ?? "";
    return {
      signature: values.get("signature") ?? "",
      end,
      binds: [...(host ? ["scheme and host"] : []), "path", "query", ...(end === "" ? [] : ["end"])],
      weak: ["no-expiry"],
      isOwn: (name) => name === "signature" || name === "expires",
      signs: { host, query: true },
    };
  },
  someKey: () => ({ scheme: "laravel", secret: "-" }),
  verifier: ({ secret, relative }, options) => laravelVerifier({ ...options, secrets: secret, relative }),
  *otherwise(key) {
    const { secret, relative = false } = key;
    const what = relative ? "for the whole URL (absolute)" : "as a relative one (absolute: false)";
    yield [what, { ...key, relative: !relative }];
    const hasPrefix = secret.startsWith("base64:");
    const other = hasPrefix ? secret.slice(7) : `base64:${secret}`;
    yield [`with the key ${hasPrefix ? "without" : "with"} its "base64:"`, { ...key, secret: other }];
  },
});

export const symfonyExplainer: Explainer = edgeExplainer<SymfonyExplainKey>({
  scheme: "symfony",
  what: "A URL of Symfony's UriSigner",
  signedBy: "the application's secret",
  ownRefusal:
    /\bURI signature is invalid\b|\bUnverifiedSignedUriException\b|\bURL signature is (?:not valid|invalid)\b/i,
  detects: /[?&]_hash=./,
  read({ values, key }) {
    const names = { hash: "_hash", expiration: "_expiration", ...key?.parameters };
    const end = values.get(names.expiration) ?? "";
    const signature = values.get(names.hash) ?? "";
    return {
      signature,
      lengths: signature.endsWith("=") ? [44] : [43],
      end,
      binds: ["scheme and host", "path", "query", ...(end === "" ? [] : ["end"])],
      weak: ["no-expiry"],
      isOwn: (name) => name === names.hash || name === names.expiration,
      signs: { host: true, query: true },
    };
  },
  someKey: ({ signature }) => ({
    ...({ scheme: "symfony", secret: "-" } as const),
    encoding: /[+/=]/.test(signature) ? "base64" : "base64url",
  }),
  verifier: ({ secret, parameters, encoding }, options) =>
    symfonyVerifier({ ...options, secrets: secret, parameters, encoding }),
  *otherwise(key) {
    const [other, age] = key.encoding === "base64" ? (["base64url", "newer"] as const) : (["base64", "older"] as const);
    yield [`its hash is written in ${other}, as ${age} releases do`, { ...key, encoding: other }];
  },
});
