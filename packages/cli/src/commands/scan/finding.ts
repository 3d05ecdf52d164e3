import { createHash } from "node:crypto";
import { isDaypassError } from "daypass";
import { type Explanation, explain, redactUrl } from "daypass/explain";
import { repairs } from "./repairs.ts";
import { readings, UNKNOWN_ORIGIN } from "./urls-in-text.ts";
import { isToldInside, isWrapped } from "./wrapped-link.ts";

/** `live` also where the end is not known, before the beginning, and where only a damage has to be undone that keeps the signature. */
export type Life = "live" | "ended" | "malformed";

/** A presigned URL that was found, with nothing in it that opens anything. */
export interface Finding {
  readonly life: Life;
  readonly scheme: string;
  readonly signedBy: string;
  readonly methods: readonly string[] | undefined;
  readonly resource: string;
  readonly startsAt: Date | undefined;
  /** Missing where the URL alone does not tell it. */
  readonly endsAt: Date | undefined;
  /** Without signatures, tokens, and other long values. */
  readonly url: string;
}

/** Reads what was found at a place; `undefined` where it is no presigned URL. Tells each URL once. */
export type FindingReader = (raw: string, now: Date) => Promise<Finding | undefined>;

// Memory for some hundred thousand URLs: behind that the oldest one is forgotten, and would be told again.
const MAX_SEEN = 200_000;
// A presigned URL has a dozen. What looks at every pair of parameters must not be given thousands of them.
const MAX_PARAMETERS = 200;

// A signature is the value of some parameter, or of imgproxy a part of the path.
// Gson and Handlebars escape every = there is.
// A token of EKS or MSK is a URL in base64; others are a part of the path.
const MAY_BE_SIGNED =
  /=|^(?:k8s-aws-v1\.|aHR0c)|\/s--|--[0-9a-f]{40}|\/eyJ|\/cd\/0\/|[\w=-],\d{10}\/|:\w{6}:[\w-]{43}|\.[\w-]{27}(?![\w-])|%3d|\\(?:u00|x)3d|&(?:#0*61|#x0*3d|equals);|\/[\w-]{43}\\*\//i;
// Paths are many, and to look at one in full takes long. A part of some name that one of the schemes has, however it is escaped.
const NAMED =
  /sig|s--|--[0-9a-f]{40}|eyJ|rlkey|secure=|secret|authorization|exp=|,\d{10}\/|:\w{6}:|x-(?:amz|goog|oss)-|token|hmac|md5|verify|hash|policy|key|google|q-a|dp-|[?&;]s\W|\\[ux]\w{2,4}s\W|\/[\w-]{43}\\*\//i;
const IS_PATH = /^(?:["']|[a-z]+ )/i;

export function findingReader(): FindingReader {
  const seen = new Set<string>();
  let link: string | undefined;
  return async (raw, now) => {
    // What stands in a link that was told itself.
    if (link?.endsWith(raw) === true) return undefined;
    if (!MAY_BE_SIGNED.test(raw) || (IS_PATH.test(raw) && !NAMED.test(raw))) return undefined;
    let malformed: Finding | undefined;
    for (const url of readings(raw)) {
      if (countParameters(url) > MAX_PARAMETERS) continue;
      const explanation = await explained(url, now);
      if (explanation === undefined || isToldInside(url, explanation)) continue;
      const finding = findingOf(url, explanation, now);
      if (isWrapped(explanation)) link = raw;
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

/** What a damaged URL is, where it is one as soon as the damage is undone. Shown as it was found. */
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
    return await explain(url, { clock: () => now });
  } catch (error) {
    // No URL, or not signed in a scheme that is known.
    if (isDaypassError(error)) return undefined;
    throw error;
  }
}

function findingOf(url: string, explanation: Explanation, now: Date): Finding {
  const { scheme, signedBy, grants, startsAt, endsAt, cause } = explanation;
  const isLive = endsAt === undefined || endsAt.getTime() > now.getTime();
  // Without a key or an answer of a server, a signature is only faulted for not being a whole one.
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
 * A URL for a report. Beside what is known to be secret every long value goes, in the path too: schemes differ in where they
 * put a token, and a report is read by more people than the log was.
 */
function withoutValues(url: string): string {
  const [, start = "", rest = ""] = /^((?:[a-z]+:\/\/)?[^/?#]*)(.*)$/is.exec(redactUrl(url)) ?? [];
  return start + rest.replace(/([=~])([^&=~/?#;]{17,})/g, "$1REDACTED").replace(/#.*$/s, "");
}
