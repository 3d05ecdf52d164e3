import type { Provider } from "../core/provider.ts";
import { ownEndpoint, type Preset, SEVEN_DAYS, type ServerOptions } from "./preset.ts";

const GARAGE: Provider = {
  name: "Garage",
  maxExpiresIn: SEVEN_DAYS,
  supports: { forms: true, filename: true, sigv2: false, sigv4a: false, virtual: true, path: true },
  notes: ["Virtual-host style needs root_domain.", "No versioning and no ACLs."],
  sources: [
    "https://garagehq.deuxfleurs.fr/documentation/reference-manual/s3-compatibility/",
    "https://garagehq.deuxfleurs.fr/documentation/reference-manual/configuration/",
  ],
};

/**
 * Your own Garage server; the default region comes from its example configuration (`s3_region`).
 *
 * Source: https://garagehq.deuxfleurs.fr/documentation/reference-manual/s3-compatibility/
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { garage } from "daypass/presets";
 * import { s3Signer } from "daypass/s3";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const s3 = s3Signer({ ...garage({ endpoint: "https://files.example.com" }), credentials });
 * s3.sign({ bucket: "media", key: "a.png", expiresIn: 900 }).url; // https://files.example.com/media/a.png?…
 * ```
 */
export function garage({ endpoint, region = "garage" }: ServerOptions): Preset {
  return { region, endpoint: ownEndpoint(endpoint), addressing: "path", provider: GARAGE };
}
