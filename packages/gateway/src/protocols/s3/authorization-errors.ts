import type { ErrorDetails } from "daypass";
import type { S3Error } from "./error-body.ts";

/**
 * What S3 says of a signature that cannot be read. The texts are those of AWS as versitygw and MinIO recorded them; SDKs and
 * troubleshooting pages quote them.
 */
export function malformedError(details: ErrorDetails): S3Error {
  const { parameter, problem, found } = texts(details);
  if (details["part"] === "chunks") return chunkError(problem);
  if (parameter === "") return { status: 400, code: "InvalidURI", message: "Couldn't parse the specified URI." };
  if (parameter === "Authorization" || parameter.startsWith("x-amz-") || parameter === "date") {
    return headerError(parameter, problem);
  }
  if (parameter === "Expires" || parameter === "AWSAccessKeyId" || parameter === "Signature") {
    return version2Error(parameter, problem);
  }
  if (parameter === "X-Amz-Signature" && problem === "form") return mismatch;
  if (parameter.startsWith("response-")) {
    return { status: 400, code: "InvalidArgument", message: `${parameter} was given more than once.` };
  }
  const message = QUERY_MESSAGES[`${parameter} ${problem}`] ?? QUERY_MESSAGES[problem] ?? INCOMPLETE;
  return {
    status: 400,
    code: "AuthorizationQueryParametersError",
    message: typeof message === "string" ? message : message(found, parameter),
  };
}

/** What S3 says of a body in chunks that does not keep to their form. */
function chunkError(problem: string): S3Error {
  if (problem === "chunk-size") {
    return {
      status: 403,
      code: "InvalidChunkSizeError",
      message: "Only the last chunk is allowed to have a size less than 8192 bytes",
    };
  }
  if (problem === "trailers") {
    return {
      status: 400,
      code: "MalformedTrailerError",
      message:
        "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    };
  }
  return {
    status: 400,
    code: "IncompleteBody",
    message: "The request body terminated unexpectedly",
  };
}

/** What S3 says of a signature that was made for another region or service. */
export function scopeError(details: ErrorDetails): S3Error {
  const { parameter, problem, found, expected } = texts(details);
  const code = parameter === "Authorization" ? "AuthorizationHeaderMalformed" : "AuthorizationQueryParametersError";
  const intro =
    parameter === "Authorization"
      ? "The authorization header is malformed"
      : "Error parsing the X-Amz-Credential parameter";
  if (problem === "region") {
    return {
      status: 400,
      code,
      message: `${intro}; the region '${found}' is wrong; expecting '${expected}'`,
      // SDKs follow this field to the right region.
      fields: [["Region", expected]],
    };
  }
  return {
    status: 400,
    code,
    message: `${intro}; incorrect service "${found}". This endpoint belongs to "${expected}".`,
  };
}

type Message = string | ((found: string, parameter: string) => string);

const INCOMPLETE =
  "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";

const QUERY_MESSAGES: Readonly<Record<string, Message>> = {
  missing: INCOMPLETE,
  duplicate: (_, parameter) => `${parameter} was given more than once.`,
  spelling: (_, parameter) => `${parameter} is not spelled as documented.`,
  conflict: "X-Amz-Content-Sha256 differs between query and header.",
  algorithm: 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"',
  "X-Amz-Credential form":
    'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
  terminator: (found) =>
    `Error parsing the X-Amz-Credential parameter; incorrect terminal "${found}". This endpoint uses "aws4_request".`,
  "date-form": (found) =>
    `Error parsing the X-Amz-Credential parameter; incorrect date format "${found}". This date in the credential must be in the format "yyyyMMdd".`,
  "date-mismatch": (found) => `Invalid credential date "${found}". This date is not the same as X-Amz-Date.`,
  "X-Amz-Date form": "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
  "not-a-number": "X-Amz-Expires should be a number",
  negative: "X-Amz-Expires must be non-negative",
  "too-large":
    "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
  host: 'X-Amz-SignedHeaders must include "host"',
  "X-Amz-SignedHeaders form": "X-Amz-SignedHeaders must be lower-case header names, each once, joined by semicolons",
};

const mismatch: S3Error = {
  status: 403,
  code: "SignatureDoesNotMatch",
  message:
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
};

function headerError(parameter: string, problem: string): S3Error {
  if (parameter === "Authorization" && problem === "signature") return mismatch;
  if (parameter === "x-amz-content-sha256" && problem === "missing") {
    return {
      status: 400,
      code: "InvalidRequest",
      message: "Missing required header for this request: x-amz-content-sha256",
    };
  }
  if ((parameter === "x-amz-date" || parameter === "date") && problem !== "duplicate") {
    return {
      status: 403,
      code: "AccessDenied",
      message: "AWS authentication requires a valid Date or x-amz-date header",
    };
  }
  return {
    status: 400,
    code: "AuthorizationHeaderMalformed",
    message:
      "The authorization header is malformed; the authorization header requires three components: Credential, SignedHeaders, and Signature.",
  };
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

function texts(details: ErrorDetails): Readonly<Record<"parameter" | "problem" | "found" | "expected", string>> {
  const text = (name: string): string => String(details[name] ?? "");
  return { parameter: text("parameter"), problem: text("problem"), found: text("found"), expected: text("expected") };
}
