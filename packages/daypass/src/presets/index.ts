/**
 * S3-compatible providers: their endpoints, their signing regions, and the features that they lack. Each preset returns
 * options to spread into the options of `s3Signer`, `s3V2Signer`, `s3FormSigner` or `s3FormV2Signer`, which then refuse what the
 * provider is known to refuse.
 *
 * @module
 */
export type { Provider, ProviderFeature } from "../core/provider.ts";
export {
  b2,
  hetzner,
  ovh,
  type R2Options,
  r2,
  type SupabaseOptions,
  scaleway,
  spaces,
  supabase,
  tigris,
  wasabi,
} from "./hosted.ts";
export { ceph, garage, minio, type Preset, type RegionOptions, type ServerOptions } from "./servers.ts";
