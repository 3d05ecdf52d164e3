import { akamaiExplainer } from "./akamai.ts";
import { azureExplainer } from "./azure.ts";
import { bunnyExplainer } from "./bunny.ts";
import { cloudCdnExplainer } from "./cloud-cdn.ts";
import { cloudflareExplainer } from "./cloudflare.ts";
import { cloudfrontExplainer } from "./cloudfront.ts";
import { cosExplainer } from "./cos.ts";
import type { Explainer } from "./explainer.ts";
import { fastlyExplainer } from "./fastly.ts";
import { gcsExplainer } from "./gcs.ts";
import { gcsV2Explainer } from "./gcs-v2.ts";
import { imgixExplainer } from "./imgix.ts";
import { imgproxyExplainer } from "./imgproxy.ts";
import { laravelExplainer } from "./laravel.ts";
import { mediaCdnExplainer } from "./media-cdn.ts";
import { mediaCdnTokenExplainer } from "./media-cdn-token.ts";
import { nginxExplainer } from "./nginx.ts";
import { ossExplainer } from "./oss.ts";
import { ossV1Explainer } from "./oss-v1.ts";
import { s3Explainer } from "./s3.ts";
import { s3ExpressExplainer } from "./s3-express.ts";
import { s3V2Explainer } from "./s3-v2.ts";
import { s3V4aExplainer } from "./s3-v4a.ts";
import { swiftExplainer } from "./swift.ts";
import { symfonyExplainer } from "./symfony.ts";
import { uriSigningExplainer } from "./uri-signing.ts";
import { urlExplainer } from "./url.ts";

/** The one list of schemes: a new one adds its line here. */
export const explainers: readonly Explainer[] = [
  // Before SigV4, which its URLs are, too.
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
