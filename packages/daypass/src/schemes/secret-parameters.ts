/**
 * The identifiers of all schemes, each with the parameters, form fields and cookies that hold a signature or a session token, in lower case.
 * A name that many URLs have is followed by the form of its value: `s=[0-9a-f]{32}$`. A separate table, so that redaction loads no scheme.
 */
export const secretParameters = {
  s3: ["x-amz-signature", "x-amz-security-token"],
  "s3/v2": ["signature", "x-amz-security-token"],
  "s3/v2/header": ["authorization", "x-amz-security-token"],
  "s3/header": ["authorization", "x-amz-security-token"],
  "s3/v4a": ["x-amz-signature", "x-amz-security-token"],
  "s3/express": ["x-amz-signature", "x-amz-s3session-token"],
  "s3/form": ["policy", "x-amz-signature", "x-amz-security-token"],
  "s3/form/v2": ["policy", "signature", "x-amz-security-token"],
  azure: ["sig"],
  gcs: ["x-goog-signature"],
  "gcs/v2": ["signature"],
  "gcs/form": ["policy", "x-goog-signature"],
  oss: ["x-oss-signature", "x-oss-security-token"],
  "oss/v1": ["signature", "security-token"],
  cos: ["q-signature", "x-cos-security-token"],
  swift: ["temp_url_sig"],
  cloudfront: ["signature", "policy", "cloudfront-signature", "cloudfront-policy"],
  "uri-signing": ["urisigningpackage"],
  nginx: ["md5=[A-Za-z0-9_-]{22}"],
  bunny: ["token"],
  akamai: ["__token__", "hdnts", "hdnea"],
  cloudflare: ["verify=\\d{10}-"],
  "cloud-cdn": ["signature", "cloud-cdn-cookie"],
  "media-cdn": ["signature", "edge-cache-cookie"],
  "media-cdn/token": ["edge-cache-token"],
  imgproxy: [],
  imgix: ["s=[0-9a-f]{32}$"],
  fastly: ["token"],
  laravel: ["signature"],
  symfony: ["_hash"],
  url: ["dp-signature"],
} as const;

/** The identifier of a scheme: the `scheme` of its grants, and its subpath. */
export type SchemeId = keyof typeof secretParameters;
