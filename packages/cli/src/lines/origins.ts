import { type FieldKind, textMap } from "./fields.ts";

/** `buckets` of an entry: a name that is no origin, such as a bare host, would stand there and never match. */
export const originMap: FieldKind = {
  expected: "an object with origins (https://host) as names and strings as values",
  accepts: (value) => textMap.accepts(value) && Object.keys(value as object).every(isOrigin),
  fault: (value) => (textMap.accepts(value) ? "another name" : undefined),
};

function isOrigin(name: string): boolean {
  return /^https?:\/\/[^/?#@*]+$/.test(name) && name === ownOrigin(name);
}

/** The spelling that verifiers ask of an origin: lower case, without the scheme's default port. */
export function ownOrigin(origin: string): string {
  const lower = origin.toLowerCase();
  return lower.replace(lower.startsWith("https:") ? /:443$/ : /:80$/, "");
}

const AMAZON_VIRTUAL = /^(https?:\/\/).+\.(s3(?:express)?(?:[.-][a-z0-9-]+)*\.amazonaws\.(?:com(?:\.cn)?|eu))$/;

/** On Amazon a bucket in front of the host can be told from the host's name alone, and the grant should name it. */
export function s3Origin(origin: string): string {
  return ownOrigin(origin).replace(AMAZON_VIRTUAL, "$1*.$2");
}

/** `https://bucket.s3.example.com` as `https://*.s3.example.com`. An address has no labels to stand for a bucket. */
export function wildcardOrigin(origin: string): string | undefined {
  const match = /^(https?:\/\/)[a-z0-9_-]+\.([a-z0-9.-]*[a-z][a-z0-9.-]*(?::\d+)?)$/.exec(ownOrigin(origin));
  return match === null ? undefined : `${match[1]}*.${match[2]}`;
}

/**
 * The origins of a store that is reached at an endpoint, as a signer is given it: the endpoint itself, and a bucket in front of
 * its name.
 */
export function endpointOrigins(endpoint: string): readonly string[] {
  const origin = ownOrigin(endpoint.replace(/^(https?:\/\/[^/]*).*$/i, "$1"));
  const [, scheme, host] = /^(https?:\/\/)([a-z0-9.-]*[a-z][a-z0-9.-]*(?::\d+)?)$/.exec(origin) ?? [];
  // An address, or a name without a dot, has no bucket in front.
  return scheme === undefined || !host?.includes(".") ? [origin] : [origin, `${scheme}*.${host}`];
}
