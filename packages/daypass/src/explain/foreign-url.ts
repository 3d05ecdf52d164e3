import type { SplitUrl } from "./explainer.ts";

/** A URL that opens something where its token is there, and has none. */
interface Foreign {
  readonly host?: RegExp;
  readonly path: RegExp;
  readonly says: string;
}

const FOREIGN: readonly Foreign[] = [
  {
    path: /^\/(?:storage\/v1\/)?(?:object\/(?:upload\/)?sign|render\/image\/sign)\//,
    says: "a signed URL of Supabase Storage with its token, found none: the query was cut off, or the library handed out the path alone. Take the whole URL",
  },
  {
    host: /^firebasestorage\.googleapis\.com$/,
    path: /^\/v0\/b\//,
    says: "a signed URL, found Firebase's address of an object without its download token: what it opens, the bucket's rules tell. The token stands in the object's metadata (firebaseStorageDownloadTokens)",
  },
];

/** What a URL is that no explainer knows, as the end of a refusal. */
export function foreignUrl(url: SplitUrl): string | undefined {
  const host = url.authority.replace(/:\d+$/, "").toLowerCase();
  return FOREIGN.find(({ host: hosts = /^/, path }) => hosts.test(host) && path.test(url.wire.path))?.says;
}
