import type { Constraints } from "../../core/contracts.ts";
import { invalidInput, refusal } from "../../core/errors.ts";
import { CENTURY, type Instant, signingWindow, startSeconds } from "../../core/time.ts";
import { checkOptions } from "../../core/validate-options.ts";
import { oneNetwork } from "../../wire/ip.ts";
import { fits, PARAMETERS, policyText, readPolicy } from "./policy.ts";

interface PolicyRequest extends Constraints {
  /**
   * The custom policy, signed as it is, instead of lifetime and constraints: `{"Statement":[{"Resource":…,"Condition":…}]}`,
   * one statement, in ASCII.
   */
  readonly policy?: string | undefined;
}

/** One signed URL. */
export interface CloudfrontSignRequest extends PolicyRequest {
  /** The URL in the spelling that URL parsers leave alone: what the viewer asks for is compared byte for byte. */
  readonly url: string;
  /** What the signature grants, if more than `url`: `*` matches any characters, `?` exactly one. */
  readonly resource?: string | undefined;
}

/** Signed cookies. */
export interface CloudfrontCookieRequest extends PolicyRequest {
  /**
   * The URL that the cookies grant, or a pattern: `*` matches any characters, `?` exactly one. Without `*`, start or
   * network, it is a single URL, and `?` begins its query. With `policy`, it may be omitted, because the policy names
   * it.
   */
  readonly resource?: string | undefined;
  /** With `policy`: a URL that the policy must cover. */
  readonly url?: string | undefined;
}

/** Either of them. */
interface PolicyWish extends PolicyRequest {
  readonly url?: string | undefined;
  readonly resource?: string | undefined;
}

/** What is to be signed. */
export interface PreparedPolicy {
  readonly text: string;
  readonly resource: string;
  /** A canned policy does not travel, only its end does. */
  readonly isCanned: boolean;
  readonly expiresAt: Date;
  readonly bound: readonly string[];
  readonly unbound: readonly string[];
  readonly warnings: readonly string[];
}

