import { invalidInput } from "../core/errors.ts";
import type { Provider } from "../core/provider.ts";

/** Options for the signers of `daypass/s3` and its subpaths, to be spread into theirs. */
export interface Preset {
  /** The region for which the provider expects signatures. */
  readonly region: string;
  /** Scheme and host, and the port if it is not the default. */
  readonly endpoint: string;
  /** Where the bucket's name goes. */
  readonly addressing: "path" | "virtual";
  /** Its features: signers refuse those that it is known to lack. */
  readonly provider: Provider;
}

/** The region of a hosted provider, by its own name. */
export interface RegionOptions {
  readonly region: string;
}

/** A server of your own. */
export interface ServerOptions {
  /** Scheme, host and port that clients use, because these are signed. */
  readonly endpoint: string;
  /** Needed only if the server is configured for a region other than its default. */
  readonly region?: string | undefined;
}

/** Seven days, as with Amazon. */
export const SEVEN_DAYS = 604_800;

/** The endpoint of a server of your own, whose form the signer checks: without one it would sign for Amazon. Throws `INVALID_INPUT`. */
export function ownEndpoint(endpoint: string): string {
  if (typeof endpoint === "string") return endpoint;
  throw invalidInput("endpoint", "scheme://host[:port][/path]", endpoint);
}

/** A part of a host's name, so that no option can move the endpoint to another host. Throws `INVALID_INPUT`. */
export function label(option: string, value: string): string {
  // A variable that is not set is `undefined`, which an expression reads as a word.
  if (typeof value === "string" && /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(value)) return value;
  throw invalidInput(option, "lower-case letters, digits and hyphens", value);
}

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
