import { sha256Hex } from "#crypto";
import type { SignedRequest } from "../../../core/contracts.ts";
import { invalidInput } from "../../../core/errors.ts";
import { SignedResult } from "../../../core/signed-request.ts";
import { formatBasicTime, signingWindow } from "../../../core/time.ts";
import {
  AWS4,
  canonicalQuery,
  canonicalRequestText,
  type EncodedPair,
  type ScopeSigner,
  type SigningKeys,
  signingKeys,
} from "../../../core/v4.ts";
import { uriEncode } from "../../../wire/encoding.ts";
import {
  canonicalHeaders,
  type DayScope,
  dayScope,
  MAX_EXPIRES,
  type SignedHeader,
  UNSIGNED_PAYLOAD,
} from "../canonical.ts";
import { checkCredentials } from "../credentials.ts";
import { type Address, type AddressFinder, addressFinder } from "./endpoint.ts";
import { type BoundInput, type SortedHeaders, sortHeaders } from "./input.ts";
import type { AwsPresigningOptions, SdkConfig, SdkCredentials } from "./operation.ts";

/** What is kept of one client between two URLs: its latest address, its credentials, and the parameters of one second. */
export interface ClientSigner {
  knownAddress: AddressFinder["known"];
  findAddress: AddressFinder["find"];
  /** Credentials that do not end: the SDK asks its provider for such only once, too. */
  knownCredentials(): SdkCredentials | undefined;
  findCredentials(): Promise<SdkCredentials>;
  sign(call: ClientCall, options: AwsPresigningOptions): SignedCall;
}

/** The parts of a {@link SignedRequest}, which is created on demand. */
export interface SignedCall {
  readonly url: string;
  readonly method: string;
  readonly signed: readonly SignedHeader[];
  /** What the URL itself says. */
  readonly expiresAt: Date;
  readonly credentials: SdkCredentials;
  readonly stringToSign: string;
}

/** A request, ready to be signed. */
export interface ClientCall {
  readonly method: string;
  readonly bound: BoundInput;
  readonly address: Address;
  readonly credentials: SdkCredentials;
}

/** Prepares a {@link ClientSigner}. */
export function clientSigner(config: SdkConfig): ClientSigner {
  const { known, find } = addressFinder(config);
  const momentOf = moments();
  // The latest frame of a call without its own headers and settings: in one second nearly all calls have the same.
  let usual: Frame | undefined;
  let identity: Identity | undefined;
  let lasting: { readonly provider: unknown; readonly credentials: SdkCredentials } | undefined;
  return {
    knownAddress: known,
    findAddress: find,
    knownCredentials: () => (lasting?.provider === config.credentials ? lasting?.credentials : undefined),
    async findCredentials() {
      const { credentials: provider } = config;
      const credentials = (await provider?.()) as SdkCredentials;
      checkCredentials(credentials);
      if (credentials.expiration === undefined) lasting = { provider, credentials };
      return credentials;
    },
    sign({ method, bound, address, credentials }, options) {
      const { signingRegion, signingService } = options;
      const moment = momentOf(options);
      const sorted = sortHeaders(bound, options);
      const { signed, query, hoistsPayload } = sorted;
      const isUsual = signed.length === 0 && hoistsPayload && (signingRegion ?? signingService) === undefined;
      if (identity === undefined || !isOf(identity, credentials)) identity = prepareIdentity(credentials);
      let frame = usual;
      if (
        !isUsual ||
        frame?.moment !== moment ||
        frame.address !== address ||
        frame.identity !== identity ||
        frame.query !== query ||
        frame.method !== method
      ) {
        frame = prepareFrame(identity, { method, moment, address, sorted, options });
        if (isUsual) usual = frame;
      }
      const { request, link } = frame;
      const hash = sha256Hex(request.before + bound.path + request.after);
      const { signature, stringToSign } = frame.sign(moment.time, hash);
      const url = link.before + bound.path + link.between + signature + link.after;
      return { url, method, signed, expiresAt: moment.expiresAt, credentials, stringToSign };
    },
  };
}

