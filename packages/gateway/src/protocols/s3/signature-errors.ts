import type { ErrorDetails } from "daypass";

/** Names and values inside `<Error>`, in the order in which they are written. */
export type ErrorFields = readonly (readonly [name: string, value: string])[];

/** An error of S3: its code, the status of the code, and Amazon's words, which SDKs and people search for. */
export interface S3Error {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly fields?: ErrorFields;
}

export function invalidArgument(name: string, message: string, value?: string): S3Error {
  const fields = [["ArgumentName", name] as const, ...(value === undefined ? [] : [["ArgumentValue", value] as const])];
  return { status: 400, code: "InvalidArgument", message, fields };
}

type Texts = Readonly<Record<"parameter" | "problem" | "found" | "expected", string>>;

/**
 * The error for a signature that cannot be read. versitygw and MinIO recorded these texts of AWS; SDKs and
 * troubleshooting pages quote them.
 */
export function malformedError(details: ErrorDetails): S3Error {
  const texts = textsOf(details);
  const { parameter, problem } = texts;
  if (details["part"] === "chunks") return CHUNKS[problem] ?? brokenChunks;
  if (parameter === "") return { status: 400, code: "InvalidURI", message: "Couldn't parse the specified URI." };
  if (parameter === "Authorization") return headerError(texts);
  if (parameter === "authorization") return twoMechanisms;
  if (problem === "spelling") return queryError(texts);
  if (parameter === "Expires" || parameter === "AWSAccessKeyId" || parameter === "Signature") {
    return version2Error(parameter, problem);
  }
  if (!QUERY.test(parameter)) return argumentError(texts);
  return parameter === "X-Amz-Signature" && problem === "form" ? mismatch : queryError(texts);
}

/** The parameters of SigV4 in the query. The names of headers are in lower case. */
const QUERY =
  /^X-Amz-(?:Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token|Content-Sha256|Region-Set)$/;

const malformedTrailer: S3Error = {
  status: 400,
  code: "MalformedTrailerError",
  message: "The request contained trailing data that was not well-formed or did not conform to our published schema.",
};

/** The errors of a body in chunks, by problem. */
const CHUNKS: Readonly<Record<string, S3Error>> = {
  "chunk-size": {
    status: 403,
    code: "InvalidChunkSizeError",
    message: "Only the last chunk is allowed to have a size less than 8192 bytes",
  },
  trailers: malformedTrailer,
};

const brokenChunks: S3Error = {
  status: 400,
  code: "IncompleteBody",
  message: "The request body terminated unexpectedly",
};

/** The error for a signature that was made for another region or service. */
export function scopeError(details: ErrorDetails): S3Error {
  const { parameter, problem, found, expected } = textsOf(details);
  if (parameter === "x-amz-credential") {
    const message =
      problem === "region"
        ? `the region '${found}' is wrong; expecting '${expected}'`
        : `incorrect service "${found}". This endpoint belongs to "${expected}".`;
    const error = invalidArgument("X-Amz-Credential", message, String(details["value"] ?? ""));
    return problem === "region" ? { ...error, fields: [...(error.fields ?? []), ["Region", expected]] } : error;
  }
  const isHeader = parameter === "Authorization";
  const code = isHeader ? "AuthorizationHeaderMalformed" : "AuthorizationQueryParametersError";
  const intro = isHeader ? "The authorization header is malformed" : "Error parsing the X-Amz-Credential parameter";
  if (problem === "region") {
    const message = `${intro}; the region '${found}' is wrong; expecting '${expected}'`;
    // SDKs repeat the request in the region of this field.
    return { status: 400, code, message, fields: [["Region", expected]] };
  }
  const message = `${intro}; incorrect service "${found}". This endpoint belongs to "${expected}".`;
  return { status: 400, code, message };
}

const INCOMPLETE =
  "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";

/** The errors of a credential, in the query and in the header alike. `{name}` stands for a detail. */
const CREDENTIAL = {
  credential: 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
  terminator: 'incorrect terminal "{found}". This endpoint uses "aws4_request".',
  "date-form": 'incorrect date format "{found}". This date in the credential must be in the format "yyyyMMdd".',
  "date-mismatch": 'Invalid credential date "{found}". This date is not the same as X-Amz-Date: "{expected}".',
};
/** Amazon's words for the credential of a form, which have no introduction. */
export function credentialMessage(details: ErrorDetails): string | undefined {
  const texts = textsOf(details);
  const message = (CREDENTIAL as Readonly<Record<string, string>>)[texts.problem];
  return message === undefined ? undefined : filled(message, texts);
}

/** Amazon names the fields of a signature with capitals, however the form does. */
export function formFieldName(name: string): string {
  return /^x-amz-(?:algorithm|credential|date|signature|security-token)$/.test(name)
    ? name.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase())
    : name;
}

