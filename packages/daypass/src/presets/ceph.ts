import type { Provider } from "../core/provider.ts";
import { ownEndpoint, type Preset, SEVEN_DAYS, type ServerOptions } from "./preset.ts";

const CEPH: Provider = {
  name: "Ceph Object Gateway",
  maxExpiresIn: SEVEN_DAYS,
  supports: { forms: true, filename: true, sigv2: true, sigv4a: false, virtual: true, path: true },
  notes: [
    "Virtual-host style needs rgw_dns_name.",
    "Misreads surrogate escapes in a policy (characters above U+FFFF): Daypass writes such characters as UTF-8.",
  ],
  sources: [
    "https://docs.ceph.com/en/latest/radosgw/s3/",
    "https://docs.ceph.com/en/latest/radosgw/s3/authentication/",
  ],
};

/**
 * Your own Ceph Object Gateway (radosgw). It accepts any region.
 *
 * Source: https://docs.ceph.com/en/latest/radosgw/s3/
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { ceph } from "daypass/presets";
 * import { s3Signer } from "daypass/s3";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const s3 = s3Signer({ ...ceph({ endpoint: "https://files.example.com" }), credentials });
 * s3.sign({ bucket: "media", key: "a.png", expiresIn: 900 }).url; // https://files.example.com/media/a.png?…
 * ```
 */
export function ceph({ endpoint, region = "us-east-1" }: ServerOptions): Preset {
  return { region, endpoint: ownEndpoint(endpoint), addressing: "path", provider: CEPH };
}
