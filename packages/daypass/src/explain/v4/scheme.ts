import type { ReceivedRequest, WireRequest } from "../../core/contracts.ts";
import { parseBasicTime } from "../../core/time.ts";
import { UNSIGNED_PAYLOAD } from "../../schemes/s3/canonical.ts";
import type { S3Credentials } from "../../schemes/s3/credentials.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { grammarCause } from "../cause/grammar.ts";
import type { Signer, StatedMethod } from "../cause/undecided.ts";
import type { ServerError } from "../error-body.ts";
import type { Diagnosis, SplitUrl, Subject } from "../explainer.ts";
import type { Cause, Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { type V4Dialect, type V4Input, v4Input } from "./input.ts";

/** The parameters of a V4 URL. A missing parameter is an empty text. */
export interface V4Facts {
  /** An access key id, or the address of a service account. */
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly time: string;
  readonly signedAt: Date | undefined;
  /** Seconds; NaN if the URL has no number. */
  readonly expires: number;
  readonly endsAt: Date | undefined;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** The session token. */
  readonly token: string | undefined;
  /** The regions of a SigV4A signature, whose scope names none. */
  readonly regionSet: string | undefined;
  /** The operation that AWS's SDK for JavaScript adds as `x-id`. */
  readonly operation: string | undefined;
}

/** Reads without validation: the values that cannot be read are empty. */
export function readV4Facts(url: SplitUrl, prefix: string): V4Facts {
  const values = new Map([...readParameters(url)].reverse());
  const get = (name: string): string => values.get(prefix + name) ?? "";
  const regionSet = values.get(`${prefix}Region-Set`);
  const parts = get("Credential").split("/");
  const scope = parts.splice(regionSet === undefined ? -4 : -3);
  if (regionSet !== undefined) scope.splice(1, 0, "");
  const [date = "", region = "", service = ""] = scope;
  const signedAt = parseBasicTime(get("Date"));
  const expires = /^\d{1,15}$/.test(get("Expires")) ? Number(get("Expires")) : Number.NaN;
  const endsAt = new Date((signedAt?.getTime() ?? Number.NaN) + expires * 1000);
  return {
    accessKeyId: parts.join("/"),
    date,
    region,
    service,
    signedAt,
    expires,
    regionSet,
    time: get("Date"),
    endsAt: Number.isNaN(endsAt.getTime()) ? undefined : endsAt,
    signedHeaders: get("SignedHeaders").split(";").filter(Boolean),
    signature: get("Signature"),
    token: values.get(`${prefix}Security-Token`) ?? values.get(`${prefix}S3session-Token`),
    operation: values.get("x-id"),
  };
}

/** A key that may have signed. */
export interface V4Key {
  readonly id: string;
  /** Empty for a key pair. */
  readonly secret: string;
  /** The given key, if it is an access key of S3. */
  readonly credentials?: S3Credentials | undefined;
  fits(input: V4Input): boolean | Promise<boolean>;
  /** The signature with this key. Absent for a key that only verifies. */
  readonly signatureOf?: ((input: V4Input) => string) | undefined;
}

/** A diagnosis of a signature. */
export interface V4Diagnosis extends Diagnosis {
  /** The key that matched. */
  readonly signer?: V4Key | undefined;
}

/** The independent findings about a V4 URL. */
export interface V4Findings {
  readonly subject: Subject;
  /** The signed headers, as they were sent. */
  readonly headers: V4Input["headers"];
  readonly signature: V4Diagnosis;
  /** The meaning of the server's code, except a mismatch. */
  readonly said: Cause | undefined;
  /** A fault of the grammar. */
  readonly malformed: Cause | undefined;
  /** A fault of the URL other than its signature. */
  readonly beside?: Cause | undefined;
  /** The same, if every server refuses it. */
  readonly certain?: Cause | undefined;
  /** The URL has expired or has not started. */
  readonly late: Cause | undefined;
}

/** One scheme of the V4 family: S3, S3 Express, SigV4A, and Cloud Storage with either kind of key. */
export interface V4Scheme {
  readonly scheme: string;
  /** Start of the summary. */
  readonly title: string;
  readonly dialect: V4Dialect;
  /** Length of a signature in hexadecimal; `undefined` if it varies. */
  digits(facts: V4Facts): number | undefined;
  /** Validates as a verifier does. Throws the reason of a refusal. */
  checkGrammar(received: ReceivedRequest, facts: V4Facts): void;
  keys(subject: Subject, facts: V4Facts): readonly V4Key[];
  /** A method that the URL itself states. */
  told?(facts: V4Facts): StatedMethod | undefined;
  /** A method that the URL suggests. */
  likely?(subject: Subject): StatedMethod | undefined;
  readonly signer?: Signer | undefined;
  /** What a try costs beyond its bytes. */
  readonly keyWork?: number;
  readonly says: {
    readonly what: "secret" | "key";
    /** What to do about a key that matches nothing. */
    readonly compare: string;
    /** Why a server refuses a matching signature. */
    atServer(facts: V4Facts): string;
    readonly checkServer: string;
  };
  /** The meaning of an answer other than a mismatch. */
  said(error: ServerError, now: Date): Cause | undefined;
  /** Further findings of this scheme. */
  findings?(found: V4Case): Partial<V4Findings>;
  resource(url: SplitUrl): string;
  /** Where the URL is valid, for the summary. */
  place?(facts: V4Facts): string;
  /** The host as it is signed. */
  signedHost(authority: string): string;
  /** The unsigned parts of the origin. */
  readonly open: string;
  startsAt(signedAt: Date): Date;
  mayEndEarlier(facts: V4Facts, key: S3Credentials | undefined): string | undefined;
  traps(url: SplitUrl, facts: V4Facts, method: string | undefined): readonly Trap[];
}

/** All that is known of a V4 URL before its findings are ordered. */
export interface V4Case {
  readonly scheme: V4Scheme;
  readonly subject: Subject;
  readonly facts: V4Facts;
  /** The signed input of the request as it was sent. */
  readonly input: V4Input;
  readonly signature: V4Findings["signature"];
  /** The key that matched, or else the given key with the id in the URL. */
  readonly key: V4Key | undefined;
}

/** The signed input of a request. */
export function v4InputOf({ dialect, signedHost }: V4Scheme, facts: V4Facts, subject: Subject): V4Input {
  const { sent, sentUrl, request } = subject;
  const name = hashHeader(dialect);
  const isSigned = facts.signedHeaders.includes(name);
  const header = isSigned ? (headerValues(sent.headers, name)[0] ?? request?.bodySha256) : undefined;
  return v4Input({
    dialect,
    method: sent.method,
    rawPath: sentUrl.wire.path,
    tokens: sentUrl.wire.tokens.filter((token) => token.name !== `${dialect.prefix}Signature`),
    headers: facts.signedHeaders.map((signed) => ({
      name: signed,
      values: signed === "host" ? [signedHost(sent.authority)] : headerValues(sent.headers, signed),
    })),
    payload: header ?? hashParameter(dialect, sentUrl) ?? UNSIGNED_PAYLOAD,
    scope: { date: facts.date, region: facts.region, service: facts.service },
    time: facts.time,
    secret: "",
  });
}

function hashHeader({ prefix }: V4Dialect): string {
  return `${prefix.toLowerCase()}content-sha256`;
}

/** The hash of the body in the query. */
export function hashParameter({ prefix }: V4Dialect, url: SplitUrl): string | undefined {
  return readParameters(url).find(([name]) => name === `${prefix}Content-Sha256`)?.[1];
}

/** The reason for which a verifier refuses the request before it checks the signature. */
export function v4GrammarCause(scheme: V4Scheme, facts: V4Facts, { sent, sentUrl }: Subject): Cause | undefined {
  const { dialect } = scheme;
  const hash = hashHeader(dialect);
  // A missing header is no fault of the grammar: the headers may not be given.
  const isOpen = facts.signedHeaders.includes(hash) && headerValues(sent.headers, hash).length === 0;
  const filler = isOpen ? [[hash, hashParameter(dialect, sentUrl) ?? UNSIGNED_PAYLOAD] as const] : [];
  const request: WireRequest = { ...sent, headers: [...sent.headers, ...filler] };
  const origin = `${sentUrl.protocol}://${sent.authority}`;
  const digits = scheme.digits(facts);
  const parameter = `${dialect.prefix}Signature`;
  return grammarCause(() => scheme.checkGrammar({ request, wire: sentUrl.wire, origin, wildcard: "" }, facts), {
    refusesHeaders: true,
    life: facts.expires,
    signature: digits === undefined ? undefined : { parameter, text: facts.signature, digits },
  });
}
