import { invalidInput } from "../core/errors.ts";
import type { Provider } from "../core/provider.ts";
import { label, type Preset, SEVEN_DAYS } from "./preset.ts";

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
