import type { Provider } from "../core/provider.ts";
import { label, type Preset, type RegionOptions, SEVEN_DAYS } from "./preset.ts";

const WASABI: Provider = {
  name: "Wasabi",
  maxExpiresIn: SEVEN_DAYS,
  supports: { sigv2: true, virtual: true, path: true },
  notes: ["Path style is recommended."],
  sources: [
    "https://docs.wasabi.com/docs/rest-api-introduction",
    "https://docs.wasabi.com/docs/how-do-i-generate-pre-signed-urls-for-temporary-access-with-wasabi",
  ],
};

/**
 * Wasabi, whose regions are named like `eu-central-1`.
 *
 * Source: https://docs.wasabi.com/docs/rest-api-introduction
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { wasabi } from "daypass/presets";
 * import { s3Signer } from "daypass/s3";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const s3 = s3Signer({ ...wasabi({ region: "eu-central-1" }), credentials });
 * s3.sign({ bucket: "media", key: "a.png", expiresIn: 900 }).url; // https://s3.eu-central-1.wasabisys.com/media/a.png?…
 * ```
 */
export function wasabi({ region }: RegionOptions): Preset {
  const name = label("region", region);
  return { region: name, endpoint: `https://s3.${name}.wasabisys.com`, addressing: "path", provider: WASABI };
}
