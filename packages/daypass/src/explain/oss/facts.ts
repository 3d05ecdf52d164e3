import { resourcePath } from "../../schemes/oss/canonical.ts";
import type { OssCredentials } from "../../schemes/oss/credentials.ts";
import { bucketResource } from "../bucket-resource.ts";
import { decodeOr } from "../decoded.ts";
import type { SplitUrl, Subject } from "../explainer.ts";
import type { ExplainKey, Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import type { Variant } from "../search/search.ts";
import { bucketOfHost } from "../search/spellings.ts";
import { spelt } from "../search/text-variants.ts";
import type { TextCheck, TextScheme } from "../text-scheme.ts";

/** Bucket and region of a host of Alibaba. `undefined` for another host. */
export function alibabaHost(
  authority: string,
): { readonly bucket: string | undefined; readonly region: string | undefined } | undefined {
  const host =
    /^(?:([a-z0-9-]+)\.)?(?:oss-([a-z0-9-]+?)(?:-internal)?|([a-z]{2}-[a-z0-9-]+)\.oss)\.aliyuncs\.com(?::\d+)?$/;
  const [match, bucket, region, dualStack] = host.exec(authority.toLowerCase()) ?? [];
  if (match === undefined) return undefined;
  // The hosts of transfer acceleration serve every region.
  return { bucket, region: region?.startsWith("accelerate") ? undefined : (region ?? dualStack) };
}

/** The decoded path as it is signed: with the bucket in front. */
export function signedPath({ sent, sentUrl }: Subject): string {
  const path = decodeOr(sentUrl.wire.path);
  const bucket = alibabaHost(sent.authority)?.bucket;
  return bucket === undefined ? path : resourcePath(bucket, path.slice(1));
}

/** The path with and without each possible bucket. `spell` encodes it as it is signed. */
export function* bucketVariants<I extends { readonly path: string }>(
  input: I,
  { sent: { authority }, sentUrl, hosts }: Subject,
  spell: (path: string) => string,
): Generator<Variant<I>> {
  const key = decodeOr(sentUrl.wire.path);
  const own = alibabaHost(authority);
  const named = hosts.map((host) => alibabaHost(host)?.bucket);
  const buckets = new Set([...named, own === undefined ? bucketOfHost(authority)?.bucket : own.bucket]);
  const fix =
    "Sign /bucket/key wherever the bucket's name is, in the host or nowhere. Name the bucket's host with --host.";
  for (const bucket of [...buckets].filter((name) => name !== undefined).concat("")) {
    const path = spell(bucket === "" ? key : `/${bucket}${key}`);
    const how = bucket === "" ? "without the bucket" : `with the bucket ${bucket} in front`;
    if (path !== input.path) yield spelt({ code: "PATH", input: { ...input, path }, what: "path", how, fix });
  }
}

/** The given keys, as a change of the input. */
export function ossKeys<I extends { readonly method: string; readonly secret: string }>(
  keys: readonly ExplainKey[],
): TextCheck<I>["keys"] {
  return keys
    .filter((key): key is OssCredentials => "accessKeySecret" in key)
    .map(({ accessKeyId: id, accessKeySecret: secret }) => ({ id, change: { secret } as Partial<I> }));
}

/** Parts of the explanation that both versions share. */
export function ossCommon(
  url: SplitUrl,
  { signedBy, token }: { readonly signedBy: string; readonly token: string | undefined },
): Pick<TextScheme<never>, "signedBy" | "resource" | "mayEndEarlier"> & { readonly traps: readonly Trap[] } {
  const names = readParameters(url).map(([name]) => name);
  const network = names.find((name) => name.startsWith("x-oss-ac-"));
  const isDownload = names.includes("response-content-disposition") && alibabaHost(url.authority) !== undefined;
  const text =
    "Hosts under aliyuncs.com may answer with Content-Disposition: attachment, whatever the URL says: use a domain of the bucket's own to show a file in a browser.";
  return {
    signedBy,
    resource: bucketResource(alibabaHost(url.authority)?.bucket, decodeOr(url.wire.path)),
    mayEndEarlier:
      token !== undefined || signedBy.startsWith("STS.")
        ? "with the temporary credentials (STS) that signed it: an hour by default, 12 at most, whatever the URL says"
        : "when the access key that signed it is disabled or loses the permission",
    traps: [
      ...(isDownload ? [{ name: "download-only", text }] : []),
      ...(network === undefined
        ? []
        : [{ name: "network", text: `${network}: the URL works from some networks only.` }]),
    ],
  };
}
