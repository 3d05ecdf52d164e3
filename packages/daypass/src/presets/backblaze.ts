import type { Provider } from "../core/provider.ts";
import { label, type Preset, type RegionOptions, SEVEN_DAYS } from "./preset.ts";

const B2: Provider = {
  name: "Backblaze B2",
  maxExpiresIn: SEVEN_DAYS,
  supports: { forms: false, sigv2: false, sigv4a: false, virtual: true, path: true },
  notes: [
    "An account is in a single region: see the bucket's endpoint.",
    "HTTPS only.",
    "The master application key does not work with the S3 API: create another one.",
  ],
  sources: [
    "https://www.backblaze.com/docs/cloud-storage-call-the-s3-compatible-api",
    "https://www.backblaze.com/apidocs/introduction-to-the-s3-compatible-api",
  ],
};

/**
 * Backblaze B2, whose regions are named like `us-east-005`: see the bucket's endpoint.
 *
 * Source: https://www.backblaze.com/docs/cloud-storage-call-the-s3-compatible-api
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { b2 } from "daypass/presets";
 * import { s3Signer } from "daypass/s3";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const s3 = s3Signer({ ...b2({ region: "us-east-005" }), credentials });
 * s3.sign({ bucket: "media", key: "a.png", expiresIn: 900 }).url; // https://s3.us-east-005.backblazeb2.com/media/a.png?…
 * ```
 */
export function b2({ region }: RegionOptions): Preset {
  const name = label("region", region);
  return { region: name, endpoint: `https://s3.${name}.backblazeb2.com`, addressing: "path", provider: B2 };
}