// RFC 3986; a URL parser re-spells every other character, and `'` in a query.
const URL_FORM =
  /^https?:\/\/[a-z0-9.-]+(?::[1-9][0-9]{1,4})?(?:\/[\w\-.~!$&'()*+,;=:@%]*)+(?:\?[\w\-.~!$&()*+,;=:@%/?]+)?$/;
const USUAL_PORT = /^(?:http:\/\/[^/]*:80|https:\/\/[^/]*:443)\//;
const DOT_SEGMENT = /^[^?]*\/(?:\.|%2e){1,2}(?:[/?;]|$)/i;
// In a pattern, `?` is a wildcard and may stand inside a name.
const DOTS_IN_PATTERN = /^[^?]*\/(?:\.|%2e){1,2}(?:[/;]|$)/i;
const OWN = /* @__PURE__ */ new RegExp(`[?&](?:${PARAMETERS.join("|")})(?:[=&]|$)`);
const RULES = {
  scheme: "CloudFront",
  known: /^(?:url|resource|policy|prefix|notBefore|expires(?:In|At)|stableWindow|bind(?:\.ip)?)$/,
  instead: {
    response: "use a response headers policy",
    "bind.query": "put it into the URL",
  },
};

export function checkUrl(url: string): void {
  if (typeof url !== "string" || !URL_FORM.test(url) || USUAL_PORT.test(url) || OWN.test(url)) {
    throw invalidInput("url", "http(s)://host/path?query as browsers send it, not signed yet", "another");
  }
  if (DOT_SEGMENT.test(url)) throw refusal("DOT_SEGMENTS", "url has dot segments, which browsers remove");
}

/** Works out the policy for one URL or, for cookies, for a resource alone. */
export function preparePolicy(wish: PolicyWish, now: Instant): PreparedPolicy {
  const { url, policy, notBefore, bind } = wish;
  checkOptions(wish, RULES);
  if (policy !== undefined) return givenPolicy(wish, policy);
  if (wish.resource !== undefined && wish.prefix !== undefined)
    throw invalidInput("resource", "text, and no prefix beside it", "another");
  const resource = wish.resource ?? wholePrefix(wish) ?? url ?? "";
  if (!/^(?:\*|https?\*?|http\*):\/\/[^\s"\\#\x7f-\uffff]+$/.test(resource)) {
    throw invalidInput("resource", "scheme://host/path in ASCII", resource);
  }
  // Browsers send another spelling, which it would never fit.
  if (/^[^/]*\/\/[^/*?]*[A-Z]/.test(resource) || USUAL_PORT.test(resource) || DOTS_IN_PATTERN.test(resource)) {
    throw invalidInput(
      "resource",
      "what browsers send: host in lower case, no default port, no dot segments",
      resource,
    );
  }
  if (url !== undefined && !fits(resource, url)) throw invalidInput("resource", "a pattern that covers url", resource);
  const address = oneNetwork("CloudFront", bind?.ip);
  const ip = address && !address.includes("/") ? `${address}/${address.includes(":") ? 128 : 32}` : address;
  const { expiresAt, warnings } = signingWindow(wish, now, { maxSeconds: CENTURY });
  const start = startSeconds(notBefore);
  const end = expiresAt.getTime() / 1000;
  if (start !== undefined && !(start < end)) throw invalidInput("notBefore", "an instant before the end", notBefore);
  // A canned policy is also the text of a custom one: the holder of the URL may send it as `Policy`, with the same signature, and
  // then a `*` of the URL stands for any characters.
  const isOne = !resource.includes("*") && (url === undefined || resource === url);
  const isCanned = isOne && start === undefined && ip === undefined;
  if (!isCanned && wish.resource === undefined && (wish.prefix ?? resource).includes("*")) {
    throw invalidInput("url and prefix", "%2A for each *, a wildcard here, or resource", "another");
  }
  const text = policyText({ resource, end, start, ip });
  const wide = /^[^/]*\/\/[^/]*[*?]/.test(resource) ? [...warnings, WIDE] : warnings;
  return { ...coverage({ resource, start, ip, isCanned }), text, isCanned, expiresAt, warnings: wide };
}

function givenPolicy(wish: PolicyWish, text: string): PreparedPolicy {
  const { url, resource, prefix, notBefore, bind, expiresIn, expiresAt, stableWindow } = wish;
  const fail = (expected: string): Error => invalidInput("policy", expected, "another");
  const others = { resource: url && resource, prefix, notBefore, bind, expiresIn, expiresAt, stableWindow };
  for (const [name, other] of Object.entries(others)) {
    if (other !== undefined) throw refusal("INVALID_INPUT", `policy and ${name} are both set. Leave one out`);
  }
  if (!/^[\t\n\r\x20-\x7e]+$/.test(text)) throw fail("ASCII text");
  const policy = readPolicy(text, fail);
  // Cookies need no URL. A given URL must be covered by the policy, and a given resource must be the policy's own.
  const isOwn = url === undefined ? (resource ?? policy.resource) === policy.resource : fits(policy.resource, url);
  if (!isOwn) throw fail("one for this URL or resource");
  const { startsAt: start, ipRange: ip } = policy;
  const covered = coverage({ resource: policy.resource, start, ip, isCanned: false });
  return { ...covered, text, isCanned: false, expiresAt: policy.expiresAt, warnings: [] };
}

type Coverage = Pick<PreparedPolicy, "resource" | "bound" | "unbound">;

interface Covering {
  readonly resource: string;
  readonly start: unknown;
  readonly ip: string | undefined;
  readonly isCanned: boolean;
}

function coverage({ resource, start, ip, isCanned }: Covering): Coverage {
  const bound = [`resource ${resource}`, "end"];
  if (start !== undefined) bound.push("start");
  if (ip !== undefined) bound.push(`ip ${ip}`);
  return { resource, bound, unbound: isCanned || !/[*?]/.test(resource) ? UNBOUND : [...UNBOUND, WILD] };
}

const UNBOUND: readonly string[] = ["method", "headers", "body"];
const WILD = "what * and ? stand for";
const WIDE = "a wildcard in the host covers other hosts, too";

function wholePrefix({ url, prefix }: PolicyWish): string | undefined {
  if (prefix === undefined) return undefined;
  if (url === undefined) throw invalidInput("url", "a URL below the prefix", url);
  const [, origin = "", path = ""] = /^([^/]*\/\/[^/]*)([^?]*)/.exec(url) ?? [];
  if (/^\/(?:[^?#]*\/)?$/.test(prefix) && path.startsWith(prefix)) return `${origin}${prefix}*`;
  throw invalidInput("prefix", 'the beginning of the path up to a "/"', prefix);
}
