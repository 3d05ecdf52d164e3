import { isDaypassError } from "daypass";
import { s3Verifier } from "daypass/s3";
import { urlVerifier } from "daypass/url";
import type { ServeConfig } from "./config-schema.ts";

/** The origins that clients may use. The first one is for printed URLs. */
export function originsOf(
  { publicUrl, origins, tls, host }: Pick<ServeConfig, "publicUrl" | "origins" | "tls"> & { readonly host: string },
  port: number,
): readonly string[] {
  if (publicUrl !== undefined) return [publicUrl, ...(origins ?? [])];
  if (origins !== undefined) return origins;
  const scheme = tls === undefined ? "http" : "https";
  const suffix = port === (tls === undefined ? 80 : 443) ? "" : `:${port}`;
  // A server on all addresses must configure its names. Until then it accepts only requests from this machine.
  const isLocal = ["127.0.0.1", "localhost", "0.0.0.0", "::"].includes(host);
  const names = isLocal ? ["127.0.0.1", "localhost", "*.localhost"] : [host.includes(":") ? `[${host}]` : host];
  return names.map((name) => `${scheme}://${name}${suffix}`);
}

/** The required spelling of an origin. */
const ORIGIN = "scheme://host[:port] in lower case, without path and default port";

/** The reason why the verifiers refuse these origins, if they do. Daypass URLs do not support origins with `*`. */
export function originFault(origins: readonly string[]): string | undefined {
  const exact = origins.filter((origin) => !origin.includes("*"));
  try {
    if (origins.length > 0) s3Verifier({ credentials: () => undefined, origins });
    if (exact.length > 0) urlVerifier({ keys: [], origins: exact });
    return undefined;
  } catch (error) {
    if (isDaypassError(error)) return error.message;
    throw error;
  }
}

/** An origin as browsers send it. `undefined` if the text is not an origin. Other schemes (`capacitor://`) stay as they are. */
export function standardSpelling(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { origin, protocol, host } = new URL(text);
  return origin === "null" ? `${protocol}//${host}` : origin;
}

/** The remedy for an origin in another spelling. */
export function respelled(origin: string): string {
  const spelling = standardSpelling(origin);
  return `Write ${spelling === undefined || spelling === origin ? ORIGIN : JSON.stringify(spelling)}`;
}