/** The facts of a signed call. */
export function signedResult({ url, method, signed, credentials, stringToSign, ...call }: SignedCall): SignedRequest {
  const headers = Object.fromEntries(signed.map(({ name, values }) => [name, values[0] ?? ""]));
  const bound = ["method", "host", "path", "query", "time", ...signed.map(({ name }) => `header ${name}`)];
  const unbound = ["scheme", "all other headers", "body"];
  const { expiration = call.expiresAt } = credentials;
  const endsFirst = expiration < call.expiresAt;
  // A separate Date: one is kept for all URLs of a second, the other is the client's.
  const expiresAt = new Date(endsFirst ? expiration : call.expiresAt);
  const warnings = endsFirst ? ["the URL ends with its credentials"] : [];
  return new SignedResult({ url, method, headers, expiresAt, bound, unbound, warnings }, stringToSign);
}

/** What a {@link Frame} is made of. */
interface FrameParts {
  readonly method: string;
  readonly moment: Moment;
  readonly address: Address;
  readonly sorted: SortedHeaders;
  readonly options: AwsPresigningOptions;
}

/** All of a signature but the path. */
interface Frame {
  readonly method: string;
  readonly moment: Moment;
  readonly address: Address;
  readonly identity: Identity;
  /** Parameters beside the signature's own. */
  readonly query: readonly EncodedPair[];
  readonly sign: ScopeSigner;
  /** The canonical request around what the command adds to the endpoint's path. */
  readonly request: { readonly before: string; readonly after: string };
  /** The URL around the same, and around its signature. */
  readonly link: { readonly before: string; readonly between: string; readonly after: string };
}

function prepareFrame(identity: Identity, { method, moment, address, sorted, options }: FrameParts): Frame {
  const { signingRegion = address.region, signingService = address.service } = options;
  const { time, expiresIn } = moment;
  const { query, hoistsPayload } = sorted;
  const day = identity.on(time, signingRegion, signingService);
  const own = identity.parameters({ day, time, expiresIn, hoistsPayload, needsSession: address.needsSession });
  const signed = [...sorted.signed, { name: "host", values: [address.host] }].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  const signedHeaders = signed.map(({ name }) => name).join(";");
  const { all, before, after } = sortQuery({ own, names: signedHeaders, query });
  const text = canonicalRequestText({
    method,
    path: address.base,
    query: all,
    headers: canonicalHeaders(signed),
    signedHeaders,
    payload: UNSIGNED_PAYLOAD,
  });
  // Behind the method, a line feed and the path.
  const at = method.length + 1 + address.base.length;
  return {
    method,
    moment,
    address,
    identity,
    query,
    sign: identity.keys(day.scope),
    request: { before: text.slice(0, at), after: text.slice(at) },
    link: { before: address.origin + address.base, between: `?${before}X-Amz-Signature=`, after },
  };
}

/** The parameters of one URL, encoded: the signature's own, the names of the signed headers, and all others. */
interface QueryParts {
  readonly own: string;
  readonly names: string;
  readonly query: readonly EncodedPair[];
}

/** What is signed of them, and what stands before and after the signature: the SDK sorts it in among the others. */
interface SortedQuery {
  readonly all: string;
  readonly before: string;
  readonly after: string;
}

function sortQuery({ own, names, query }: QueryParts): SortedQuery {
  const listed = `&X-Amz-SignedHeaders=${uriEncode(names)}`;
  // Nearly all other parameters begin with a small letter, and so come after the signature's own.
  if (query.every(([name]) => name >= "a")) {
    const after = query.length === 0 ? listed : `${listed}&${canonicalQuery(query)}`;
    return { all: own + after, before: `${own}&`, after };
  }
  const pairs = (own + listed).split("&").map((token) => token.split("=") as [string, string]);
  const all = canonicalQuery([...pairs, ...query]);
  const tokens = all.split("&");
  const first = tokens.filter((token) => token < "X-Amz-Signature");
  return { all, before: [...first, ""].join("&"), after: ["", ...tokens.slice(first.length)].join("&") };
}

