import { invalidInput } from "./errors.ts";

/** What S3 has and not every compatible does. */
export type ProviderFeature =
  /** Upload forms with a POST policy. */
  | "forms"
  /** `${filename}` in the key of a form, and with it forms for a prefix. */
  | "filename"
  | "sigv2"
  | "sigv4a"
  /** The bucket's name in front of the host. */
  | "virtual"
  /** The bucket's name in front of the key. */
  | "path"
  /** Presigned URLs under a domain of one's own. */
  | "custom-domains";

/** What is known of a provider. */
export interface Provider {
  readonly name: string;
  /** Longest life of a presigned URL in seconds. The signers of SigV4 go no further than 604800. */
  readonly maxExpiresIn: number;
  /** `true`: documented, or shown by a test or by its source. `false`: missing. Not there: not documented. */
  readonly supports: Readonly<Partial<Record<ProviderFeature, boolean>>>;
  /** What else to know. */
  readonly notes: readonly string[];
  /** Where it says so. */
  readonly sources: readonly string[];
}

/** Refuses with `INVALID_INPUT` what the provider is known to refuse. */
export function requireFeature(provider: Provider | undefined, feature: ProviderFeature): void {
  if (provider?.supports[feature] === false) {
    throw invalidInput("provider", `one that has ${feature}`, provider.name);
  }
}
