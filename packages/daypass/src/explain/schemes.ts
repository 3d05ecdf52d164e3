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
import { ossExplainer } from "./oss/explainer.ts";
import { ossV1Explainer } from "./oss/v1.ts";
import { s3Explainer, s3ExpressExplainer, s3V4aExplainer } from "./s3/explainer.ts";
import { s3V2Explainer } from "./s3/v2.ts";
import { swiftExplainer } from "./swift/explainer.ts";
import { urlExplainer } from "./url/explainer.ts";

/** The one list of schemes: a new one adds its line here. */
export const explainers: readonly Explainer[] = [
  s3ExpressExplainer,
  s3Explainer,
  s3V4aExplainer,
  s3V2Explainer,
  gcsExplainer,
  gcsV2Explainer,
  azureExplainer,
  ossExplainer,
  ossV1Explainer,
  cosExplainer,
  swiftExplainer,
  cloudfrontExplainer,
  urlExplainer,
  uriSigningExplainer,
  nginxExplainer,
  bunnyExplainer,
  akamaiExplainer,
  mediaCdnTokenExplainer,
  cloudflareExplainer,
  // Before Media CDN, whose signatures are longer.
  cloudCdnExplainer,
  mediaCdnExplainer,
  fastlyExplainer,
  symfonyExplainer,
  laravelExplainer,
  imgixExplainer,
  imgproxyExplainer,
];