const IN_QUERY = "Error parsing the X-Amz-Credential parameter; ";

/** By parameter and problem, or by the problem alone. */
const QUERY_MESSAGES: Readonly<Record<string, string>> = {
  missing: INCOMPLETE,
  duplicate: "{parameter} was given more than once.",
  spelling: "{parameter} is not spelled as documented.",
  conflict: "X-Amz-Content-Sha256 differs between query and header.",
  algorithm: 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"',
  "X-Amz-Credential credential": IN_QUERY + CREDENTIAL.credential,
  terminator: IN_QUERY + CREDENTIAL.terminator,
  "date-form": IN_QUERY + CREDENTIAL["date-form"],
  "date-mismatch": CREDENTIAL["date-mismatch"],
  "X-Amz-Date form": "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
  "not-a-number": "X-Amz-Expires should be a number",
  negative: "X-Amz-Expires must be non-negative",
  "too-large":
    "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
  host: 'X-Amz-SignedHeaders must include "host"',
  names: "X-Amz-SignedHeaders must be lower-case header names, each once, joined by semicolons",
};

function queryError(texts: Texts): S3Error {
  const { parameter, problem } = texts;
  const message = QUERY_MESSAGES[`${parameter} ${problem}`] ?? QUERY_MESSAGES[problem] ?? INCOMPLETE;
  return { status: 400, code: "AuthorizationQueryParametersError", message: filled(message, texts) };
}

const mismatch: S3Error = {
  status: 403,
  code: "SignatureDoesNotMatch",
  message:
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
};

/** The error for more than one signature. */
export const twoMechanisms: S3Error = invalidArgument(
  "Authorization",
  "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
);

/** The errors of the header of SigV4, after "The authorization header is malformed; ". */
const HEADER_MESSAGES: Readonly<Record<string, string>> = {
  ...CREDENTIAL,
  host: 'SignedHeaders must include "host".',
  names: "SignedHeaders must be lower-case header names, each once, joined by semicolons.",
};

function headerError(texts: Texts): S3Error {
  const { problem } = texts;
  if (problem === "signature") return mismatch;
  if (problem === "key-and-signature") {
    // Amazon repeats the header, which may contain a credential.
    const message = "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature";
    return invalidArgument("Authorization", message);
  }
  const message =
    HEADER_MESSAGES[problem] ??
    "the authorization header requires three components: Credential, SignedHeaders, and Signature.";
  return {
    status: 400,
    code: "AuthorizationHeaderMalformed",
    message: `The authorization header is malformed; ${filled(message, texts)}`,
  };
}

/** The errors of missing headers. */
const MISSING: Readonly<Record<string, S3Error>> = {
  "x-amz-content-sha256": {
    status: 400,
    code: "InvalidRequest",
    message: "Missing required header for this request: x-amz-content-sha256",
  },
  "x-amz-decoded-content-length": {
    status: 411,
    code: "MissingContentLength",
    message: "You must provide the Content-Length HTTP header.",
  },
  "x-amz-trailer": malformedTrailer,
};

/** The error for a header or parameter that does not belong to the signature itself. */
function argumentError({ parameter, problem, found }: Texts): S3Error {
  const value = found === "" ? undefined : found;
  if (problem === "duplicate") return invalidArgument(parameter, `${parameter} was given more than once.`, value);
  if (parameter === "x-amz-date" || parameter.toLowerCase() === "date") {
    const message = "AWS authentication requires a valid Date or x-amz-date header";
    return { status: 403, code: "AccessDenied", message };
  }
  const missing = problem === "missing" ? MISSING[parameter] : undefined;
  if (missing !== undefined) return missing;
  if (parameter === "x-amz-trailer") {
    const message = "The value specified in the x-amz-trailer header is not supported";
    return { status: 400, code: "InvalidRequest", message };
  }
  return invalidArgument(parameter, `The value of ${parameter} is not valid.`, value);
}

function version2Error(parameter: string, problem: string): S3Error {
  if (parameter === "Signature" && problem === "form") return mismatch;
  return {
    status: 403,
    code: "AccessDenied",
    message:
      problem === "not-a-number"
        ? "Invalid date (should be seconds since epoch)"
        : "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
  };
}

function textsOf(details: ErrorDetails): Texts {
  const text = (name: string): string => {
    const value = details[name] ?? "";
    // Of several expected values only the first is shown: SDKs parse a single value.
    return String(typeof value === "object" ? value[0] : value);
  };
  return { parameter: text("parameter"), problem: text("problem"), found: text("found"), expected: text("expected") };
}

function filled(message: string, texts: Texts): string {
  return message.replace(/\{(parameter|found|expected)\}/g, (_, name: keyof Texts) => texts[name]);
}
