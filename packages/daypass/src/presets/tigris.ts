import type { Provider } from "../core/provider.ts";
import type { Preset } from "./preset.ts";

const TIGRIS: Provider = {
  name: "Tigris",
  maxExpiresIn: 90 * 86_400,
  supports: { forms: true, sigv2: false, sigv4a: false, virtual: true, path: true, "custom-domains": true },
  notes: ["Objects support only the ACLs public-read and private."],
  sources: [
    "https://www.tigrisdata.com/docs/objects/presigned/",
    "https://www.tigrisdata.com/docs/objects/upload-via-html-form/",
  ],
};

/**
 * Tigris, whose only region is `auto`. It accepts URLs valid for 90 days; the signer allows seven, the maximum of SigV4.
 *
 * Source: https://www.tigrisdata.com/docs/objects/presigned/
 *
 * @example
 * ```ts
 * import { tigris } from "daypass/presets";
 * import { s3Signer } from "daypass/s3";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const s3 = s3Signer({ ...tigris(), credentials });
 * s3.sign({ bucket: "media", key: "a.png", expiresIn: 900 }).url; // https://media.t3.storage.dev/a.png?…
 * ```
 */
export function tigris(): Preset {
  return { region: "auto", endpoint: "https://t3.storage.dev", addressing: "virtual", provider: TIGRIS };
}
