/**
 * The registry of schemes. The command line, redaction, the table of capabilities and every suite over schemes read it. The modules
 * of a scheme are loaded when they are needed.
 *
 * @module
 */
import type { SchemeRow } from "./core/scheme.ts";

export {
  both,
  checked,
  describe,
  type FieldKind,
  type Fields,
  fields,
  flag,
  instant,
  isObject,
  type JsonObject,
  type Kinds,
  missing,
  number,
  object,
  oneOf,
  text,
} from "./core/fields.ts";
export { dated } from "./core/line-fields.ts";
export type {
  DialectVerifier,
  EntryContext,
  ExampleKeys,
  ExampleOptions,
  ExampleProbe,
  ExampleSigned,
  ExampleSigner,
  ExampleVerifier,
  KeyTools,
  LineCookies,
  LineForm,
  LineResult,
  LineSigner,
  SchemeExample,
  SchemeFields,
  SchemeRow,
  SignFields,
} from "./core/scheme.ts";

/** The identifier of a scheme: the `scheme` of its grants, and its subpath. */
export type SchemeId =
  | "s3"
  | "s3/v2"
  | "s3/v2/header"
  | "s3/header"
  | "s3/v4a"
  | "s3/express"
  | "s3/form"
  | "s3/form/v2"
  | "azure"
  | "gcs"
  | "gcs/v2"
  | "gcs/form"
  | "oss"
  | "oss/v1"
  | "cos"
  | "swift"
  | "cloudfront"
  | "uri-signing"
  | "nginx"
  | "bunny"
  | "akamai"
  | "cloudflare"
  | "cloud-cdn"
  | "media-cdn"
  | "media-cdn/token"
  | "imgproxy"
  | "imgix"
  | "fastly"
  | "laravel"
  | "symfony"
  | "url";

