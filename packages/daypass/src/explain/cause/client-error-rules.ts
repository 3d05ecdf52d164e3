import { amazonBucket } from "../amazon-host.ts";
import type { SplitUrl } from "../explainer.ts";
import type { Cause, CauseCode } from "../explanation.ts";
import { CORS_FIX, CORS_SENTENCE } from "./common-error-rules.ts";

/** The URL that was asked for, where it is at hand. */
type Asked = Pick<SplitUrl, "protocol" | "authority"> | undefined;
type Told = string | ((found: RegExpExecArray, asked: Asked) => string);

/** What a client says of a request whose answer nobody has seen: a browser's console, curl, an HTTP library. */
interface Row {
  readonly words: RegExp;
  readonly code: CauseCode;
  readonly sentence: Told;
  readonly fix: Told;
  /** Whether the store may have refused the request as well, with an answer that the page was not shown. */
  readonly isVague?: true;
  /** Whether the words are of this URL: a console and a log speak of others, too. */
  isOf?(asked: NonNullable<Asked>, text: string): boolean;
}

const UNSEEN =
  "The browser hides the response from the page, because it has no Access-Control-Allow-Origin: either the bucket has no CORS rule for this origin and method, or something in front of it answered.";

const isHttp = ({ protocol }: NonNullable<Asked>): boolean => protocol === "http";
const isHttps = ({ protocol }: NonNullable<Asked>): boolean => protocol === "https";

