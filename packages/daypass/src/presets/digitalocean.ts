import type { Provider } from "../core/provider.ts";
import { label, type Preset, type RegionOptions, SEVEN_DAYS } from "./preset.ts";

const SPACES: Provider = {
  name: "DigitalOcean Spaces",
  maxExpiresIn: SEVEN_DAYS,
  supports: { sigv2: true, virtual: true, path: true },
  notes: [
    "No session tokens: there is no STS.",
    "Refused the checksums that AWS SDKs have added to uploads since January 2025. Daypass adds none.",
  ],
  sources: [
    "https://docs.digitalocean.com/products/spaces/reference/s3-compatibility/",
    "https://docs.digitalocean.com/reference/api/spaces-api/",
  ],
};

/**
 * DigitalOcean Spaces, whose regions are named like `nyc3`. Not for the CDN's hosts, because their name is not the
 * signed one.
 *
 * Source: https://docs.digitalocean.com/products/spaces/reference/s3-compatibility/
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { spaces } from "daypass/presets";
 * import { s3Signer } from "daypass/s3";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const s3 = s3Signer({ ...spaces({ region: "nyc3" }), credentials });
 * s3.sign({ bucket: "media", key: "a.png", expiresIn: 900 }).url; // https://nyc3.digitaloceanspaces.com/media/a.png?…
 * ```
 */
export function spaces({ region }: RegionOptions): Preset {
  const name = label("region", region);
  return { region: name, endpoint: `https://${name}.digitaloceanspaces.com`, addressing: "path", provider: SPACES };
}
