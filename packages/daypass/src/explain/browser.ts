import type { SplitUrl } from "./explainer.ts";
import type { BrowserUpload, Explanation } from "./explanation.ts";

/** Stands for the page's origin if the caller does not name it. */
const SOME_PAGE = "https://app.example.com";
const MAX_AGE = 3600;

interface Rule {
  readonly origin: string;
  readonly methods: readonly string[];
  /** Request headers that a page may send. */
  readonly headers: readonly string[];
}

/** A CORS rule in a provider's own format. */
interface Format {
  readonly setBy: string;
  readonly rule: (rule: Rule) => unknown;
}

/** A rule with five members, in the order: origins, methods, request headers, response headers, seconds. */
function members(names: readonly [string, string, string, string, string], etag = "ETag") {
  return ({ origin, methods, headers }: Rule): unknown => {
    const values = [[origin], methods, headers, [etag], MAX_AGE];
    return Object.fromEntries(names.map((name, i) => [name, values[i]]));
  };
}

const S3_RULE = members(["AllowedOrigins", "AllowedMethods", "AllowedHeaders", "ExposeHeaders", "MaxAgeSeconds"]);
const AZURE_RULE = members(
  ["allowedOrigins", "allowedMethods", "allowedHeaders", "exposedHeaders", "maxAgeInSeconds"],
  "etag",
);
const OSS_RULE = members(["allowedOrigin", "allowedMethod", "allowedHeader", "exposeHeader", "maxAgeSeconds"]);
const COS_RULE = members(["AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader", "MaxAgeSeconds"]);

/** By the first part of the scheme. No provider needs OPTIONS among the methods. */
const FORMATS: Readonly<Record<string, Format>> = {
  s3: {
    setBy: "PutBucketCors (aws s3api put-bucket-cors --cors-configuration file://cors.json)",
    rule: (rule) => ({ CORSRules: [S3_RULE(rule)] }),
  },
  gcs: {
    setBy: "gcloud storage buckets update gs://BUCKET --cors-file=cors.json",
    // One list for the headers that a page may send and those that it may read.
    rule: ({ origin, methods, headers }) => [
      { origin: [origin], method: methods, responseHeader: [...headers, "etag"], maxAgeSeconds: MAX_AGE },
    ],
  },
  azure: {
    setBy: "the Blob service's properties (properties.cors of its ARM resource, or az storage cors add --services b)",
    rule: (rule) => ({ corsRules: [AZURE_RULE(rule)] }),
  },
  oss: {
    setBy: "PutBucketCors (await client.putBucketCORS(bucket, rules) of ali-oss)",
    rule: (rule) => [OSS_RULE(rule)],
  },
  cos: {
    setBy: "PutBucketCors (await cos.putBucketCors({ Bucket, Region, CORSRules }) of cos-nodejs-sdk-v5)",
    rule: (rule) => ({ CORSRules: [{ ...Object(COS_RULE(rule)), MaxAgeSeconds: String(MAX_AGE) }] }),
  },
  swift: {
    setBy: "the container's metadata (swift post CONTAINER -H 'NAME: VALUE' for each)",
    // Swift allows every method and header for an allowed origin.
    rule: ({ origin }) => ({
      "X-Container-Meta-Access-Control-Allow-Origin": origin,
      "X-Container-Meta-Access-Control-Expose-Headers": "etag",
      "X-Container-Meta-Access-Control-Max-Age": String(MAX_AGE),
    }),
  },
  url: {
    setBy: "the configuration of the gateway (daypass serve --config), or the same in the server of the route",
    rule: ({ origin, methods, headers }) => ({ cors: { origins: [origin], methods, headers, maxAge: MAX_AGE } }),
  },
};

/** For other servers: the response that a preflight needs. */
const PREFLIGHT: Format = {
  setBy: "whatever answers OPTIONS for this URL",
  rule: ({ origin, methods, headers }) => ({
    "access-control-allow-origin": origin,
    "access-control-allow-methods": methods.join(", "),
    "access-control-allow-headers": headers.join(", "),
    "access-control-max-age": String(MAX_AGE),
  }),
};

/**
 * The policy and CORS rule that a page needs to upload with this URL; `undefined` if the URL is for no upload. A browser sends
 * a preflight before every PUT, and the bucket answers it from its rules alone: the signature does not help.
 *
 * Source: https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function browserUpload(
  { scheme, grants, mustSend }: Pick<Explanation, "scheme" | "grants" | "mustSend">,
  { url, method, origin = SOME_PAGE, isCors = false }: BrowserUploadOptions,
): BrowserUpload | undefined {
  const asked = method === undefined ? (isCors ? ["GET", "PUT"] : []) : [method];
  // Azure has no upload by POST.
  const uploads = scheme === "azure" ? ["PUT"] : ["PUT", "POST"];
  const methods = (grants.methods ?? asked).filter((name) => isCors || uploads.includes(name));
  if (methods.length === 0) return undefined;
  // Only the browser sets these.
  const signed = mustSend
    .map(({ name }) => name.toLowerCase())
    .filter((name) => !/^(?:content-length|host)$/.test(name));
  const headers = [...new Set(["content-type", ...signed])].sort();
  const { setBy, rule } = FORMATS[scheme.split("/", 1)[0] ?? ""] ?? PREFLIGHT;
  return {
    contentSecurityPolicy: `connect-src ${url.protocol}://${url.authority}`,
    cors: rule({ origin, methods, headers }),
    corsIsSetBy: setBy,
  };
}

interface BrowserUploadOptions {
  readonly url: SplitUrl;
  /** The sent method, for a URL that does not state the signed one. */
  readonly method: string | undefined;
  /** The page's origin. */
  readonly origin: string | undefined;
  /** Whether a CORS rule is missing: a download needs one, too. */
  readonly isCors?: boolean | undefined;
}
