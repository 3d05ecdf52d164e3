import type { Provider } from "../core/provider.ts";
import { ownEndpoint, type Preset, SEVEN_DAYS, type ServerOptions } from "./preset.ts";

const MINIO: Provider = {
  name: "MinIO",
  maxExpiresIn: SEVEN_DAYS,
  supports: { forms: true, filename: true, sigv2: true, sigv4a: false, virtual: true, path: true },
  notes: [
    "Virtual-host style needs MINIO_DOMAIN.",
    "Sign for the host name that clients use: MinIO verifies against the Host header that it receives.",
  ],
  sources: [
    "https://github.com/minio/minio/blob/master/cmd/auth-handler.go",
    "https://github.com/minio/minio/blob/master/cmd/bucket-handlers.go",
  ],
};

/**
 * Your own MinIO server; the default region is MinIO's own default.
 *
 * Source: https://github.com/minio/minio/blob/master/cmd/auth-handler.go
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { minio } from "daypass/presets";
 * import { s3Signer } from "daypass/s3";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const s3 = s3Signer({ ...minio({ endpoint: "https://files.example.com" }), credentials });
 * s3.sign({ bucket: "media", key: "a.png", expiresIn: 900 }).url; // https://files.example.com/media/a.png?…
 * ```
 */
export function minio({ endpoint, region = "us-east-1" }: ServerOptions): Preset {
  return { region, endpoint: ownEndpoint(endpoint), addressing: "path", provider: MINIO };
}
