const HOST = /(?:^|\.)s3\.([a-z0-9-]+)\.(?:backblazeb2\.com|wasabisys\.com|scw\.cloud)(?::\d+)?$/;

// Wasabi's other names of hosts: nl-1 is eu-central-1, uk-1 is eu-west-1.
const OTHER_NAME = /^[a-z]{2}-\d$/;

/** The region in a host of another store than Amazon's, which signs for no other one. */
export function storeRegion(authority: string): string | undefined {
  const region = HOST.exec(authority.toLowerCase())?.[1];
  return region === undefined || OTHER_NAME.test(region) ? undefined : region;
}
