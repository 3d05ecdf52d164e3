import { uriEncodePath } from "../../wire/encoding.ts";
import { percentDecode } from "../../wire/raw-target.ts";
import { amazonHost } from "../amazon-host.ts";
import { decodeOr } from "../decoded.ts";

/** The fix for a path in another spelling. */
export const KEEP_PATH = "Encode the key exactly once, keep `/`, and let no proxy or URL parser rewrite the path.";

/** Wrong spellings of a path that clients, proxies and signers produce. `canonical` is the right one. */
export function pathSpellings(rawPath: string, canonical: string): readonly (readonly [what: string, path: string])[] {
  const decoded = decodeOr(canonical);
  const isTwice = /%25[0-9A-F]{2}/i.test(canonical);
  const spellings: (readonly [string, string])[] = [
    ["as the URL spells it, without another encoding", rawPath],
    ["encoded twice, as for services other than S3", uriEncodePath(canonical)],
    [isTwice ? ENCODED_TWICE : "decoded, without any encoding", decoded],
    ["decoded once more than it should be", encodeOr(decodeOr(decoded))],
    ["with `+` as a space", canonical.replaceAll("%2B", "%20")],
    // The canonical path has %2B for each plus.
    ["with a space where the URL has `+`", rawPath.replaceAll("+", "%20")],
    ...lostPluses(canonical, "%20", "%2B").map((path): [string, string] => [LOST_PLUS, path]),
    ...lostPluses(canonical, "%2B", "%20").map((path): [string, string] => [
      "with a space where the URL has `+`",
      path,
    ]),
    ["with a plain `+` where the URL has a space", canonical.replaceAll("%20", "+")],
    ["with a plain `+` that is not encoded", canonical.replaceAll("%2B", "+")],
    ["with `/` where the URL has %2F", canonical.replace(/%2F/gi, "/")],
    ["with every `/` of the key encoded as %2F", `/${canonical.slice(1).replaceAll("/", "%2F")}`],
    ["with every `/` after the bucket encoded as %2F", encodeAfterBucket(canonical)],
    ["with !'()* left unencoded", canonical.replace(/%(?:21|27|28|29|2A)/g, percentDecode)],
    [
      "with !'()* encoded",
      canonical.replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`),
    ],
    ["with its `.` and `..` segments removed", removeDots(canonical)],
    ["with repeated slashes made one", canonical.replace(/\/{2,}/g, "/")],
    ["without the slash at its end", canonical.replace(/(.)\/$/, "$1")],
    ["with a slash at its end", `${canonical}/`],
    ["with a second slash in front", `/${canonical}`],
    ["with lower-case escapes (%2f)", canonical.replace(/%[0-9A-F]{2}/g, (triplet) => triplet.toLowerCase())],
    [
      "in lower-case letters",
      canonical.replace(/%[0-9A-F]{2}|[A-Z]/g, (text) => (text[0] === "%" ? text : text.toLowerCase())),
    ],
    ["in composed Unicode (NFC)", encodeOr(decoded.normalize("NFC"))],
    ["in decomposed Unicode (NFD)", encodeOr(decoded.normalize("NFD"))],
    ["without its first segment", canonical.replace(/^\/[^/]*(?=\/)/, "")],
    ["with the // of its source's URL, which were made one", canonical.replace(/:\/(?!\/)/g, "://")],
    ...doubledSlashes(canonical).map((path): [string, string] => [MERGED_SLASHES, path]),
  ];
  return spellings.filter(([, path]) => path !== canonical && path !== "");
}

/** Proxies and servers merge two slashes. */
const MERGED_SLASHES = "with // where the URL has one slash";
const MAX_SLASHES = 8;

/** Each of the last slashes doubled: the key contains `//`, or begins with a slash. */
function doubledSlashes(path: string): readonly string[] {
  const places = [...path.matchAll(/(?<!\/)\/(?!\/)/g)].map(({ index }) => index).slice(-MAX_SLASHES);
  return places.map((at) => `${path.slice(0, at)}/${path.slice(at)}`);
}

/** A program encoded the URL again. A signer that encodes nothing is less likely. */
export const ENCODED_TWICE = "encoded once, where the URL is encoded twice";

/** A plus that became a space in transit, in a name that also contains spaces. */
export const LOST_PLUS = "with `+` (%2B) where the URL has a space";

/** A text with a plus for all its spaces and, if they are few, for each choice of them. */
export function lostPluses(text: string, space: string, plus: string): readonly string[] {
  const parts = text.split(space);
  const spaces = parts.length - 1;
  if (spaces > MAX_CHOSEN) return [parts.join(plus)];
  // Each bit of a choice stands for one space.
  const choices = Array.from({ length: 2 ** spaces - 1 }, (_, i) => 2 ** spaces - 1 - i);
  return choices.map((choice) =>
    parts.reduce((whole, part, i) => `${whole}${(choice >> (i - 1)) & 1 ? plus : space}${part}`),
  );
}

const MAX_CHOSEN = 4;

function encodeAfterBucket(path: string): string {
  const slash = path.indexOf("/", 1);
  return slash < 0 ? path : path.slice(0, slash + 1) + path.slice(slash + 1).replaceAll("/", "%2F");
}

function removeDots(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== ".") segments.push(segment);
  }
  return segments.join("/");
}

function encodeOr(path: string): string {
  try {
    return uriEncodePath(path);
  } catch {
    return path;
  }
}

const BUCKET_HOST = /^(.+?)\.(s3(?:[.-].*)?|.*)$/;

/** Other usual hosts of the same server. */
export function hostSpellings(
  host: string,
  known: { readonly url: string; readonly region: string; readonly hosts: readonly string[] },
): readonly string[] {
  const bare = host.replace(/:\d+$/, "");
  const port = /:\d+$/.exec(host)?.[0] ?? "";
  const names = amazonNames(bare, known.region) ?? [
    ...["9000", "8080", "8333", "3900", "4566"].map((number) => `${bare}:${number}`),
    ...["localhost", "127.0.0.1", "minio", "s3"].flatMap((name) => [name, `${name}${port}`, `${name}:9000`]),
    host.startsWith("www.") ? host.slice(4) : `www.${host}`,
    ...amazonsOf(bare, known.region),
  ];
  const candidates = [known.url, ...known.hosts, bare, `${bare}:443`, `${bare}:80`, host.toLowerCase(), ...names];
  return [...new Set(candidates)].filter((candidate) => candidate !== host && candidate !== "");
}

/** Amazon's hosts of a bucket, for a URL whose host was replaced by a custom domain. */
function amazonsOf(domain: string, region: string): readonly string[] {
  if (!/^[a-z]{2,}(?:-[a-z]+)+-\d+$/.test(region)) return [];
  const buckets = [domain, domain.split(".", 1)[0] as string].filter((name) => /^[a-z0-9.-]{3,63}$/.test(name));
  return buckets.flatMap((bucket) => [`${bucket}.s3.${region}.amazonaws.com`, `${bucket}.s3.amazonaws.com`]);
}

/** Amazon's other hosts of the same bucket. `undefined` for a host of another provider. */
function amazonNames(host: string, region: string): readonly string[] | undefined {
  const { front = "", domain } = amazonHost(host) ?? {};
  const [found, bucket = ""] = /^(.*\.)?s3(?:[.-](?:accelerate\.)?(?:dualstack\.)?[a-z0-9-]+)?$/.exec(front) ?? [];
  if (found === undefined) return undefined;
  const names = [
    "s3",
    `s3.${region}`,
    `s3-${region}`,
    `s3.dualstack.${region}`,
    "s3-accelerate",
    "s3-accelerate.dualstack",
  ];
  return names.map((name) => `${bucket}${name}.${domain}`);
}

/** The first label of a host, if it can be a bucket. */
export function bucketOfHost(host: string): { readonly bucket: string; readonly rest: string } | undefined {
  const [, bucket, rest] = BUCKET_HOST.exec(host) ?? [];
  if (bucket === undefined || rest === undefined || /^\d+$/.test(bucket) || !rest.includes(".")) return undefined;
  return { bucket, rest };
}
