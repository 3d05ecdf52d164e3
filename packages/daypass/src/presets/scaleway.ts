import type { Provider } from "../core/provider.ts";
import { label, type Preset, type RegionOptions, SEVEN_DAYS } from "./preset.ts";

const SCALEWAY: Provider = {
  name: "Scaleway Object Storage",
  maxExpiresIn: SEVEN_DAYS,
  supports: { forms: true, filename: true, virtual: true, path: true },
  notes: ["A bucket with a dot in its name needs path style."],
  sources: [
    "https://www.scaleway.com/en/docs/object-storage/api-cli/using-api-call-list/",
    "https://www.scaleway.com/en/docs/object-storage/api-cli/post-object/",
  ],
};

/**
 * Scaleway Object Storage in `fr-par`, `nl-ams` or `pl-waw`.
 *
 * Source: https://www.scaleway.com/en/docs/object-storage/api-cli/using-api-call-list/
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { scaleway } from "daypass/presets";
 * import { s3Signer } from "daypass/s3";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const s3 = s3Signer({ ...scaleway({ region: "fr-par" }), credentials });
 * s3.sign({ bucket: "media", key: "a.png", expiresIn: 900 }).url; // https://s3.fr-par.scw.cloud/media/a.png?…
 * ```
 */
export function scaleway({ region }: RegionOptions): Preset {
  const name = label("region", region);
  return { region: name, endpoint: `https://s3.${name}.scw.cloud`, addressing: "path", provider: SCALEWAY };
}
