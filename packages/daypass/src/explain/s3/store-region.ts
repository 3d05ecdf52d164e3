const HOST = /(?:^|\.)s3\.([a-z0-9-]+)\.(?:backblazeb2\.com|wasabisys\.com|scw\.cloud)(?::\d+)?$/;

/** The region in a host of another store than Amazon's, which signs for no other one. */
export function storeRegion(authority: string): string | undefined {
  return HOST.exec(authority.toLowerCase())?.[1];
}
