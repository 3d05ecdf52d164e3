import { redactUrl } from "./redact.ts";

/** What a store says to each of these, in whatever a program or a person has kept of its answer. The first that fits counts. */
const SENTENCES: readonly (readonly [code: string, words: RegExp])[] = [
  ["SignatureDoesNotMatch", /The request signature we calculated does not match/i],
  ["AccessDenied", /(?<!SAS )\bRequest has expired\b|headers present in the request which were not signed/i],
  ["ExpiredToken", /The provided token has expired|The security token included in the request is expired/i],
  ["InvalidToken", /The provided token is malformed or otherwise invalid/i],
  ["InvalidAccessKeyId", /Access Key Id you provided does not exist in our records/i],
  ["InvalidRequest", /The authorization mechanism you have provided is not supported/i],
  ["InvalidArgument", /Only one auth mechanism allowed/i],
  ["AuthorizationQueryParametersError", /X-Amz-Expires must be less than a week|Error parsing the X-Amz-Credential/i],
  ["Unauthorized", /SigV2 authorization is not supported/i],
  ["PermanentRedirect", /must be addressed using the specified endpoint/i],
  ["AuthenticationFailed", /Server failed to authenticate the request/i],
  ["CORSResponse", /CORSResponse: /],
  [
    "InvalidSignatureException",
    /Credential should be scoped to (?:a valid|correct) |Signature expired: \d{8}T|Signature not yet current: \d{8}T/i,
  ],
  ["UnrecognizedClientException", /The security token included in the request is invalid/i],
  [
    "AccessDeniedException",
    // The latter as it stands in API Gateway's JSON: an application's sentence may have the same words.
    /\bUser: \S{1,200} is not authorized to perform: |(?<!\w )\bUser is not authorized to access this resource/,
  ],
];

/** Codes that are no word of any other sentence, and no name of an exception that every program has. */
const CODES =
  /\b(SignatureDoesNotMatch|AccessDenied|InvalidAccessKeyId|ExpiredToken|InvalidToken|RequestTimeTooSkewed|AuthorizationQueryParametersError|AuthorizationHeaderMalformed|AuthenticationFailed|Authorization(?:Failure|PermissionMismatch|ProtocolMismatch|SourceIPMismatch|ResourceTypeMismatch|ServiceMismatch)|NoSuch(?:Key|Bucket|Version)|(?:Blob|Container)NotFound|(?:Permanent|Temporary)Redirect|XAmzContentSHA256Mismatch|MalformedSecurityHeader|MissingSecurityHeader|MalformedPolicy|(?:UnauthorizedAccess|NotImplemented)(?!Error|Exception)|BadDigest|InvalidDigest)(?![a-z])/;

const NAMES = ["StringToSign", "CanonicalRequest", "FormatString", "AuthenticationErrorDetail"];
const BEHIND =
  /["']?,\s{0,20}["']?[A-Za-z_]{2,40}["']?\s{0,20}[=:]|\n\s{0,20}(?:Content|Headers|ErrorCode|Additional Information):|["']?\s{0,20}\}|$/
    .source;
/** Parts of an answer that exceptions show by name, up to the next one. */
const PARTS = new RegExp(`\\b(${NAMES.join("|")})["']?\\s*[=:]\\s*["']?([\\s\\S]{1,4000}?)(?=${BEHIND})`, "gi");

// Each part is looked for from its name on.
const MAX_TEXT = 32_768;

/**
 * What an exception, a log or a person tells of an answer: its code, its sentence, and the texts that it shows. `undefined` where
 * none is known, and for a page.
 */
export function wordsOf(body: string): ReadonlyMap<string, string> | undefined {
  const text = body.slice(0, MAX_TEXT);
  if (/<(?:!doctype|html|head|body|title|h[1-6]|li)\b/i.test(text)) return undefined;
  const [code, sentence] = SENTENCES.find(([, words]) => words.test(text)) ?? [];
  const [, named] = CODES.exec(text) ?? [];
  const found = named ?? code;
  if (found === undefined) return undefined;
  // An exception has the sentence behind the code.
  const behind =
    named === undefined ? "" : lineAt(text, text.indexOf(named) + named.length).replace(/^[)\]:;,\s]+/, "");
  const message = sentence === undefined ? behind : lineAt(text, text.search(sentence));
  const parts = [...text.matchAll(PARTS)].map(([, name = "", part = ""]): [string, string] => [
    NAMES.find((known) => known.toLowerCase() === name.toLowerCase()) ?? name,
    part.replace(/\r/g, "").trim(),
  ]);
  return new Map([...parts, ["Code", found], ["Message", message]]);
}

const MAX_SENTENCE = 300;

/** The sentence at a place, to the end of its line or to the next element. In a log more than a sentence may stand there. */
function lineAt(text: string, start: number): string {
  const line = (/^[^\n<{}]*/.exec(text.slice(start, start + MAX_SENTENCE))?.[0] ?? "").trim();
  return line.replace(/https?:\/\/[^\s"'`<>]+/gi, redactUrl).replace(LOGIN, "$1REDACTED");
}

/** What opens something by its name, in a log's line: a header, a password, a token. */
const LOGIN =
  /\b((?:[\w-]*(?:authorization|cookie|password|passwd|secret|token|signature)|[\w-]+[-_]key|(?:api|access|secret)key)["']?\s?[=:]\s?)(?:"[^"]*"?|'[^']*'?|(?:bearer|basic)\s+[^\s,;]+|[^\s,;]+)/gi;
