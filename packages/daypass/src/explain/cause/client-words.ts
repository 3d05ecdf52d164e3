import type { Cause, CauseCode } from "../explanation.ts";

/** What a client says of a request whose answer nobody has seen: a browser's console, curl, an HTTP library. */
type Row = readonly [
  words: RegExp,
  cause: CauseCode,
  sentence: string | ((found: RegExpExecArray) => string),
  fix: string | ((found: RegExpExecArray) => string),
  /** Whether the store may have refused the request as well, with an answer that the page was not shown. */
  isVague?: true,
];

const RULES =
  "The bucket's CORS rules do not let this page do this: a preflight is answered from them alone, and no signature helps.";
const SET_RULE = "Set a CORS rule with the page's origin, the method and the headers that it sends.";
const UNSEEN =
  "The browser hides the answer from the page, because it has no Access-Control-Allow-Origin: either the bucket has no CORS rule for this origin and method, or what stands in front of it answered.";

/** The first that fits counts. The words are those of Chrome, Firefox, Safari, curl, Node, Python, Go and Java. */
const ROWS: readonly Row[] = [
  [
    /violates the following Content Security Policy directive|Content-Security-Policy: The page.s settings blocked/i,
    "POLICY",
    "The page's own Content-Security-Policy forbids it to ask this host: the request was never sent.",
    "Add the host to connect-src (to img-src or media-src for pictures and films) in the Content-Security-Policy of the page.",
  ],
  [
    /Mixed Content|blocked loading mixed active content|was loaded over HTTPS, but requested an insecure/i,
    "PROTOCOL",
    "The page came over https and the URL says http: the browser does not send such a request.",
    "Sign for the https endpoint of the store.",
  ],
  [
    /Method (\w+) is not allowed by Access-Control-Allow-Methods|Did not find method in CORS header/i,
    "CORS",
    ([, method]) => `The bucket's CORS rules do not have the method${method === undefined ? "" : ` ${method}`}.`,
    ([, method]) => `Add ${method ?? "the method"} to the methods of the CORS rule (AllowedMethods).`,
  ],
  [
    /Request header field ([\w-]{1,80}) is not allowed by Access-Control-Allow-Headers|header .([\w-]{1,80}). is not allowed according to header/i,
    "CORS",
    ([, chrome, firefox]) =>
      `The bucket's CORS rules do not have the header ${chrome ?? firefox}, which the page sends.`,
    ([, chrome, firefox]) =>
      `Add ${chrome ?? firefox} to the headers of the CORS rule (AllowedHeaders), or do not send it where it is not signed.`,
  ],
  [
    /Access-Control-Allow-Origin. header contains (?:multiple values|the invalid value)|Multiple CORS header/i,
    "CORS",
    "Two of them answer with CORS headers, the store and what stands in front of it, and a browser takes one only.",
    "Set them in one place: leave them to the store, or let the proxy drop the store's own.",
  ],
  [
    /must not be the wildcard '\*' when the request's credentials mode is 'include'|Credential is not supported if the CORS header/i,
    "CORS",
    "The page sends its cookies along (credentials: include), and a CORS rule with * does not allow that.",
    "Send the request without credentials: a signed URL needs none.",
  ],
  [
    /doesn't pass access control check: Redirect is not allowed/i,
    "ENDPOINT",
    "The store answered the preflight with a redirect, to its endpoint in another region as a rule, and no browser follows it.",
    "Sign with the bucket's regional endpoint.",
  ],
  [
    /Response to preflight request doesn't pass|CORS preflight (?:response|channel) did not succeed|Preflight response is not successful/i,
    "CORS",
    RULES,
    SET_RULE,
  ],
  [
    /No 'Access-Control-Allow-Origin' header is present|blocked by CORS policy|CORS header .Access-Control-Allow-Origin. missing|is not allowed by Access-Control-Allow-Origin|due to access control checks|Cross-Origin Request Blocked/i,
    "CORS",
    UNSEEN,
    `${SET_RULE} Some stores leave it out of their refusals, too: look at the answer's status in the network tab, or send the request with curl.`,
    true,
  ],
  [
    /ERR_NAME_NOT_RESOLVED|Could not resolve host|getaddrinfo|ENOTFOUND|NameResolutionError|no such host|UnknownHostException|Name or service not known|nodename nor servname|Temporary failure in name resolution/i,
    "HOST",
    "The client does not find the host of the URL by its name: it is one inside another network (of containers, for one), or is misspelt.",
    "Sign with the name by which clients reach the store (publicEndpoint, endpoint): the host is signed, and cannot be replaced afterwards.",
  ],
  [
    /ERR_CONNECTION_REFUSED|ECONNREFUSED|Connection refused|actively refused it|ConnectException/i,
    "HOST",
    "Nobody listens where the URL leads: at this host and port the client reached no server.",
    "Look at host and port of the URL: localhost is the client's own machine. Sign with the name by which clients reach the store.",
  ],
  [
    /ERR_CERT_COMMON_NAME_INVALID|ERR_TLS_CERT_ALTNAME_INVALID|SSL: no alternative certificate subject name|hostname '[^']{1,253}' doesn't match|Hostname mismatch|SSL_ERROR_BAD_CERT_DOMAIN|certificate is valid for .* not /i,
    "HOST",
    "The server's certificate is not for the host of the URL: a bucket with dots in its name has none in front of the store's host.",
    "Sign in path style (addressing: path), or name the bucket without dots.",
  ],
  [
    /ERR_CERT_AUTHORITY_INVALID|self[- ]signed certificate|unable to verify the first certificate|CERTIFICATE_VERIFY_FAILED|unable to get local issuer/i,
    "PROXY",
    "The client does not trust the server's certificate: the request was never sent.",
    "Give the server a certificate that clients trust, or the client the authority that made it.",
  ],
  [
    /ERR_SSL_PROTOCOL_ERROR|wrong version number|EPROTO|SSL routines/i,
    "PROTOCOL",
    "The URL says https, and the server speaks http at this port.",
    "Sign for http (endpoint), or for the port of https.",
  ],
];

/** What a client's own words mean. `undefined` where they are none that are known. */
export function clientCause(text: string): { readonly cause: Cause; readonly isVague: boolean } | undefined {
  for (const [words, code, sentence, fix, isVague = false] of ROWS) {
    const found = words.exec(text);
    if (found === null) continue;
    const said = (what: typeof sentence): string => (typeof what === "string" ? what : what(found));
    return {
      cause: { code, sentence: said(sentence), evidence: [`The client says: ${found[0]}`], fix: said(fix) },
      isVague,
    };
  }
  return undefined;
}
