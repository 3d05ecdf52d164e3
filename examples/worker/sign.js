import { s3Signer } from "daypass/s3";
import { urlSigner } from "daypass/url";

/**
 * Signs a download from a bucket and a link to a route, in any runtime with `URL`, `atob` and `btoa`.
 * @param {{ accessKeyId: string, secretAccessKey: string, daypassKey: string }} secrets
 */
export function links({ accessKeyId, secretAccessKey, daypassKey }) {
  const s3 = s3Signer({ region: "eu-west-1", credentials: { accessKeyId, secretAccessKey } });
  const daypass = urlSigner({ key: { kty: "oct", alg: "HS256", kid: "k1", k: daypassKey } });
  return {
    object: s3.sign({ bucket: "media", key: "talks/keynote.mp4", expiresIn: 900 }).url,
    route: daypass.sign({ url: "https://api.example.com/invoices/7.pdf", expiresIn: 900 }).url,
  };
}
