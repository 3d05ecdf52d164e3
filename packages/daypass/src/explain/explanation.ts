import type { Clock, WireRequest } from "../core/contracts.ts";
import type { FormFields } from "../forms/policy.ts";
import type { AzureDelegatedKey, AzureSharedKey } from "../schemes/azure/credentials.ts";
import type { CosCredentials } from "../schemes/cos/canonical.ts";
import type { GcsPublicAccount, GcsServiceAccount } from "../schemes/gcs/credentials.ts";
import type { OssCredentials } from "../schemes/oss/credentials.ts";
import type { S3Credentials } from "../schemes/s3/credentials.ts";
import type { SwiftKey } from "../schemes/swift/key.ts";
import type { UrlKey } from "../schemes/url/key.ts";
import type { EdgeExplainKey } from "./edge/keys.ts";

/** What went wrong: stable names for programs. */
export type CauseCode =
  | "AMBIGUOUS_AUTHENTICATION"
  | "AUDIENCE"
  | "BUCKET"
  | "CHECKSUM"
  | "CLOCK"
  | "CONSTRAINT"
  | "CORS"
  | "DATE"
  | "ENDPOINT"
  | "EXPIRED"
  | "EXPIRED_TOKEN"
  | "EXPIRES_CHANGED"
  | "FIELD"
  | "FILE"
  | "HEADER"
  | "HOST"
  | "HTML_ESCAPED"
  | "INVALID_TOKEN"
  | "IP"
  | "LEGACY_SIGNATURE"
  | "MALFORMED"
  | "METHOD"
  | "NOT_FOUND"
  | "NOT_YET_VALID"
  | "PATH"
  | "PAYLOAD"
  | "PERMISSION"
  | "POLICY"
  | "PROTOCOL"
  | "PROXY"
  | "QUERY"
  | "REGION"
  | "SERVER"
  | "SERVICE"
  | "SIGNATURE"
  | "SIGNED_HEADERS"
  | "SUBJECT"
  | "TIME"
  | "TOKEN_AFTER_SIGNING"
  | "UNKNOWN_KEY"
  | "UNSIGNED_HEADER"
  | "UNSIGNED_PARAMETER"
  | "VERSION"
  | "WRONG_SECRET";

/** Why a server refuses the URL. */
export interface Cause {
  /** The kind of cause, for programs. */
  readonly code: CauseCode;
  /** One sentence that a person understands. */
  readonly sentence: string;
  /** The evidence, one item per line. */
  readonly evidence: readonly string[];
  /** What to do about it. */
  readonly fix: string;
  /** Set on the likeliest of several causes: a key, or more of the server's answer, can show another one. */
  readonly isGuess?: true | undefined;
}

/** One kind of cause that was tried against the signature or against the server's answer. */
export interface Hypothesis {
  /** The kind of cause. */
  readonly code: CauseCode;
  /** How many variants of it were tried. */
  readonly tried: number;
  /** Whether one of them gives exactly the signature, or explains the server's response. */
  readonly fits: boolean;
  /** The variant that fits, or what was tried first. */
  readonly sentence: string;
}

/** A known pitfall of the URL, by name. It is not necessarily the cause. */
export interface Trap {
  /** The name used in the guide. */
  readonly name: string;
  /** What it is, and what to do, in a sentence or two. */
  readonly text: string;
}

/** A header (for a form, a field) that the holder must send; `value` is missing if the URL or the policy does not state it. */
export interface MustSend {
  /** The name of the header or field. */
  readonly name: string;
  readonly value?: string | undefined;
}

/** What a page from another origin needs to upload. */
export interface BrowserUpload {
  /** The directive for the page's `Content-Security-Policy`. A form that is posted without a script needs `form-action`. */
  readonly contentSecurityPolicy: string;
  /** The CORS rule in this provider's format, ready for `JSON.stringify`. */
  readonly cors: unknown;
  /** How the rule is set. */
  readonly corsIsSetBy: string;
}

/** A condition of a form's policy. */
export interface ExplainedCondition {
  /** As the providers write it: `["starts-with", "$key", "up/"]`. */
  readonly condition: string;
  /** In words. */
  readonly says: string;
  /** Whether the form meets it; `undefined` if this is unknown, for example because the file's size is not given. */
  readonly met: boolean | undefined;
}

