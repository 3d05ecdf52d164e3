/**
 * S3-compatible providers: their endpoints, their signing regions, and the features that they lack. Each preset returns
 * options to spread into the options of `s3Signer`, `s3V2Signer`, `s3FormSigner` or `s3FormV2Signer`, which then refuse what the
 * provider is known to refuse.
 *
 * @module
 */
export type { Provider, ProviderFeature } from "../core/provider.ts";
export { b2 } from "./backblaze.ts";
export { ceph } from "./ceph.ts";
export { type R2Options, r2 } from "./cloudflare.ts";
export { spaces } from "./digitalocean.ts";
export { garage } from "./garage.ts";
export { hetzner } from "./hetzner.ts";
export { minio } from "./minio.ts";
export { ovh } from "./ovhcloud.ts";
export type { Preset, RegionOptions, ServerOptions } from "./preset.ts";
export { scaleway } from "./scaleway.ts";
export { type SupabaseOptions, supabase } from "./supabase.ts";
export { tigris } from "./tigris.ts";
export { wasabi } from "./wasabi.ts";