/** The name that a client could not find; curl's, Node's, Go's, Java's and Python's words. */
const UNFOUND =
  /(?:resolve host(?:name)?:? |ENOTFOUND |EAI_AGAIN |\blookup |UnknownHostException: |resolve ['"]|no such host:? )([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)/i;

/** The first that fits counts. The words are those of Chrome, Firefox, Safari, curl, Node, Python, Go and Java. */
const ROWS: readonly Row[] = [
  {
    words:
      /violates the following Content Security Policy directive|Content-Security-Policy: The page.s settings blocked/i,
    code: "POLICY",
    sentence: "The page's own Content-Security-Policy forbids requests to this host: the request was never sent.",
    fix: "Add the host to connect-src (img-src or media-src for images and video) in the page's Content-Security-Policy.",
  },
  {
    // What a browser upgrades to https it sends.
    words:
      /Mixed Content(?!.{0,2000}automatically upgraded)|blocked loading mixed active content|was loaded over HTTPS, but requested an insecure(?!.{0,2000}automatically upgraded)/i,
    isOf: isHttp,
    code: "PROTOCOL",
    sentence: "The page was loaded over https and the URL is http: the browser blocks such a request (mixed content).",
    fix: "Sign for the https endpoint of the store.",
  },
  {
    words: /Method (\w+) is not allowed by Access-Control-Allow-Methods|Did not find method in CORS header/i,
    code: "CORS",
    sentence: ([, method]) =>
      `The bucket's CORS rules do not allow the method${method === undefined ? "" : ` ${method}`}.`,
    fix: ([, method]) => `Add ${method ?? "the method"} to the methods of the CORS rule (AllowedMethods).`,
  },
  {
    words:
      /Request header field ([\w-]{1,80}) is not allowed by Access-Control-Allow-Headers|header .([\w-]{1,80}). is not allowed according to header/i,
    code: "CORS",
    sentence: ([, chrome, firefox]) =>
      `The bucket's CORS rules do not allow the header ${chrome ?? firefox}, which the page sends.`,
    fix: ([, chrome, firefox]) =>
      `Add ${chrome ?? firefox} to the headers of the CORS rule (AllowedHeaders), or do not send it if it is not signed.`,
  },
  {
    words: /Access-Control-Allow-Origin. header contains (?:multiple values|the invalid value)|Multiple CORS header/i,
    code: "CORS",
    sentence: "Both the store and something in front of it send CORS headers, and a browser accepts only one set.",
    fix: "Set them in one place: leave them to the store, or have the proxy drop the store's.",
  },
  {
    words:
      /must not be the wildcard '\*' when the request's credentials mode is 'include'|Credential is not supported if the CORS header/i,
    code: "CORS",
    sentence: "The page sends its cookies (credentials: include), and a CORS rule with * does not allow that.",
    fix: "Send the request without credentials: a signed URL needs none.",
  },
  {
    words: /doesn't pass access control check: Redirect is not allowed/i,
    code: "ENDPOINT",
    sentence:
      "The store answered the preflight with a redirect, usually to its endpoint in another region, and browsers do not follow it.",
    fix: "Sign with the bucket's regional endpoint.",
  },
  {
    words:
      /Response to preflight request doesn't pass|CORS preflight (?:response|channel) did not succeed|Preflight response is not successful/i,
    code: "CORS",
    sentence: CORS_SENTENCE,
    fix: CORS_FIX,
  },
  {
    // Firefox says "Cross-Origin Request Blocked" of it all the same.
    words: /CORS request did not succeed/i,
    code: "HOST",
    sentence:
      "No response reached the browser, and CORS is not the reason: nothing listens at this host and port, the browser does not trust the certificate, or an add-on or the network blocked the request.",
    fix: "Open the URL in a tab of the same browser, or request it with curl -v, to see which of these it is.",
  },
  {
    words:
      /No 'Access-Control-Allow-Origin' header is present|blocked by CORS policy|CORS header .Access-Control-Allow-Origin. missing|is not allowed by Access-Control-Allow-Origin|due to access control checks|Cross-Origin Request Blocked/i,
    code: "CORS",
    sentence: UNSEEN,
    fix: `${CORS_FIX} Some stores also omit it when they refuse a request: look at the status in the network tab, or send the request with curl.`,
    isVague: true,
  },
  {
    words:
      /ERR_NAME_NOT_RESOLVED|Could not resolve host|getaddrinfo|ENOTFOUND|NameResolutionError|no such host|UnknownHostException|Name or service not known|nodename nor servname|Temporary failure in name resolution/i,
    isOf({ authority }, text) {
      const [, name] = UNFOUND.exec(text) ?? [];
      return name === undefined || name.toLowerCase() === authority.replace(/:\d+$/, "").toLowerCase();
    },
    code: "HOST",
    sentence:
      "The client cannot resolve the host of the URL: it is a name inside another network (of containers, for example), or is misspelt.",
    fix: "Sign with the name by which clients reach the store (publicEndpoint, endpoint): the host is signed, and cannot be replaced afterwards.",
  },
  {
    words: /ERR_CONNECTION_REFUSED|ECONNREFUSED|Connection refused|actively refused it/i,
    code: "HOST",
    sentence: "The client could not connect: nothing listens at the host and port of the URL.",
    fix: "Check the URL's host and port: localhost is the client's own machine. Sign with the name by which clients reach the store.",
  },
  {
    words:
      /ERR_CERT_COMMON_NAME_INVALID|ERR_TLS_CERT_ALTNAME_INVALID|SSL: no alternative certificate subject name|hostname '[^']{1,253}' doesn't match|Hostname mismatch|SSL_ERROR_BAD_CERT_DOMAIN|certificate is valid for .{1,500}, not /i,
    code: "HOST",
    sentence: (_, asked) =>
      `The server's certificate is not for the host of the URL: ${hasDots(asked) ? "a wildcard certificate does not cover a bucket with dots in its name" : "it is for other names"}.`,
    fix: (_, asked) =>
      hasDots(asked)
        ? "Sign in path style (addressing: path), or name the bucket without dots."
        : "Sign with a name that the certificate covers (endpoint), or give the server one for this name; a bucket with dots in its name needs path style (addressing: path).",
  },
  {
    words:
      /ERR_CERT_AUTHORITY_INVALID|ERR_CERT_DATE_INVALID|CERT_HAS_EXPIRED|self[- ]signed certificate|unable to verify the first certificate|CERTIFICATE_VERIFY_FAILED|certificate verify failed|certificate has expired|certificate signed by unknown authority|unable to get local issuer|PKIX path building failed/i,
    code: "PROXY",
    sentence: "The client does not trust the server's certificate: the request was never sent.",
    fix: "Give the server a valid certificate that clients trust, or make the client trust the authority that issued it.",
  },
  {
    words: /ERR_SSL_PROTOCOL_ERROR|wrong.version.number|first record does not look like a TLS handshake/i,
    isOf: isHttps,
    code: "PROTOCOL",
    sentence: "The URL says https, and the server speaks http at this port.",
    fix: "Sign for http (endpoint), or for the https port.",
  },
];

function hasDots(asked: Asked): boolean {
  return amazonBucket(asked?.authority ?? "")?.includes(".") === true;
}

/** What a client's own words mean. `undefined` where they are none that are known, or are of another URL. */
export function clientCause(
  text: string,
  asked?: Asked,
): { readonly cause: Cause; readonly isVague: boolean } | undefined {
  for (const { words, isOf, code, sentence, fix, isVague = false } of ROWS) {
    const found = words.exec(text);
    if (found === null || (asked !== undefined && isOf?.(asked, text) === false)) continue;
    const said = (what: Told): string => (typeof what === "string" ? what : what(found, asked));
    return {
      cause: { code, sentence: said(sentence), evidence: [`The client says: ${found[0]}`], fix: said(fix) },
      isVague,
    };
  }
  return undefined;
}
