// Linear, because labels cannot contain a dot.
const LABELS = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/**
 * Whether a host belongs to one of these origins, or to a bucket below the `*` of one. The gateway accepts the names in `hosts` by this
 * rule. Does not check whether a request to the host is permitted.
 *
 * @param origins `scheme://host[:port]`, where the host may begin with `*.`
 * @param host `host[:port]`, in any case
 * @example
 * ```ts
 * import { isHostOf } from "@daypass/gateway";
 *
 * console.log(isHostOf(["https://files.example.com", "https://*.s3.example.com"], "media.s3.example.com")); // true
 * ```
 */
export function isHostOf(origins: readonly string[], host: string): boolean {
  const name = host.toLowerCase();
  return origins
    .map((origin) => origin.replace(/^https?:\/\//, ""))
    .some((own) => (own.startsWith("*") ? isBelow(name, own.slice(1)) : name === own));
}

function isBelow(host: string, suffix: string): boolean {
  return host.endsWith(suffix) && LABELS.test(host.slice(0, -suffix.length));
}