/** What is known about a presigned URL or a signed form. Texts contain no secrets, and signatures and session tokens only with `reveal`. */
export interface Explanation {
  /** `s3`, `s3/v4a`, `s3/express`, `s3/v2`, `s3/form`, `s3/form/v2`, `gcs/form`, `gcs`, `gcs/v2`, `azure`, `oss`, `oss/v1`, `cos`, `swift`, `cloudfront`, `url`, or an edge token's: `nginx`, … */
  readonly scheme: string;
  /** What it is, in one sentence. */
  readonly summary: string;
  /** Access key id or kid. */
  readonly signedBy: string;
  /** What a valid signature allows. */
  readonly grants: {
    /** Missing if the URL does not state it (S3 signs the method, but does not write it into the URL) and no key reveals it. */
    readonly methods?: readonly string[] | undefined;
    readonly resource: string;
  };
  /** What the signature covers, in words. */
  readonly binds: readonly string[];
  /** What a holder can change without breaking the signature. */
  readonly leavesOpen: readonly string[];
  /** As stated in the URL: the signer's clock is not checked. */
  readonly signedAt?: Date | undefined;
  /** First instant of validity, if the URL has one. */
  readonly startsAt?: Date | undefined;
  /** First instant at which it no longer works, as far as it is known. */
  readonly endsAt?: Date | undefined;
  /** Why it may stop working earlier. */
  readonly mayEndEarlier?: string | undefined;
  /** Headers or fields without which the server refuses. */
  readonly mustSend: readonly MustSend[];
  /** The conditions of a form's policy. */
  readonly conditions?: readonly ExplainedCondition[] | undefined;
  /** What a page needs to use the URL, if it is for a PUT or a POST. */
  readonly browser?: BrowserUpload | undefined;
  /** Pitfalls of the URL; empty if it has no pitfalls. */
  readonly traps: readonly Trap[];
  /** `undefined` if nothing wrong is found. */
  readonly cause?: Cause | undefined;
  /** Possible causes: those that match first, then the others by likelihood. */
  readonly hypotheses?: readonly Hypothesis[] | undefined;
  /** Only with a key that belongs to the URL. */
  readonly canonicalRequest?: string | undefined;
  /** Only with a key that belongs to the URL. */
  readonly stringToSign?: string | undefined;
}

/**
 * A key of any scheme: an access key (S3, or an HMAC key of Cloud Storage), a service account by its key file or its public
 * key, an account key or a user delegation key of Azure, an access key of OSS or COS, a Temp-URL-Key of Swift, a public key
 * of CloudFront, the JWK of a Daypass URL, or a key of an edge token, which names its scheme.
 */
export type ExplainKey =
  | AzureExplainKey
  | S3Credentials
  | GcsServiceAccount
  | GcsPublicAccount
  | OssCredentials
  | CosCredentials
  | SwiftKey
  | CloudfrontExplainKey
  | EdgeExplainKey
  | UrlKey;

/** A CloudFront public key, with which a signature can be checked. */
export interface CloudfrontExplainKey {
  readonly keyPairId: string;
  /** PEM. */
  readonly publicKey: string;
}

/** A key of an Azure account; with the account's name if the URL does not state it, or if several keys are given. */
export type AzureExplainKey = (AzureSharedKey | AzureDelegatedKey) & { readonly account?: string | undefined };

/** The refused request, as far as it is known. It can be a `Request` of `fetch`. */
export interface SentRequest {
  /** If not given, `GET` is assumed and others are tried. */
  readonly method?: string | undefined;
  /** If it differs from the URL that was signed. */
  readonly url?: string | undefined;
  /** Names in any case. Headers that are not given are guessed, and reported as guesses. */
  readonly headers?: Readonly<Record<string, string>> | Iterable<readonly [name: string, value: string]> | undefined;
  /** The client's address as the server saw it. Some edge tokens sign it. */
  readonly remoteAddress?: string | undefined;
  /** SHA-256 of the body, lower-case hexadecimal. */
  readonly bodySha256?: string | undefined;
}

/** Options of `explain`. */
export interface ExplainOptions {
  /** The refused request. For a {@link WireRequest}, the scheme (http or https) is taken from the URL. */
  readonly request?: SentRequest | WireRequest | undefined;
  /** The body of the server's response: the XML of a store, Swift's page, the problem details of a Daypass server, or a client's error message. */
  readonly errorBody?: string | undefined;
  /** The status of the response, if its body is not available: a response to HEAD has none, and browsers hide it from pages. */
  readonly status?: number | undefined;
  /** Keys of any scheme that may have signed the URL; they can prove a cause. Their secrets are never shown. */
  readonly keys?: readonly ExplainKey[] | undefined;
  /** Further names of the server (`minio:9000`), tried as the signed host. */
  readonly hosts?: readonly string[] | undefined;
  /** Origin of the uploading page, for {@link Explanation.browser}. */
  readonly origin?: string | undefined;
  /** Shows signatures and session tokens in the texts. Secrets are never shown. */
  readonly reveal?: boolean | undefined;
  /** The current time; by default, the system clock. */
  readonly clock?: Clock | undefined;
}

/** A signed upload form. A list of fields may include the file's own field (`file`): no server reads the fields after it. */
export interface FormToExplain {
  /** The URL to which the form is posted. */
  readonly url: string;
  /** By name, or in the order of the form. */
  readonly fields: Readonly<Record<string, string>> | FormFields;
}

/** The refused form, as far as it is known and differs from the signed one. */
export interface SentForm {
  /** The URL to which it was posted. */
  readonly url?: string | undefined;
  /** As they were sent. */
  readonly fields?: FormToExplain["fields"] | undefined;
  /** The file's name, which replaces `${filename}` in a field. */
  readonly fileName?: string | undefined;
  /** Bytes of the file. */
  readonly fileSize?: number | undefined;
}

/** Options of `explainForm`. */
export interface ExplainFormOptions extends Pick<ExplainOptions, "clock" | "errorBody" | "keys" | "origin" | "reveal"> {
  /** The refused form, if it differs from the signed one. */
  readonly sent?: SentForm | undefined;
}
