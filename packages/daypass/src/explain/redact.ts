import { secretParameters } from "../schemes/secret-parameters.ts";
import { decodeOr } from "./decoded.ts";

/** Header, claims and signature of a JSON Web Token. The first two are JSON objects in base64url. */
const JWT = /eyJ[\w-]{8,8000}\.eyJ[\w-]{2,8000}\.[\w-]{20,2000}/.source;

/** Parameters of services that Daypass does not sign for, in the form of {@link secretParameters}. */
const FOREIGN: readonly string[] = [
  "__cld_token__",
  "ik-s",
  "tempauth",
  "jwt",
  "access_token",
  "rlkey",
  "pub_secret",
  "signintoken",
  "authtoken",
  "sessiontoken",
  "lsig",
  "authorization",
  "code=[\\w%.=-]{20,}",
  "header=eyJ",
  "hm=[0-9a-f]{64}",
  "oh=[\\w-]{20,}",
  "secure=[\\w-]{22}",
  "t=(?:xox[a-z]-|[\\w-]{20,})",
];

/** What a value must look like to be hidden, by the lower-case name of its parameter. */
const HIDDEN: ReadonlyMap<string, RegExp> = new Map(
  [...Object.values(secretParameters).flat(), ...FOREIGN].map((entry) => {
    const [, name = "", form = ""] = /^([^=]*)=?(.*)$/.exec(entry) ?? [];
    return [name, new RegExp(`^(?:${form})`, "i")];
  }),
);
const NAMES: readonly string[] = [...HIDDEN].map(([name, { source }]) => (source === "^(?:)" ? name : ""));
const COMMON_NAMES: readonly string[] = [...HIDDEN.keys()].filter((name) => !NAMES.includes(name));
const PATH_TOKEN = /\/(bcdn_token|edge-cache-token)=[^/?#]*/g;
const IMGPROXY = /^((?:[a-z]+:\/\/[^/?#]+)?(?:\/[A-Za-z0-9._~-]+)?\/)[A-Za-z0-9_-]{11,43}(?=\/(?:[a-z_]+:|plain\/))/;

// Proofpoint writes - and _ as -2D and -5F.
const ENDS = NAMES.filter((name) => name !== "")
  .map((name) => name.replaceAll("-", "-(?:2D)?").replaceAll("_", "(?:_|-5F)"))
  .join("|");

/**
 * Finds secrets in a URL that is the value of a parameter, as a login page or a mail service links it: escaped once or twice. The value
 * ends at a `&` or `#` that is escaped like its `=`. It is the last group; the one before holds a name that many URLs have.
 */
function nested(mark: string): readonly RegExp[] {
  const value = "((?:(?!\\2(?:25)*2[36])[^&#?])+)";
  return [
    new RegExp(`((?:${ENDS})(${mark})(?:25)*3D)()${value}`, "gi"),
    new RegExp(`((${mark})(?:25)*(?:3F|26)(${COMMON_NAMES.join("|")})\\2(?:25)*3D)${value}`, "gi"),
  ];
}

const NESTED = nested("%");
const IN_PROOFPOINT = nested("[%*-]");
/** Signatures of imgproxy and Cloudinary in the path of such a URL. */
const NESTED_PATH =
  /(%(?:25)*2F)(?:[\w-]{11,43}(?=%(?:25)*2F(?:[a-z_]+%(?:25)*3A|plain%))|s--(?:[\w-]{8}|[\w-]{32})--(?=%(?:25)*2F))/gi;
const NESTED_USER =
  /((?:https?|wss?)%(?:25)*3A(?:%(?:25)*2F){2})(?:(?!%(?:25)*(?:2[36F]|3F))[^/?#&])*((?:%(?:25)*40|@))/gi;

/** Tokens and signatures that are known by their form, in any place. The first group stays. */
const FORMS: readonly RegExp[] = [
  // Also after an escape, in a URL that is the value of a parameter.
  new RegExp(`()(?<![\\w-](?<!%[0-9A-Fa-f]{2}))${JWT}`, "g"),
  // A signed URL in base64, as kubectl sends it to EKS and a Kafka client to MSK.
  /^(k8s-aws-v1\.)?aHR0c[\w-]{40,}=*$/g,
  // Cloudinary, thumbor, streams and temporary links.
  /(\/)s--(?:[\w-]{8}|[\w-]{32})--(?=\/)/g,
  /^((?:[a-z]+:\/\/[^/?#]+)?\/(?:[^/?#]+\/)?)[\w-]{27}=(?=\/)/gi,
  /(\/l?sig\/)[\w%=-]{20,}/g,
  /(\/cd\/0\/[a-z0-9]{1,10}\/)[\w-]{20,}/g,
  /(~hmac=)[0-9a-f]{32,64}/g,
  /^((?:[a-z]+:\/\/[^/?#]+)?\/)[\w-]{22}(?:==)?(?=,\d{10}\/)/gi,
  // Rails, Django and itsdangerous.
  /([=/])(?:eyJ|BAh|Ii)[\w+%-]{5,}={0,2}--(?:[0-9a-f]{64}|[0-9a-f]{40})(?=[/?&]|$)/g,
  /((?::|%3A)[0-9A-Za-z]{6}(?::|%3A))[\w-]{43}(?=[/?&]|$)/gi,
  /([=/]\.?[\w-]{2,4000}\.)[U-Za-f][\w-]{5}\.[\w-]{27}(?=[/?&]|$)/g,
];

/**
 * Replaces the values of signatures and session tokens in a URL with `REDACTED`, for logs and messages. All other bytes are
 * unchanged. Text that is not a URL is returned unchanged, except for tokens that are base64-encoded URLs (EKS, MSK); user names
 * and passwords before a host are removed, too.
 *
 * Knows the parameters of S3 (V2, V4), GCS, Azure, CloudFront, Alibaba OSS, Tencent COS, Swift and Daypass URLs, edge tokens
 * in the query and in the path, and tokens of common services (JSON Web Tokens, SharePoint, Discord, Slack, …).
 *
 * @param url may also be a request target, which begins with `/`
 * @example
 * ```ts
 * import { redactUrl } from "daypass/explain";
 *
 * redactUrl("https://b.s3.amazonaws.com/k?X-Amz-Signature=0123"); // "https://b.s3.amazonaws.com/k?X-Amz-Signature=REDACTED"
 * ```
 */
export function redactUrl(url: string): string {
  const text = FORMS.reduce((all, form) => all.replace(form, "$1REDACTED"), url);
  const forms = /urldefense/i.test(text) ? IN_PROOFPOINT : NESTED;
  return forms
    .reduce((all, form) => all.replace(form, withoutNested), text)
    .replace(NESTED_PATH, "$1REDACTED")
    .replace(NESTED_USER, "$1REDACTED$2")
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, "$1REDACTED@")
    .replace(PATH_TOKEN, "/$1=REDACTED")
    .replace(IMGPROXY, "$1REDACTED")
    .replace(/([?&;])([^=&#;]{1,100})=([^&#]*)/g, (token, mark: string, name: string, value: string) =>
      isHidden(decodeOr(name), value) ? `${mark}${name}=REDACTED` : token,
    );
}

function withoutNested(token: string, front: string, _mark: string, name: string, value: string): string {
  return name === "" || isHidden(name, value) ? `${front}REDACTED` : token;
}

function isHidden(name: string, value: string): boolean {
  return HIDDEN.get(name.toLowerCase())?.test(value) === true;
}

/** Replaces every occurrence of the given texts in all strings of a value. */
export function hide<T>(value: T, hidden: readonly string[]): T {
  // A very short text is not a signature, and occurs in many other texts.
  const texts = hidden.filter((text) => text.length >= 8).sort((a, b) => b.length - a.length);
  return texts.length === 0 ? value : (walk(value, texts) as T);
}

function walk(value: unknown, texts: readonly string[]): unknown {
  if (typeof value === "string") return texts.reduce((text, hidden) => text.replaceAll(hidden, "…"), value);
  if (Array.isArray(value)) return value.map((item) => walk(item, texts));
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, walk(item, texts)]));
}
