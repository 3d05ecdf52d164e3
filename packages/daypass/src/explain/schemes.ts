import type { SchemeId } from "../schemes/secret-parameters.ts";
import { azureExplainer } from "./azure/explainer.ts";
import { cloudfrontExplainer } from "./cloudfront/explainer.ts";
import { cosExplainer } from "./cos/explainer.ts";
import { imgproxyExplainer, laravelExplainer, nginxExplainer, symfonyExplainer } from "./edge/applications.ts";
import { akamaiExplainer, bunnyExplainer, cloudflareExplainer, fastlyExplainer, imgixExplainer } from "./edge/cdns.ts";
import { cloudCdnExplainer, mediaCdnExplainer, mediaCdnTokenExplainer } from "./edge/google.ts";
import { uriSigningExplainer } from "./edge/uri-signing.ts";
import type { Explainer } from "./explainer.ts";
import { gcsExplainer } from "./gcs/explainer.ts";
import { gcsV2Explainer } from "./gcs/v2.ts";
import { generalExplainer } from "./general.ts";
import { linkExplainer } from "./link.ts";
import { ossExplainer } from "./oss/explainer.ts";
import { ossV1Explainer } from "./oss/v1.ts";
import { s3Explainer, s3ExpressExplainer, s3V4aExplainer } from "./s3/explainer.ts";
import { s3V2Explainer } from "./s3/v2.ts";
import { swiftExplainer } from "./swift/explainer.ts";
import { urlExplainer } from "./url/explainer.ts";

/**
 * The explainers by scheme, in the order in which they are asked whether a URL is theirs. A scheme without an explainer has the general
 * explanation.
 */
const byScheme: Readonly<Partial<Record<SchemeId, Explainer>>> = {
  "s3/express": s3ExpressExplainer,
  s3: s3Explainer,
  "s3/v4a": s3V4aExplainer,
  "s3/v2": s3V2Explainer,
  gcs: gcsExplainer,
  "gcs/v2": gcsV2Explainer,
  azure: azureExplainer,
  oss: ossExplainer,
  "oss/v1": ossV1Explainer,
  cos: cosExplainer,
  swift: swiftExplainer,
  cloudfront: cloudfrontExplainer,
  url: urlExplainer,
  "uri-signing": uriSigningExplainer,
  nginx: nginxExplainer,
  bunny: bunnyExplainer,
  akamai: akamaiExplainer,
  "media-cdn/token": mediaCdnTokenExplainer,
  cloudflare: cloudflareExplainer,
  // Before Media CDN, whose signatures are longer.
  "cloud-cdn": cloudCdnExplainer,
  "media-cdn": mediaCdnExplainer,
  fastly: fastlyExplainer,
  symfony: symfonyExplainer,
  laravel: laravelExplainer,
  imgix: imgixExplainer,
  imgproxy: imgproxyExplainer,
};

export const explainers: readonly Explainer[] = [...Object.values(byScheme), linkExplainer];

/** For the others. */
export const general: Explainer = generalExplainer(Object.keys(byScheme));
