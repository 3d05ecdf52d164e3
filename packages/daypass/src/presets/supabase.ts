import type { Provider } from "../core/provider.ts";
import { label, type Preset, type RegionOptions, SEVEN_DAYS } from "./preset.ts";

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
