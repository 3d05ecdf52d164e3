import { invalidInput } from "../core/errors.ts";
import type { Provider } from "../core/provider.ts";
import { label, type Preset, type RegionOptions, SEVEN_DAYS } from "./servers.ts";

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

const R2: Provider = {
  name: "Cloudflare R2",
  maxExpiresIn: SEVEN_DAYS,
  supports: { forms: false, sigv2: false, sigv4a: false, virtual: true, path: true, "custom-domains": false },
  notes: [
    "Only GET, HEAD, PUT and DELETE can be presigned. To limit the length, sign an exact bind.contentLength.",
    "A bucket in a jurisdiction can only be accessed through the jurisdiction's endpoint.",
  ],
  sources: [
    "https://developers.cloudflare.com/r2/api/s3/presigned-urls/",
    "https://developers.cloudflare.com/r2/reference/data-location/",
  ],
};

/** Options of {@link r2}. */
export interface R2Options {
  /** 32 hexadecimal digits, as the dashboard shows them. */
  readonly accountId: string;
  /** The bucket's jurisdiction, if it has one. */
  readonly jurisdiction?: "eu" | "fedramp" | undefined;
}

/**
 * Cloudflare R2, whose only region is `auto`. It has no upload forms: `s3FormSigner` refuses the preset.
 *
 * Source: https://developers.cloudflare.com/r2/api/s3/presigned-urls/
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { r2 } from "daypass/presets";
 * import { s3Signer } from "daypass/s3";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const s3 = s3Signer({ ...r2({ accountId: "0123456789abcdef0123456789abcdef" }), credentials });
 * s3.sign({ bucket: "media", key: "a.png", expiresIn: 900 }).url; // https://0123….r2.cloudflarestorage.com/media/a.png?…
 * ```
 */
export function r2({ accountId, jurisdiction }: R2Options): Preset {
  if (!["eu", "fedramp", undefined].includes(jurisdiction)) {
    throw invalidInput("jurisdiction", '"eu" or "fedramp"', jurisdiction);
  }
  const account = label("accountId", accountId);
  const host = jurisdiction === undefined ? account : `${account}.${jurisdiction}`;
  return { region: "auto", endpoint: `https://${host}.r2.cloudflarestorage.com`, addressing: "path", provider: R2 };
}

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

const SUPABASE: Provider = {
  name: "Supabase Storage",
  maxExpiresIn: SEVEN_DAYS,
  supports: { forms: true, filename: false, sigv2: false, sigv4a: false, virtual: false, path: true },
  notes: [
    "The S3 protocol must be enabled in the project's settings.",
    "No versioning.",
    "A form has at most 20 fields, and its key is used literally.",
  ],
  sources: [
    "https://supabase.com/docs/guides/storage/s3/compatibility",
    "https://github.com/supabase/storage/blob/master/src/http/routes/s3/commands/put-object.ts",
  ],
};

/** Options of {@link supabase}. */
export interface SupabaseOptions extends RegionOptions {
  /** The project's reference, as in `https://<project>.supabase.co`. */
  readonly project: string;
}

/**
 * Supabase Storage by its S3 protocol, in the region of the project.
 *
 * Source: https://supabase.com/docs/guides/storage/s3/authentication
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { supabase } from "daypass/presets";
 * import { s3Signer } from "daypass/s3";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const s3 = s3Signer({ ...supabase({ project: "abcdefghijklmnopqrst", region: "eu-central-1" }), credentials });
 * export const { url } = s3.sign({ bucket: "media", key: "a.png", expiresIn: 900 });
 * ```
 */
export function supabase({ project, region }: SupabaseOptions): Preset {
  const endpoint = `https://${label("project", project)}.storage.supabase.co/storage/v1/s3`;
  return { region: label("region", region), endpoint, addressing: "path", provider: SUPABASE };
}

const TIGRIS: Provider = {
  name: "Tigris",
  maxExpiresIn: 90 * 86_400,
  supports: { forms: true, sigv2: false, sigv4a: false, virtual: true, path: true, "custom-domains": true },
  notes: ["Objects support only the ACLs public-read and private."],
  sources: [
    "https://www.tigrisdata.com/docs/objects/presigned/",
    "https://www.tigrisdata.com/docs/objects/upload-via-html-form/",
  ],
};

/**
 * Tigris, whose only region is `auto`. It accepts URLs valid for 90 days; the signer allows seven, the maximum of SigV4.
 *
 * Source: https://www.tigrisdata.com/docs/objects/presigned/
 *
 * @example
 * ```ts
 * import { tigris } from "daypass/presets";
 * import { s3Signer } from "daypass/s3";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const s3 = s3Signer({ ...tigris(), credentials });
 * s3.sign({ bucket: "media", key: "a.png", expiresIn: 900 }).url; // https://media.t3.storage.dev/a.png?…
 * ```
 */
export function tigris(): Preset {
  return { region: "auto", endpoint: "https://t3.storage.dev", addressing: "virtual", provider: TIGRIS };
}

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