/** Every scheme of the library. A new one adds its row, and its identifier to {@link SchemeId}. */
export const schemes: Readonly<Record<SchemeId, SchemeRow>> = {
  s3: {
    id: "s3",
    secretParameters: ["x-amz-signature", "x-amz-security-token"],
    load: () => import("./schemes/s3/index.ts"),
    fields: () => import("./schemes/s3/fields.ts"),
    example: () => import("./schemes/s3/example.ts"),
  },
  "s3/v2": {
    id: "s3/v2",
    secretParameters: ["signature", "x-amz-security-token"],
    load: () => import("./schemes/s3/v2/index.ts"),
    example: () => import("./schemes/s3/v2/example.ts"),
  },
  "s3/v2/header": {
    id: "s3/v2/header",
    secretParameters: ["authorization", "x-amz-security-token"],
    load: () => import("./schemes/s3/v2/header/index.ts"),
    example: () => import("./schemes/s3/v2/header/example.ts"),
  },
  "s3/header": {
    id: "s3/header",
    secretParameters: ["authorization", "x-amz-security-token"],
    load: () => import("./schemes/s3/header/index.ts"),
    example: () => import("./schemes/s3/header/example.ts"),
  },
  "s3/v4a": {
    id: "s3/v4a",
    secretParameters: ["x-amz-signature", "x-amz-security-token"],
    load: () => import("./schemes/s3/v4a/index.ts"),
    example: () => import("./schemes/s3/v4a/example.ts"),
  },
  "s3/express": {
    id: "s3/express",
    secretParameters: ["x-amz-signature", "x-amz-s3session-token"],
    load: () => import("./schemes/s3/express/index.ts"),
    example: () => import("./schemes/s3/express/example.ts"),
  },
  "s3/form": {
    id: "s3/form",
    secretParameters: ["policy", "x-amz-signature", "x-amz-security-token"],
    load: () => import("./schemes/s3/form/index.ts"),
    example: () => import("./schemes/s3/form/example.ts"),
  },
  "s3/form/v2": {
    id: "s3/form/v2",
    secretParameters: ["policy", "signature", "x-amz-security-token"],
    load: () => import("./schemes/s3/form/v2/index.ts"),
    example: () => import("./schemes/s3/form/v2/example.ts"),
  },
  azure: {
    id: "azure",
    secretParameters: ["sig"],
    load: () => import("./schemes/azure/index.ts"),
    fields: () => import("./schemes/azure/fields.ts"),
    example: () => import("./schemes/azure/example.ts"),
  },
  gcs: {
    id: "gcs",
    secretParameters: ["x-goog-signature"],
    load: () => import("./schemes/gcs/index.ts"),
    fields: () => import("./schemes/gcs/fields.ts"),
    example: () => import("./schemes/gcs/example.ts"),
  },
  "gcs/v2": {
    id: "gcs/v2",
    secretParameters: ["signature"],
    load: () => import("./schemes/gcs/v2/index.ts"),
    example: () => import("./schemes/gcs/v2/example.ts"),
  },
  "gcs/form": {
    id: "gcs/form",
    secretParameters: ["policy", "x-goog-signature"],
    load: () => import("./schemes/gcs/form/index.ts"),
    example: () => import("./schemes/gcs/form/example.ts"),
  },
  oss: {
    id: "oss",
    secretParameters: ["x-oss-signature", "x-oss-security-token"],
    load: () => import("./schemes/oss/index.ts"),
    fields: () => import("./schemes/oss/fields.ts"),
    example: () => import("./schemes/oss/example.ts"),
  },
  "oss/v1": {
    id: "oss/v1",
    secretParameters: ["signature", "security-token"],
    load: () => import("./schemes/oss/v1/index.ts"),
    example: () => import("./schemes/oss/v1/example.ts"),
  },
  cos: {
    id: "cos",
    secretParameters: ["q-signature", "x-cos-security-token"],
    load: () => import("./schemes/cos/index.ts"),
    fields: () => import("./schemes/cos/fields.ts"),
    example: () => import("./schemes/cos/example.ts"),
  },
  swift: {
    id: "swift",
    secretParameters: ["temp_url_sig"],
    load: () => import("./schemes/swift/index.ts"),
    fields: () => import("./schemes/swift/fields.ts"),
    example: () => import("./schemes/swift/example.ts"),
  },
  cloudfront: {
    id: "cloudfront",
    secretParameters: ["signature", "policy", "cloudfront-signature", "cloudfront-policy"],
    load: () => import("./schemes/cloudfront/index.ts"),
    fields: () => import("./schemes/cloudfront/fields.ts"),
    example: () => import("./schemes/cloudfront/example.ts"),
  },
  "uri-signing": {
    id: "uri-signing",
    secretParameters: ["urisigningpackage"],
    load: () => import("./schemes/uri-signing/index.ts"),
    fields: () => import("./schemes/uri-signing/fields.ts"),
    example: () => import("./schemes/uri-signing/example.ts"),
  },
  nginx: {
    id: "nginx",
    secretParameters: ["md5"],
    load: () => import("./schemes/nginx/index.ts"),
    fields: () => import("./schemes/nginx/fields.ts"),
    example: () => import("./schemes/nginx/example.ts"),
  },
  bunny: {
    id: "bunny",
    secretParameters: ["token"],
    load: () => import("./schemes/bunny/index.ts"),
    fields: () => import("./schemes/bunny/fields.ts"),
    example: () => import("./schemes/bunny/example.ts"),
  },
  akamai: {
    id: "akamai",
    secretParameters: ["__token__", "hdnts", "hdnea"],
    load: () => import("./schemes/akamai/index.ts"),
    fields: () => import("./schemes/akamai/fields.ts"),
    example: () => import("./schemes/akamai/example.ts"),
  },
  cloudflare: {
    id: "cloudflare",
    secretParameters: ["verify"],
    load: () => import("./schemes/cloudflare/index.ts"),
    fields: () => import("./schemes/cloudflare/fields.ts"),
    example: () => import("./schemes/cloudflare/example.ts"),
  },
  "cloud-cdn": {
    id: "cloud-cdn",
    secretParameters: ["signature", "cloud-cdn-cookie"],
    load: () => import("./schemes/cloud-cdn/index.ts"),
    fields: () => import("./schemes/cloud-cdn/fields.ts"),
    example: () => import("./schemes/cloud-cdn/example.ts"),
  },
  "media-cdn": {
    id: "media-cdn",
    secretParameters: ["signature", "edge-cache-cookie"],
    load: () => import("./schemes/media-cdn/index.ts"),
    fields: () => import("./schemes/media-cdn/fields.ts"),
    example: () => import("./schemes/media-cdn/example.ts"),
  },
  "media-cdn/token": {
    id: "media-cdn/token",
    secretParameters: ["edge-cache-token"],
    load: () => import("./schemes/media-cdn/token/index.ts"),
    fields: () => import("./schemes/media-cdn/token/fields.ts"),
    example: () => import("./schemes/media-cdn/token/example.ts"),
  },
  imgproxy: {
    id: "imgproxy",
    secretParameters: [],
    load: () => import("./schemes/imgproxy/index.ts"),
    fields: () => import("./schemes/imgproxy/fields.ts"),
    example: () => import("./schemes/imgproxy/example.ts"),
  },
  imgix: {
    id: "imgix",
    secretParameters: ["s"],
    load: () => import("./schemes/imgix/index.ts"),
    fields: () => import("./schemes/imgix/fields.ts"),
    example: () => import("./schemes/imgix/example.ts"),
  },
  fastly: {
    id: "fastly",
    secretParameters: ["token"],
    load: () => import("./schemes/fastly/index.ts"),
    fields: () => import("./schemes/fastly/fields.ts"),
    example: () => import("./schemes/fastly/example.ts"),
  },
  laravel: {
    id: "laravel",
    secretParameters: ["signature"],
    load: () => import("./schemes/laravel/index.ts"),
    fields: () => import("./schemes/laravel/fields.ts"),
    example: () => import("./schemes/laravel/example.ts"),
  },
  symfony: {
    id: "symfony",
    secretParameters: ["_hash"],
    load: () => import("./schemes/symfony/index.ts"),
    fields: () => import("./schemes/symfony/fields.ts"),
    example: () => import("./schemes/symfony/example.ts"),
  },
  url: {
    id: "url",
    secretParameters: ["dp-signature"],
    load: () => import("./schemes/url/index.ts"),
    fields: () => import("./schemes/url/fields.ts"),
    example: () => import("./schemes/url/example.ts"),
  },
};
