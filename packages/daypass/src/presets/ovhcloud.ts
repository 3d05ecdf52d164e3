import type { Provider } from "../core/provider.ts";
import { label, type Preset, type RegionOptions, SEVEN_DAYS } from "./preset.ts";

const OVH: Provider = {
  name: "OVHcloud Object Storage",
  maxExpiresIn: SEVEN_DAYS,
  supports: {},
  notes: ["The older endpoints s3.<region>.perf.cloud.ovh.net do not support lifecycle rules."],
  sources: [
    "https://www.mintlify.com/ovh/docs/storage/object-storage",
    "https://help.ovhcloud.com/csm/en-ie-public-cloud-storage-s3-faq?id=kb_article_view&sysparm_article=KB0059678",
  ],
};

/**
 * OVHcloud Object Storage, whose regions are named like `gra`, in lower case.
 *
 * Source: https://www.mintlify.com/ovh/docs/storage/object-storage
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { ovh } from "daypass/presets";
 * import { s3Signer } from "daypass/s3";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const s3 = s3Signer({ ...ovh({ region: "gra" }), credentials });
 * s3.sign({ bucket: "media", key: "a.png", expiresIn: 900 }).url; // https://s3.gra.io.cloud.ovh.net/media/a.png?…
 * ```
 */
export function ovh({ region }: RegionOptions): Preset {
  const name = label("region", region);
  return { region: name, endpoint: `https://s3.${name}.io.cloud.ovh.net`, addressing: "path", provider: OVH };
}
