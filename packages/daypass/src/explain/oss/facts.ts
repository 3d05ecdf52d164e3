import type { OssCredentials } from "../../schemes/oss/credentials.ts";
import { bucketResource } from "../bucket-resource.ts";
import type { Case } from "../cause/diagnosis.ts";
import { decodeOr } from "../decoded.ts";
import type { SplitUrl, Subject } from "../explainer.ts";
import type { ExplainKey, Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { bucketOfHost } from "../search/spellings.ts";

/** The host's bucket and region, on a host of Alibaba. */
export function alibabaHost(
  authority: string,
): { readonly bucket: string | undefined; readonly region: string | undefined } | undefined {
  const name = authority.toLowerCase();
  const host =
    /^(?:([a-z0-9-]+)\.)?(?:oss-([a-z0-9-]+?)(?:-internal)?|([a-z]{2}-[a-z0-9-]+)\.oss)\.aliyuncs\.com(?::\d+)?$/;
  const [match, bucket, region, dualStack] = host.exec(name) ?? [];
  if (match === undefined) return undefined;
  // The hosts of transfer acceleration serve every region.
  return { bucket, region: region?.startsWith("accelerate") ? undefined : (region ?? dualStack) };
}

/** Buckets in whose name a host may be; what a path begins with where there is none. */
export function bucketsOf(authority: string, { hosts }: Subject): readonly string[] {
  const own = alibabaHost(authority);
  const named = hosts.flatMap((host) => alibabaHost(host)?.bucket ?? []);
  const guessed = own === undefined ? (bucketOfHost(authority)?.bucket ?? []) : (own.bucket ?? []);
  return [...new Set([named, guessed].flat())];
}

export function ossResource(url: SplitUrl): string {
  return bucketResource(alibabaHost(url.authority)?.bucket, decodedPath(url));
}

export function decodedPath({ wire }: SplitUrl): string {
  return decodeOr(wire.path);
}

function isOssCredentials(key: ExplainKey): key is OssCredentials {
  return "accessKeySecret" in key;
}

/** The given keys, and who signed. */
export function ossKeys<I extends { readonly method: string; readonly secret: string }>(
  keys: readonly ExplainKey[],
  accessKeyId: string,
): Pick<Case<I>, "keys" | "signedBy"> {
  return {
    signedBy: accessKeyId,
    keys: keys.filter(isOssCredentials).map(({ accessKeyId: id, accessKeySecret: secret }) => ({
      id,
      isNamed: id === accessKeyId,
      put: (input) => ({ ...input, secret }),
    })),
  };
}

export function mayEndEarlier(accessKeyId: string, token: string | undefined): string {
  return token !== undefined || accessKeyId.startsWith("STS.")
    ? "with the temporary credentials (STS) that signed it: an hour by default, 12 at most, whatever the URL says"
    : "when the access key that signed it is disabled or loses the permission";
}

/** Pitfalls of URLs of both versions. */
export function ossTraps(url: SplitUrl): readonly Trap[] {
  const names = readParameters(url).map(([name]) => name);
  const network = names.find((name) => /^x-oss-ac-/.test(name));
  return [
    ...(names.includes("response-content-disposition") && alibabaHost(url.authority) !== undefined
      ? [
          {
            name: "download-only",
            text: "Hosts under aliyuncs.com may answer with Content-Disposition: attachment, whatever the URL says: use a domain of the bucket's own to show a file in a browser.",
          },
        ]
      : []),
    ...(network === undefined ? [] : [{ name: "network", text: `${network}: the URL works from some networks only.` }]),
  ];
}
