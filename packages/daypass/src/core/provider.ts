import { invalidInput } from "./errors.ts";

/** Features of S3 that not every compatible provider has. */
export type ProviderFeature =
  /** Upload forms with a POST policy. */
  | "forms"
  /** `${filename}` in the key of a form, which forms for a prefix also need. */
  | "filename"
  | "sigv2"
  | "sigv4a"
  /** The bucket's name before the host. */
  | "virtual"
  /** The bucket's name before the key. */
  | "path"
  /** Presigned URLs on a custom domain. */
  | "custom-domains";

/** What is known about a provider. */
export interface Provider {
  readonly name: string;
  /** Longest lifetime of a presigned URL in seconds. SigV4 signers allow at most 604800. */
  readonly maxExpiresIn: number;
  /** `true`: documented, or shown by a test or by its source. `false`: missing. Absent: not documented. */
  readonly supports: Readonly<Partial<Record<ProviderFeature, boolean>>>;
  /** Other things to know. */
  readonly notes: readonly string[];
  /** URLs of the sources. */
  readonly sources: readonly string[];
}

/** Refuses with `INVALID_INPUT` what the provider is known to refuse. */
export function requireFeature(provider: Provider | undefined, feature: ProviderFeature): void {
  if (provider?.supports[feature] === false) {
    throw invalidInput("provider", `a provider with ${feature}`, provider.name);
  }
}
