import { createHash } from "node:crypto";
import { isDaypassError } from "daypass";
import { type Explanation, explain, redactUrl, unwrapUrl } from "daypass/explain";
import { readings, UNKNOWN_ORIGIN } from "./urls-in-text.ts";

/** `live` includes an unknown expiry, a start in the future, and damage that leaves the signature complete. */
export type Life = "live" | "ended" | "malformed";

/** A presigned URL that was found, without its secrets. */
export interface Finding {
  readonly life: Life;
  readonly scheme: string;
  readonly signedBy: string;
  readonly methods: readonly string[] | undefined;
  readonly resource: string;
  readonly startsAt: Date | undefined;
  /** `undefined` if the URL does not state it. */
  readonly endsAt: Date | undefined;
  /** The URL without signatures, tokens and other long values. */
  readonly url: string;
}

/** Reads a raw URL. `undefined` if it is not a presigned URL, or was reported before. */
export type FindingReader = (raw: string, now: Date) => Promise<Finding | undefined>;

// Beyond this limit the oldest URLs are forgotten, and would be reported again.
const MAX_SEEN = 200_000;
// A presigned URL has a dozen parameters. Checks of parameter pairs would be slow with thousands.
const MAX_PARAMETERS = 200;

// A signature is the value of a parameter, or a path segment in imgproxy. Gson and Handlebars escape every =.
const MAY_BE_SIGNED = /=|%3d|\\(?:u00|x)3d|&(?:#0*61|#x0*3d|equals);|\/[\w-]{43}\\*\//i;
// Logs have many paths, and explaining each would be slow. Matches a part of a parameter name of every scheme, however escaped.
const NAMED =
  /sig|eyJ|x-(?:amz|goog|oss)-|token|hmac|md5|verify|hash|policy|key|google|q-a|dp-|[?&;]s\W|\\[ux]\w{2,4}s\W|\/[\w-]{43}\\*\//i;
const IS_PATH = /^(?:["']|[a-z]+ )/i;

/** A reader that reports each URL once. */
export function findingReader(): FindingReader {
  const seen = new Set<string>();
  return async (raw, now) => {
    if (!MAY_BE_SIGNED.test(raw) || (IS_PATH.test(raw) && !NAMED.test(raw))) return undefined;
    let malformed: Finding | undefined;
    for (const url of readings(raw).map(unwrapUrl)) {
      if (countParameters(url) > MAX_PARAMETERS) continue;
      const explanation = await explained(url, now);
      if (explanation === undefined) continue;
      const finding = findingOf(url, explanation, now);
      if (finding.life !== "malformed") return isNew(url) ? finding : undefined;
      malformed ??= (await repaired(url, now)) ?? finding;
    }
    return malformed !== undefined && isNew(malformed.url) ? malformed : undefined;
  };

  function isNew(url: string): boolean {
    const name = createHash("sha256").update(url).digest("base64").slice(0, 22);
    if (seen.has(name)) return false;
    const [oldest] = seen;
    if (seen.size >= MAX_SEEN && oldest !== undefined) seen.delete(oldest);
    seen.add(name);
    return true;
  }
}

function countParameters(url: string): number {
  let count = 0;
  for (const character of url) if (character === "&" || character === "=") count += 1;
  return count / 2;
}

/** The finding for a damaged URL if a repair makes it complete. The URL is shown as it was found. */
async function repaired(url: string, now: Date): Promise<Finding | undefined> {
  for (const text of repairs(url)) {
    const explanation = await explained(text, now);
    if (explanation === undefined) continue;
    const finding = findingOf(text, explanation, now);
    if (finding.life !== "malformed") return { ...finding, url: withoutHost(withoutValues(url)) };
  }
  return undefined;
}

async function explained(url: string, now: Date): Promise<Explanation | undefined> {
  try {
    const explanation = await explain(url, { clock: () => now });
    // A gateway's link is not signed.
    return explanation.scheme === "link" ? undefined : explanation;
  } catch (error) {
    // Not a URL, or not signed in a known scheme.
    if (isDaypassError(error)) return undefined;
    throw error;
  }
}

function findingOf(url: string, explanation: Explanation, now: Date): Finding {
  const { scheme, signedBy, grants, startsAt, endsAt, cause } = explanation;
  const isLive = endsAt === undefined || endsAt.getTime() > now.getTime();
  // Without a key and a response, these two causes mean that the signature is not complete.
  const isDamaged = cause?.code === "MALFORMED" || cause?.code === "SIGNATURE";
  return {
    life: isDamaged ? "malformed" : isLive ? "live" : "ended",
    scheme,
    signedBy,
    methods: grants.methods,
    resource: withoutHost(grants.resource),
    startsAt,
    endsAt,
    url: withoutHost(withoutValues(url)),
  };
}

function withoutHost(text: string): string {
  return text.replaceAll(UNKNOWN_ORIGIN, "").replaceAll("unknown.invalid", "(host not in the log)");
}

/**
 * The URL for a report: without known secrets, and without any long value, because more people read the report than the log.
 */
function withoutValues(url: string): string {
  const [, start = "", rest = ""] = /^((?:[a-z]+:\/\/)?[^/?#]*)(.*)$/is.exec(redactUrl(url)) ?? [];
  return start + rest.replace(/([=~])([^&=~/?#;]{17,})/g, "$1REDACTED").replace(/#.*$/s, "");
}

/**
 * Repairs that a finder of the URL could make by hand: an unencoded +, repeated parameters, double encoding, lost base64 padding.
 * Empty if there is nothing to repair.
 */
function repairs(url: string): readonly string[] {
  const [address = "", ...queries] = url.split("?");
  if (queries.length === 0) return [];
  const parameters = queries
    .join("&")
    .split("&")
    // Form decoding would read the + of unencoded base64 as a space.
    .map((parameter) => parameter.replaceAll("+", "%2B"));
  const first = withoutRepeated(parameters);
  const last = withoutRepeated([...parameters].reverse()).reverse();
  const repaired = [parameters, first, last].map((some) => `${address}?${some.join("&")}`);
  const decoded = /%(?!25)/.test(url) ? url : url.replaceAll("%25", "%");
  return [...new Set([...repaired, decoded].flatMap((text) => [text, withSasPadding(text)]))].filter(
    (text) => text !== url,
  );
}

/** Restores the end of a SAS signature. Its 43 characters determine the last one. */
function withSasPadding(url: string): string {
  return url.replace(/([?&]sig=(?:[a-z0-9+/]|%2b|%2f){43})(?![a-z0-9+/]|%2b|%2f)[^&]*/i, "$1%3D");
}

/** Keeps the first parameter of each name. A URL that was signed twice has two signatures. */
function withoutRepeated(parameters: readonly string[]): string[] {
  const names = new Set<string>();
  return parameters.filter((parameter) => {
    const [name = ""] = parameter.split("=", 1);
    return !names.has(name) && names.add(name);
  });
}
