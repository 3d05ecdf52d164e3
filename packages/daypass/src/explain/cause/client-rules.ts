import { amazonBucket } from "../amazon-host.ts";
import type { SplitUrl } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { type AnswerRule, filled } from "./answer-rules.ts";
import { CORS_FIX, CORS_SENTENCE } from "./server-rules.ts";

/** A client's message about a request whose answer is unknown: of a browser's console, curl or an HTTP library. */
interface ClientRule extends Omit<AnswerRule, "code" | "says"> {
  readonly says: RegExp;
  /** The protocol of the URLs that the message can be about. */
  readonly protocol?: SplitUrl["protocol"];
  /** Whether the message names the host that it is about. */
  readonly namesHost?: true;
  /** Whether the rule is for a bucket with dots in an Amazon host alone. */
  readonly hasDots?: true;
}

/** The host that a client could not resolve, in the messages of curl, Node, Go, Java and Python. */
const UNRESOLVED =
  /(?:resolve host(?:name)?:? |ENOTFOUND |EAI_AGAIN |\blookup |UnknownHostException: |resolve ['"]|no such host:? )([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)/i;

const OTHER_NAME =
  /ERR_CERT_COMMON_NAME_INVALID|ERR_TLS_CERT_ALTNAME_INVALID|SSL: no alternative certificate subject name|hostname '[^']{1,253}' doesn't match|Hostname mismatch|SSL_ERROR_BAD_CERT_DOMAIN|certificate is valid for .{1,500}, not /i;

/** The first match counts. Messages of Chrome, Firefox, Safari, curl, Node, Python, Go and Java. */
const CLIENT_RULES: readonly ClientRule[] = [
  {
    says: /violates the following Content Security Policy directive|Content-Security-Policy: The page.s settings blocked/i,
    cause: "POLICY",
    sentence: "The page's own Content-Security-Policy forbids requests to this host: the request was never sent.",
    fix: "Add the host to connect-src (img-src or media-src for images and video) in the page's Content-Security-Policy.",
  },
  {
    // A browser sends a request that it upgrades to https.
    says: /Mixed Content(?!.{0,2000}automatically upgraded)|blocked loading mixed active content|was loaded over HTTPS, but requested an insecure(?!.{0,2000}automatically upgraded)/i,
    protocol: "http",
    cause: "PROTOCOL",
    sentence: "The page was loaded over https and the URL is http: the browser blocks such a request (mixed content).",
    fix: "Sign for the https endpoint of the store.",
  },
  {
    says: /Method (\w+) is not allowed by Access-Control-Allow-Methods|Did not find method in CORS header/i,
    cause: "CORS",
    sentence: "The bucket's CORS rules do not allow the method{ $1}.",
    fix: "Add {$1|the method} to the methods of the CORS rule (AllowedMethods).",
  },
  {
    says: /Request header field ([\w-]{1,80}) is not allowed by Access-Control-Allow-Headers|header .([\w-]{1,80}). is not allowed according to header/i,
    cause: "CORS",
    sentence: "The bucket's CORS rules do not allow the header {$1|$2}, which the page sends.",
    fix: "Add {$1|$2} to the headers of the CORS rule (AllowedHeaders), or do not send it if it is not signed.",
  },
  {
    says: /Access-Control-Allow-Origin. header contains (?:multiple values|the invalid value)|Multiple CORS header/i,
    cause: "CORS",
    sentence: "Both the store and something in front of it send CORS headers, and a browser accepts only one set.",
    fix: "Set them in one place: leave them to the store, or have the proxy drop the store's.",
  },
  {
    says: /must not be the wildcard '\*' when the request's credentials mode is 'include'|Credential is not supported if the CORS header/i,
    cause: "CORS",
    sentence: "The page sends its cookies (credentials: include), and a CORS rule with * does not allow that.",
    fix: "Send the request without credentials: a signed URL needs none.",
  },
  {
    says: /doesn't pass access control check: Redirect is not allowed/i,
    cause: "ENDPOINT",
    sentence:
      "The store answered the preflight with a redirect, usually to its endpoint in another region, and browsers do not follow it.",
    fix: "Sign with the bucket's regional endpoint.",
  },
  {
    says: /Response to preflight request doesn't pass|CORS preflight (?:response|channel) did not succeed|Preflight response is not successful/i,
    cause: "CORS",
    sentence: CORS_SENTENCE,
    fix: CORS_FIX,
  },
  {
    // Firefox begins this message with "Cross-Origin Request Blocked", too.
    says: /CORS request did not succeed/i,
    cause: "HOST",
    sentence:
      "No response reached the browser, and CORS is not the reason: nothing listens at this host and port, the browser does not trust the certificate, or an add-on or the network blocked the request.",
    fix: "Open the URL in a tab of the same browser, or request it with curl -v, to see which of these it is.",
  },
  {
    says: /No 'Access-Control-Allow-Origin' header is present|blocked by CORS policy|CORS header .Access-Control-Allow-Origin. missing|is not allowed by Access-Control-Allow-Origin|due to access control checks|Cross-Origin Request Blocked/i,
    cause: "CORS",
    sentence:
      "The browser hides the response from the page, because it has no Access-Control-Allow-Origin: either the bucket has no CORS rule for this origin and method, or something in front of it answered.",
    fix: `${CORS_FIX} Some stores also omit it when they refuse a request: look at the status in the network tab, or send the request with curl.`,
    isGuess: true,
  },
  {
    says: /\bFailed to fetch\b(?! dynamically)|NetworkError when attempting to fetch resource|(?:^|TypeError: )Load failed|(?:^|Error: )Network Error\b|net::ERR_FAILED/im,
    cause: "CORS",
    sentence:
      "No answer reached the page: most likely the bucket has no CORS rule for this origin, method and headers, or the network failed.",
    fix: `${CORS_FIX} If the network tab shows no response at all, check host, port and certificate.`,
    isGuess: true,
  },
  {
    says: /ERR_NAME_NOT_RESOLVED|Could not resolve host|getaddrinfo|ENOTFOUND|NameResolutionError|no such host|UnknownHostException|Name or service not known|nodename nor servname|Temporary failure in name resolution/i,
    namesHost: true,
    cause: "HOST",
    sentence:
      "The client cannot resolve the host of the URL: it is a name inside another network (of containers, for example), or is misspelt.",
    fix: "Sign with the name by which clients reach the store (publicEndpoint, endpoint): the host is signed, and cannot be replaced afterwards.",
  },
  {
    says: /ERR_CONNECTION_REFUSED|ECONNREFUSED|Connection refused|actively refused it/i,
    cause: "HOST",
    sentence: "The client could not connect: nothing listens at the host and port of the URL.",
    fix: "Check the URL's host and port: localhost is the client's own machine. Sign with the name by which clients reach the store.",
  },
  {
    says: OTHER_NAME,
    hasDots: true,
    cause: "HOST",
    sentence:
      "The server's certificate is not for the host of the URL: a wildcard certificate does not cover a bucket with dots in its name.",
    fix: "Sign in path style (addressing: path), or name the bucket without dots.",
  },
  {
    says: OTHER_NAME,
    cause: "HOST",
    sentence: "The server's certificate is not for the host of the URL: it is for other names.",
    fix: "Sign with a name that the certificate covers (endpoint), or give the server one for this name; a bucket with dots in its name needs path style (addressing: path).",
  },
  {
    says: /ERR_CERT_AUTHORITY_INVALID|ERR_CERT_DATE_INVALID|CERT_HAS_EXPIRED|self[- ]signed certificate|unable to verify the first certificate|CERTIFICATE_VERIFY_FAILED|certificate verify failed|certificate has expired|certificate signed by unknown authority|unable to get local issuer|PKIX path building failed/i,
    cause: "PROXY",
    sentence: "The client does not trust the server's certificate: the request was never sent.",
    fix: "Give the server a valid certificate that clients trust, or make the client trust the authority that issued it.",
  },
  {
    says: /ERR_SSL_PROTOCOL_ERROR|wrong.version.number|first record does not look like a TLS handshake/i,
    protocol: "https",
    cause: "PROTOCOL",
    sentence: "The URL says https, and the server speaks http at this port.",
    fix: "Sign for http (endpoint), or for the https port.",
  },
  {
    says: /(?:^|TypeError: )fetch failed/im,
    cause: "HOST",
    sentence:
      "No answer reached the program: the network failed, nothing listens at the host and port of the URL, or the certificate is not trusted.",
    fix: "Print the error's cause, which names the reason (console.error(error.cause)), or request the URL with curl -v.",
    isGuess: true,
  },
];

/** The meaning of a client's message. `undefined` if it is unknown or about a URL other than `asked`. */
export function clientCause(text: string, asked?: Pick<SplitUrl, "protocol" | "authority">): Cause | undefined {
  const { protocol, authority = "" } = asked ?? {};
  const [, host = ""] = UNRESOLVED.exec(text) ?? [];
  const isOtherHost = host !== "" && host.toLowerCase() !== authority.replace(/:\d+$/, "").toLowerCase();
  for (const rule of CLIENT_RULES) {
    const found = rule.says.exec(text);
    if (found === null || (rule.hasDots === true && amazonBucket(authority)?.includes(".") !== true)) continue;
    if (asked !== undefined && ((rule.protocol ?? protocol) !== protocol || (rule.namesHost && isOtherHost))) continue;
    const fill = (template: string): string => filled(template, (name) => found[Number(name)]);
    const { cause: code, isGuess } = rule;
    const evidence = [`The client says: ${found[0]}`];
    return { code, sentence: fill(rule.sentence), evidence, fix: fill(rule.fix), isGuess };
  }
  return undefined;
}
