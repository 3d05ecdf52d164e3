import { DaypassError } from "daypass";
import type { LineScheme } from "./line-scheme.ts";

interface SchemeEntry {
  /** The `scheme` of a line. */
  readonly name: string;
  readonly load: () => Promise<LineScheme>;
}

/** The one list of schemes that a line can name. Each is loaded when a line names it: most batches need one. */
const SCHEMES: readonly SchemeEntry[] = [
  { name: "s3", load: async () => (await import("./s3.ts")).s3LineScheme },
  { name: "azure", load: async () => (await import("./azure.ts")).azureLineScheme },
  { name: "gcs", load: async () => (await import("./gcs.ts")).gcsLineScheme },
  { name: "oss", load: async () => (await import("./oss.ts")).ossLineScheme },
  { name: "cos", load: async () => (await import("./cos.ts")).cosLineScheme },
  { name: "swift", load: async () => (await import("./swift.ts")).swiftLineScheme },
  { name: "cloudfront", load: async () => (await import("./cloudfront.ts")).cloudfrontLineScheme },
  { name: "uri-signing", load: async () => (await import("./edge/uri-signing.ts")).uriSigningLineScheme },
  { name: "nginx", load: async () => (await import("./edge/nginx.ts")).nginxLineScheme },
  { name: "bunny", load: async () => (await import("./edge/bunny.ts")).bunnyLineScheme },
  { name: "akamai", load: async () => (await import("./edge/akamai.ts")).akamaiLineScheme },
  { name: "cloudflare", load: async () => (await import("./edge/cloudflare.ts")).cloudflareLineScheme },
  { name: "cloud-cdn", load: async () => (await import("./edge/cloud-cdn.ts")).cloudCdnLineScheme },
  { name: "media-cdn", load: async () => (await import("./edge/media-cdn.ts")).mediaCdnLineScheme },
  { name: "media-cdn/token", load: async () => (await import("./edge/media-cdn-token.ts")).mediaCdnTokenLineScheme },
  { name: "imgproxy", load: async () => (await import("./edge/imgproxy.ts")).imgproxyLineScheme },
  { name: "imgix", load: async () => (await import("./edge/imgix.ts")).imgixLineScheme },
  { name: "fastly", load: async () => (await import("./edge/fastly.ts")).fastlyLineScheme },
  { name: "laravel", load: async () => (await import("./edge/laravel.ts")).laravelLineScheme },
  { name: "symfony", load: async () => (await import("./edge/symfony.ts")).symfonyLineScheme },
  { name: "url", load: async () => (await import("./url.ts")).urlLineScheme },
];

// Asked for with each line of a batch.
const names = new Map<string, string>();

/** The scheme as a line names it, of the identifier of a grant: `s3/v2` is the scheme `s3` in an older version. */
export function schemeOfGrant(identifier: string): string {
  const known = names.get(identifier) ?? longestName(identifier);
  names.set(identifier, known);
  return known;
}

/** `media-cdn/token` is a scheme of its own. */
function longestName(identifier: string): string {
  const found = SCHEMES.map(({ name }) => name).filter((name) => `${identifier}/`.startsWith(`${name}/`));
  return found.sort((a, b) => b.length - a.length)[0] ?? identifier;
}

/** Loads the scheme that a line names. Rejects with `INVALID_INPUT` where the list has none of that name. */
export async function loadScheme(name: unknown): Promise<LineScheme> {
  const found = SCHEMES.find((entry) => entry.name === name);
  if (found !== undefined) return found.load();
  const known = SCHEMES.map((entry) => JSON.stringify(entry.name)).join(" or ");
  const text = name === undefined ? "none" : JSON.stringify(name).slice(0, 40);
  throw new DaypassError("INVALID_INPUT", `expected scheme ${known}, found ${text}: this release knows no other`);
}
