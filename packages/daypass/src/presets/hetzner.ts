import type { Provider } from "../core/provider.ts";
import { label, type Preset, type RegionOptions, SEVEN_DAYS } from "./preset.ts";

const HETZNER: Provider = {
  name: "Hetzner Object Storage",
  maxExpiresIn: SEVEN_DAYS,
  supports: { "custom-domains": false },
  notes: ["SSE-C is the only encryption.", "CopyObject can fail even between buckets in the same location."],
  sources: [
    "https://docs.hetzner.com/storage/object-storage/supported-actions/",
    "https://docs.hetzner.com/storage/object-storage/",
  ],
};

/**
 * Hetzner Object Storage in `fsn1`, `nbg1` or `hel1`.
 *
 * Source: https://docs.hetzner.com/storage/object-storage/supported-actions/
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { hetzner } from "daypass/presets";
 * import { s3Signer } from "daypass/s3";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const s3 = s3Signer({ ...hetzner({ region: "fsn1" }), credentials });
 * s3.sign({ bucket: "media", key: "a.png", expiresIn: 900 }).url; // https://fsn1.your-objectstorage.com/media/a.png?…
 * ```
 */
export function hetzner({ region }: RegionOptions): Preset {
  const name = label("region", region);
  return { region: name, endpoint: `https://${name}.your-objectstorage.com`, addressing: "path", provider: HETZNER };
}
