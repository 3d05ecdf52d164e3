// The partitions: global, China, and the European Sovereign Cloud.
const HOST = /^(.+)\.(amazonaws\.(?:com|com\.cn|eu))(?::\d+)?$/;

/** Amazon's domain in a host, and the part before it. `undefined` for any other host. */
export function amazonHost(authority: string): { readonly front: string; readonly domain: string } | undefined {
  const [, front, domain] = HOST.exec(authority) ?? [];
  return front === undefined || domain === undefined ? undefined : { front, domain };
}

/** An interface endpoint (PrivateLink): `bucket` is literal, and the bucket's name precedes it or is in the path. */
const INTERFACE = /^(?:(.{1,255})\.)?(?:bucket|accesspoint)\.vpce-[a-z0-9-]+\.s3\.[a-z0-9-]+\.vpce$/;

/** The bucket in the name of an Amazon host, or the alias of a Multi-Region Access Point. */
export function amazonBucket(authority: string): string | undefined {
  const [endpoint, inFront] = INTERFACE.exec(amazonHost(authority)?.front ?? "") ?? [];
  if (endpoint !== undefined) return inFront;
  const front = /^(.{1,255})\.s3(?:express)?(?:[.-][a-z0-9.-]*)?$/;
  return front.exec(amazonHost(authority)?.front ?? "")?.[1]?.replace(/\.accesspoint$/, "");
}

/** The region in a regional Amazon host. Other hosts, such as Transfer Acceleration, name no region. */
export function amazonRegion(authority: string): string | undefined {
  const front = /(?:^|\.)s3(?:express-[a-z0-9-]+\.|[.-](?:dualstack\.|website-)?)([a-z]{2,}(?:-[a-z]+)+-\d+)$/;
  const region = front.exec(amazonHost(authority)?.front ?? "")?.[1];
  // Some older hosts have fips- before the region.
  return region?.startsWith("external-") ? undefined : region?.replace(/^fips-/, "");
}

/** The service that a host names instead of `s3`. */
export function amazonService(authority: string): string | undefined {
  return /\.(s3-(?:object-lambda|outposts))\./.exec(authority)?.[1];
}

/** Whether a host serves a bucket as a public website, which ignores signatures. */
export function isAmazonWebsite(authority: string): boolean {
  return /\.s3-website[.-][a-z0-9-]+$/.test(amazonHost(authority)?.front ?? "");
}
