import type { ErrorDetails } from "daypass";
import type { S3Error } from "./error-body.ts";

/**
 * What S3 says of a signature that cannot be read. The texts are those of AWS as versitygw and MinIO recorded them; SDKs and
 * troubleshooting pages quote them.
 */
export function malformedError(details: ErrorDetails): S3Error {
  const said = texts(details);
  const { parameter, problem, found } = said;
  if (details["part"] === "chunks") return chunkError(problem);
  if (parameter === "") return { status: 400, code: "InvalidURI", message: "Couldn't parse the specified URI." };
  if (parameter === "Authorization") return authorizationError(said);
  if (parameter === "authorization") return twoMechanisms;
  if (problem === "spelling") return queryError(said);
  if (/^(?:x-amz-|date$|content-)/i.test(parameter) && !QUERY.test(parameter)) {
    return headerError(parameter, problem, found);
  }
  if (parameter === "Expires" || parameter === "AWSAccessKeyId" || parameter === "Signature") {
    return version2Error(parameter, problem);
  }
  if (parameter === "X-Amz-Signature" && problem === "form") return mismatch;
  if (!QUERY.test(parameter)) return argumentError(parameter, problem, found);
  return queryError(said);
}

/** The parameters of SigV4 in the query; what stands in headers is written in lower case. */
const QUERY =
  /^X-Amz-(?:Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token|Content-Sha256|Region-Set)$/;

function queryError(said: Texts): S3Error {
  const { parameter, problem } = said;
  const message = QUERY_MESSAGES[`${parameter} ${problem}`] ?? QUERY_MESSAGES[problem] ?? INCOMPLETE;
  return {
    status: 400,
    code: "AuthorizationQueryParametersError",
    message: typeof message === "string" ? message : message(said),
  };
}

const malformedTrailer: S3Error = {
  status: 400,
  code: "MalformedTrailerError",
  message: "The request contained trailing data that was not well-formed or did not conform to our published schema.",
};

/** What S3 says of a body in chunks that does not keep to their form. */
function chunkError(problem: string): S3Error {
  if (problem === "chunk-size") {
    return {
      status: 403,
      code: "InvalidChunkSizeError",
      message: "Only the last chunk is allowed to have a size less than 8192 bytes",
    };
  }
  if (problem === "trailers") return malformedTrailer;
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

type Texts = Readonly<Record<"parameter" | "problem" | "found" | "expected", string>>;

type Message = string | ((said: Texts) => string);

const INCOMPLETE =
  "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";

/** What S3 says of a credential, in the query and in the header alike. */
const CREDENTIAL_MESSAGES = {
  credential: () => 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
  terminator: ({ found }: Texts) => `incorrect terminal "${found}". This endpoint uses "aws4_request".`,
  "date-form": ({ found }: Texts) =>
    `incorrect date format "${found}". This date in the credential must be in the format "yyyyMMdd".`,
  "date-mismatch": ({ found, expected }: Texts) =>
    `Invalid credential date "${found}". This date is not the same as X-Amz-Date: "${expected}".`,
} as const;

function inQuery(problem: keyof typeof CREDENTIAL_MESSAGES): Message {
  return (said) => `Error parsing the X-Amz-Credential parameter; ${CREDENTIAL_MESSAGES[problem](said)}`;
}

const QUERY_MESSAGES: Readonly<Record<string, Message>> = {
  missing: INCOMPLETE,
  duplicate: ({ parameter }) => `${parameter} was given more than once.`,
  spelling: ({ parameter }) => `${parameter} is not spelled as documented.`,
  conflict: "X-Amz-Content-Sha256 differs between query and header.",
  algorithm: 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"',
  "X-Amz-Credential credential": inQuery("credential"),
  terminator: inQuery("terminator"),
  "date-form": inQuery("date-form"),
  "date-mismatch": CREDENTIAL_MESSAGES["date-mismatch"],
  "X-Amz-Date form": "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
  "not-a-number": "X-Amz-Expires should be a number",
  negative: "X-Amz-Expires must be non-negative",
  "too-large":
    "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
  host: 'X-Amz-SignedHeaders must include "host"',
  names: "X-Amz-SignedHeaders must be lower-case header names, each once, joined by semicolons",
};

const mismatch: S3Error = {
  status: 403,
  code: "SignatureDoesNotMatch",
  message:
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
};

/** What S3 says of more than one signature. */
export const twoMechanisms: S3Error = {
  status: 400,
  code: "InvalidArgument",
  message:
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
  fields: [["ArgumentName", "Authorization"]],
};

/** The parts of the header of SigV4, and what follows "The authorization header is malformed; " of each. */
const HEADER_MESSAGES: Readonly<Record<string, (said: Texts) => string>> = {
  ...CREDENTIAL_MESSAGES,
  host: () => 'SignedHeaders must include "host".',
  names: () => "SignedHeaders must be lower-case header names, each once, joined by semicolons.",
};

function authorizationError(said: Texts): S3Error {
  const { problem } = said;
  if (problem === "signature") return mismatch;
  if (problem === "key-and-signature") {
    return {
      status: 400,
      code: "InvalidArgument",
      message: "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature",
      // Amazon repeats the header, which may hold what nobody else should read.
      fields: [["ArgumentName", "Authorization"]],
    };
  }
  const message =
    HEADER_MESSAGES[problem]?.(said) ??
    "the authorization header requires three components: Credential, SignedHeaders, and Signature.";
  return {
    status: 400,
    code: "AuthorizationHeaderMalformed",
    message: `The authorization header is malformed; ${message}`,
  };
}

function headerError(parameter: string, problem: string, found: string): S3Error {
  if (problem === "duplicate") return argumentError(parameter, problem, found);
  if (parameter === "x-amz-date" || parameter.toLowerCase() === "date") {
    return {
      status: 403,
      code: "AccessDenied",
      message: "AWS authentication requires a valid Date or x-amz-date header",
    };
  }
  if (problem === "missing") {
    const row = MISSING[parameter];
    if (row !== undefined) return row;
  }
  if (parameter === "x-amz-trailer") {
    return {
      status: 400,
      code: "InvalidRequest",
      message: "The value specified in the x-amz-trailer header is not supported",
    };
  }
  return argumentError(parameter, problem, found);
}

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

/** A header or parameter that is not the signature's own. */
function argumentError(parameter: string, problem: string, found: string): S3Error {
  return {
    status: 400,
    code: "InvalidArgument",
    message:
      problem === "duplicate" ? `${parameter} was given more than once.` : `The value of ${parameter} is not valid.`,
    fields: [["ArgumentName", parameter], ...(found === "" ? [] : [["ArgumentValue", found] as const])],
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

function texts(details: ErrorDetails): Texts {
  const text = (name: string): string => {
    const value = details[name] ?? "";
    // Of several that would do one is told: SDKs take what they read for a single one.
    return String(typeof value === "object" ? value[0] : value);
  };
  return { parameter: text("parameter"), problem: text("problem"), found: text("found"), expected: text("expected") };
}
