import type { SplitUrl } from "./explainer.ts";
import type { BrowserUpload, Explanation } from "./explanation.ts";

/** Stands for the page's origin where nobody has told it. */
const SOME_PAGE = "https://app.example.com";
const MAX_AGE = 3600;

/** What a rule of any provider has to say. */
interface Rule {
  readonly origin: string;
  readonly methods: readonly string[];
  /** Request headers that a page may send. */
  readonly headers: readonly string[];
}

/** The rule in each provider's own form. None of them needs OPTIONS among the methods. */
const RULES: Readonly<Record<string, { readonly setBy: string; readonly rule: (rule: Rule) => unknown }>> = {
  s3: {
    setBy: "PutBucketCors (aws s3api put-bucket-cors --cors-configuration file://cors.json)",
    rule: ({ origin, methods, headers }) => ({
      CORSRules: [
        {
          AllowedOrigins: [origin],
          AllowedMethods: methods,
          AllowedHeaders: headers,
          ExposeHeaders: ["ETag"],
          MaxAgeSeconds: MAX_AGE,
        },
      ],
    }),
  },
  gcs: {
    setBy: "gcloud storage buckets update gs://BUCKET --cors-file=cors.json",
    // One list for what a page may send and what it may read.
    rule: ({ origin, methods, headers }) => [
      { origin: [origin], method: methods, responseHeader: [...headers, "etag"], maxAgeSeconds: MAX_AGE },
    ],
  },
  azure: {
    setBy: "the Blob service's properties (properties.cors of its ARM resource, or az storage cors add --services b)",
    rule: ({ origin, methods, headers }) => ({
      corsRules: [
        {
          allowedOrigins: [origin],
          allowedMethods: methods,
          allowedHeaders: headers,
          exposedHeaders: ["etag"],
          maxAgeInSeconds: MAX_AGE,
        },
      ],
    }),
  },
  oss: {
    setBy: "PutBucketCors (await client.putBucketCORS(bucket, rules) of ali-oss)",
    rule: ({ origin, methods, headers }) => [
      {
        allowedOrigin: [origin],
        allowedMethod: methods,
        allowedHeader: headers,
        exposeHeader: ["ETag"],
        maxAgeSeconds: MAX_AGE,
      },
    ],
  },
  cos: {
    setBy: "PutBucketCors (await cos.putBucketCors({ Bucket, Region, CORSRules }) of cos-nodejs-sdk-v5)",
    rule: ({ origin, methods, headers }) => ({
      CORSRules: [
        {
          AllowedOrigin: [origin],
          AllowedMethod: methods,
          AllowedHeader: headers,
          ExposeHeader: ["ETag"],
          MaxAgeSeconds: String(MAX_AGE),
        },
      ],
    }),
  },
  swift: {
    setBy: "the container's metadata (swift post CONTAINER -H 'NAME: VALUE' for each)",
    // Any method and any header will do where the origin does.
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

/** For servers whose rules have no form that is known here: what a preflight has to be answered with. */
const ANSWER = {
  setBy: "whatever answers OPTIONS for this URL",
  rule: ({ origin, methods, headers }: Rule): unknown => ({
    "access-control-allow-origin": origin,
    "access-control-allow-methods": methods.join(", "),
    "access-control-allow-headers": headers.join(", "),
    "access-control-max-age": String(MAX_AGE),
  }),
};

/**
 * What a page needs to upload with this URL; `undefined` where it is for no upload. A browser asks first (a preflight) for
 * every PUT, and the bucket answers from its rules alone: the signature does not help.
 *
 * Source: https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function browserUpload(
  { scheme, grants, mustSend }: Pick<Explanation, "scheme" | "grants" | "mustSend">,
  { url, method, origin = SOME_PAGE, isCors = false }: BrowserUploadOptions,
): BrowserUpload | undefined {
  const asked = method === undefined ? (isCors ? ["GET", "PUT"] : []) : [method];
  // A POST of Azure's asks a blob, and uploads nothing.
  const uploads = scheme === "azure" ? ["PUT"] : ["PUT", "POST"];
  const methods = (grants.methods ?? asked).filter((name) => isCors || uploads.includes(name));
  if (methods.length === 0) return undefined;
  // A browser sets these itself, and no page may.
  const signed = mustSend
    .map(({ name }) => name.toLowerCase())
    .filter((name) => !/^(?:content-length|host)$/.test(name));
  const headers = [...new Set(["content-type", ...signed])].sort();
  const { setBy, rule } = RULES[scheme.split("/", 1)[0] ?? ""] ?? ANSWER;
  return {
    contentSecurityPolicy: `connect-src ${url.protocol}://${url.authority}`,
    cors: rule({ origin, methods, headers }),
    corsIsSetBy: setBy,
  };
}

interface BrowserUploadOptions {
  readonly url: SplitUrl;
  /** What was sent, where the URL does not tell what was signed. */
  readonly method: string | undefined;
  /** Where the page comes from. */
  readonly origin: string | undefined;
  /** Whether a rule is missing: then a download needs one, too. */
  readonly isCors?: boolean | undefined;
}
