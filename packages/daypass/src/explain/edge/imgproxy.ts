import { parseEpoch } from "../../core/validity.ts";
import { expiryOptions } from "../../schemes/imgproxy/canonical.ts";
import { imgproxyVerifier } from "../../schemes/imgproxy/verify.ts";
import { hex, utf8 } from "../../wire/encoding.ts";
import type { Explainer } from "../explainer.ts";
import { edgeExplainer } from "./edge-explainer.ts";
import type { ImgproxyExplainKey } from "./keys.ts";
import type { EdgeKind } from "./kind.ts";

const kind: EdgeKind<ImgproxyExplainKey> = {
  scheme: "imgproxy",
  what: "A signed imgproxy URL",
  signedBy: "the server's pair of key and salt",
  mayEndEarlier: "when the server's key or salt is replaced",
  ownRefusal: /\bInvalid signature\b/i,
  // There are no names to go by: a signature of 32 bytes, and behind it an option or a plain source.
  detects: ({ target }) => /^\/[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\/(?:[a-z_]+:|plain\/)/.test(target),
  read(url, _cookie, key) {
    const { pathPrefix = "" } = key ?? {};
    const [, signature = "", path = ""] = /^\/([^/]*)(\/.*)$/.exec(url.wire.path.slice(pathPrefix.length)) ?? [];
    const end = expiryOptions(path)[0] ?? "";
    return {
      signature,
      end,
      endsAt: parseEpoch(end),
      path,
      binds: ["options and source", ...(end === "" ? [] : ["end"])],
      leavesOpen: [
        ...["method", "scheme and host", "query", "headers", "body", "who uses it, from where, and how often"],
      ],
      weak: signature.length < 22 ? ["no-expiry", "short-signature"] : ["no-expiry"],
      isOwn: () => false,
      signs: { host: false, query: false, address: false },
    };
  },
  someKey: ({ signature }) => ({
    ...({ scheme: "imgproxy", key: "00", salt: "00" } as const),
    signatureSize: sizeOf(signature),
  }),
  verifier: ({ key, salt, signatureSize, pathPrefix }, options) =>
    imgproxyVerifier({ ...options, keys: { key, salt }, signatureSize, pathPrefix }),
  *otherwise(key) {
    yield ["with key and salt exchanged", { ...key, key: key.salt, salt: key.key }];
    yield [
      "with key and salt as texts, where both are hexadecimal",
      { ...key, key: asHex(key.key), salt: asHex(key.salt) },
    ];
    yield ["without the salt", { ...key, salt: "" }];
    for (const size of [8, 12, 16, 20, 24, 32])
      yield [`cut to ${size} bytes (IMGPROXY_SIGNATURE_SIZE)`, { ...key, signatureSize: size }];
  },
};

const asHex = (text: string): string => hex(utf8(text));
const sizeOf = (signature: string): number => Math.min(32, Math.max(1, Math.floor((signature.length * 3) / 4)));

export const imgproxyExplainer: Explainer = edgeExplainer(kind);