/** Begin and end of a URL. */
interface Moment {
  readonly time: string;
  readonly expiresIn: number;
  readonly expiresAt: Date;
}

/** Keeps the latest moment: thousands of URLs begin in one second and live equally long. */
function moments(): (options: AwsPresigningOptions) => Moment {
  let second = Number.NaN;
  let last: Moment | undefined;
  return ({ signingDate, expiresIn = 900 }) => {
    const now = signingDate === undefined ? Date.now() : readDate(signingDate);
    if (last?.expiresIn !== expiresIn || Math.floor(now / 1000) !== second) {
      const { signedAt, expiresAt } = signingWindow({ expiresIn }, now, { maxSeconds: MAX_EXPIRES });
      second = Math.floor(now / 1000);
      last = { time: formatBasicTime(signedAt), expiresIn, expiresAt };
    }
    return last;
  };
}

/** "A number is seconds since 1970", and so is a text of digits, as in the SDK. */
function readDate(date: Date | number | string): number {
  const seconds = Number(date);
  const read = date instanceof Date ? date : new Date(typeof date === "number" || seconds ? seconds * 1000 : date);
  if (!Number.isNaN(read.getTime())) return read.getTime();
  throw invalidInput("signingDate", "a date", String(date));
}

interface OwnParameters {
  readonly day: DayScope;
  readonly time: string;
  readonly expiresIn: number;
  readonly hoistsPayload: boolean;
  readonly needsSession: boolean;
}

/** Credentials with what can be computed from them once. */
interface Identity {
  readonly credentials: SdkCredentials;
  /** What it was made of. */
  readonly parts: SdkCredentials;
  readonly keys: SigningKeys;
  on(time: string, region: string, service: string): DayScope;
  /** The signature's own parameters but for the list of headers, sorted: of one second and life they are the same. */
  parameters(wanted: OwnParameters): string;
}

// By value as well: a provider may write a new secret into the object that it gives each time.
function isOf({ credentials, parts }: Identity, given: SdkCredentials): boolean {
  return (
    credentials === given &&
    parts.secretAccessKey === given.secretAccessKey &&
    parts.accessKeyId === given.accessKeyId &&
    parts.sessionToken === given.sessionToken
  );
}

function prepareIdentity(credentials: SdkCredentials): Identity {
  const { accessKeyId, secretAccessKey, sessionToken } = checkCredentials(credentials);
  const token = sessionToken === undefined ? undefined : uriEncode(sessionToken);
  let day: DayScope | undefined;
  let last: OwnParameters | undefined;
  let text = "";
  return {
    credentials,
    parts: { accessKeyId, secretAccessKey, sessionToken: credentials.sessionToken },
    keys: signingKeys(AWS4, secretAccessKey),
    on(time, region, service) {
      if (day?.scope.region !== region || day.scope.service !== service || !time.startsWith(day.scope.date)) {
        day = dayScope(accessKeyId, { date: time.slice(0, 8), region, service });
      }
      return day;
    },
    parameters(wanted) {
      const { day: of, time, expiresIn, hoistsPayload, needsSession } = wanted;
      if (
        last?.day !== of ||
        last.time !== time ||
        last.expiresIn !== expiresIn ||
        last.hoistsPayload !== hoistsPayload ||
        last.needsSession !== needsSession
      ) {
        const [algorithm = "", credential = ""] = of.query.split("&");
        text = [
          algorithm,
          ...(hoistsPayload ? [`X-Amz-Content-Sha256=${UNSIGNED_PAYLOAD}`] : []),
          credential,
          `X-Amz-Date=${time}`,
          `X-Amz-Expires=${expiresIn}`,
          ...(token === undefined ? [] : [`X-Amz-${needsSession ? "S3session" : "Security"}-Token=${token}`]),
        ].join("&");
        last = wanted;
      }
      return text;
    },
  };
}
