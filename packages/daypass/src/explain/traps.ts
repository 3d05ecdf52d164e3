import { spellingTraps } from "./cause/suspicion.ts";
import type { SplitUrl } from "./explainer.ts";
import type { Trap } from "./explanation.ts";
import { readParameters } from "./parameters.ts";

/** The traps whose condition holds. */
export function trapsOf(
  rows: readonly (readonly [isThere: boolean | undefined, name: string, text: string])[],
): readonly Trap[] {
  return rows.flatMap(([isThere, name, text]) => (isThere === true ? [{ name, text }] : []));
}

/** Pitfalls of any signed URL, whatever its scheme. */
export function urlTraps(url: SplitUrl): readonly Trap[] {
  const traps: Trap[] = [];
  const add = (name: string, text: string): void => void traps.push({ name, text });
  const bare = url.authority.replace(/:\d+$/, "");
  if (url.protocol === "http") add("http", "Plain http: anyone who sees the traffic can use the URL, too.");
  if (url.authority !== bare) {
    add(
      "host-port",
      `The host is signed with its port (${url.authority}). A proxy or client that drops or adds the port breaks the signature.`,
    );
  }
  if (
    !bare.includes(".") ||
    /^(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)|\.(?:local|internal|svc)$/.test(bare)
  ) {
    add("internal-host", `${bare} is a name or address inside one network; the URL cannot be reached from outside.`);
  }
  traps.push(...spellingTraps(url));
  const names = readParameters(url).map(([name]) => name);
  const repeated = names.filter((name, i) => names.indexOf(name) !== i);
  if (repeated.length > 0) {
    add(
      "repeated-parameter",
      `${[...new Set(repeated)].join(", ")} appears more than once: servers differ in which one they read.`,
    );
  }
  return traps;
}

const EMPTY_CHECKSUMS: ReadonlySet<string> = new Set([
  "AAAAAA==",
  "AAAAAAAAAAA=",
  "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
  "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
]);

// S3 ignores these as parameters.
const HEADER_ONLY =
  /^x-amz-(?:tagging|tagging-directive|storage-class|website-redirect-location|copy-source.*|metadata-directive|grant-.*|object-lock-.*|request-payer|server-side-encryption.*|expected-bucket-owner)$/i;

/** Pitfalls of S3's URLs, in both versions. */
export function s3Traps(url: SplitUrl): readonly Trap[] {
  const traps: Trap[] = [];
  // Some stores show a bucket's address as the endpoint, and signers append the bucket again.
  const [, first = "", rest = ""] = /^\/([^/]+)\/(.+)$/.exec(url.wire.path) ?? [];
  const isInHost = url.authority.startsWith(`${first}.`);
  if (first !== "" && (isInHost || rest.startsWith(`${first}/`))) {
    const where = isInHost ? "in the host and in the path" : "twice in the path";
    traps.push({
      name: "bucket-twice",
      text: `${first} stands ${where}. If the signer's endpoint names the bucket already, the URL is for the key ${first}/… in it: leave the bucket out of the endpoint.`,
    });
  }
  for (const [name, value] of readParameters(url)) {
    if (/^x-amz-checksum-/i.test(name) && EMPTY_CHECKSUMS.has(value)) {
      traps.push({
        name: "empty-body-checksum",
        text: `${name}=${value} is the checksum of an empty body: an AWS SDK added it because it signed without a body. R2, Garage, SeaweedFS and MinIO refuse any real upload with it. Set requestChecksumCalculation: "WHEN_REQUIRED".`,
      });
    } else if (/^x-amz-(?:checksum-(?!mode$)|sdk-checksum-algorithm)/i.test(name)) {
      traps.push({
        name: "checksum-in-query",
        text: `${name} is in the query, where S3 does not check it. A checksum must be a signed header.`,
      });
    } else if (HEADER_ONLY.test(name)) {
      traps.push({
        name: "header-in-query",
        text: `${name} is in the query, where S3 or other servers ignore it. Sign it as a header, and send it.`,
      });
    }
  }
  return traps;
}

const LONGEST_LIFE = 604_800;

/** Pitfalls of a lifetime in seconds after the signing time. */
export function lifeTraps(
  {
    signedAt,
    endsAt,
    expires,
  }: { readonly signedAt: Date | undefined; readonly endsAt: Date | undefined; readonly expires: number },
  now: Date,
  parameter: string,
): readonly Trap[] {
  const traps: Trap[] = [];
  const add = (name: string, text: string): void => void traps.push({ name, text });
  if (expires === LONGEST_LIFE) {
    add("longest-life", "It is valid for seven days, the longest that V4 allows; only disabling the key revokes it.");
  }
  if (expires > LONGEST_LIFE) {
    add("too-long-life", `${parameter} is ${expires}; servers refuse more than ${LONGEST_LIFE} (seven days).`);
  }
  if (expires < 60) {
    add(
      "short-life",
      `It is valid for ${expires} s: a slow start, a retry or a clock that is slightly off is enough to miss it.`,
    );
  }
  if (signedAt !== undefined && signedAt.getTime() > now.getTime()) {
    add("future-date", `It is dated ${signedAt.toISOString()}, in the future: the signer's clock is ahead.`);
  }
  if (endsAt !== undefined && endsAt.getTime() <= now.getTime())
    add("expired", `It expired at ${endsAt.toISOString()}.`);
  return traps;
}

/** Pitfalls of an end in seconds since 1970, for which servers set no maximum. `text` is its text in the URL. */
export function endTraps(endsAt: Date | undefined, text: string, now: Date): readonly Trap[] {
  if (/^\d{13}$/.test(text)) {
    return [{ name: "milliseconds", text: `Its expiry, ${text}, looks like milliseconds; it should be in seconds.` }];
  }
  if (endsAt === undefined) return [];
  const left = endsAt.getTime() - now.getTime();
  if (left <= 0) return [{ name: "expired", text: `It expired at ${endsAt.toISOString()}.` }];
  if (left <= LONGEST_LIFE * 1000) return [];
  return [{ name: "too-long-life", text: "It is valid for more than seven days; this scheme has no maximum." }];
}
