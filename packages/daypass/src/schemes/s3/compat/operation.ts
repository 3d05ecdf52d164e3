import { invalidInput } from "../../../core/errors.ts";
import { unchecked } from "../../../core/unchecked.ts";
import type { EncodedPair } from "../../../core/v4.ts";
import { uriEncode } from "../../../wire/encoding.ts";

/** Where a member of a command's input goes. */
export interface Binding {
  readonly place: "label" | "query" | "header" | "prefix" | "payload" | "body";
  /** Name of the parameter or header, or the prefix of headers. */
  readonly name: string;
  /** The type in smithy's numbers. */
  readonly type: number;
}

/** One operation of S3, as its schema describes it. */
export interface Operation {
  readonly name: string;
  readonly schema: SdkOperationSchema;
  readonly method: string;
  /** Path template, split at its label: `{Key+}`. */
  readonly before: string;
  readonly label: string | undefined;
  /** Members without which the request would be another one: the bucket and the key. */
  readonly labels: readonly string[];
  readonly query: readonly EncodedPair[];
  readonly members: ReadonlyMap<string, Binding>;
  /** The default Content-Type. */
  readonly contentType: string | undefined;
}

const known = new WeakMap<object, Operation>();

/**
 * Reads the operation off the schema that every command carries since the SDK writes its requests by schemas. It says for
 * each member of the input where it goes, for all commands and always for the version at hand.
 */
export function operationOf(command: AwsS3Command): Operation {
  const { schema } = command as { readonly schema?: unknown };
  if (!Array.isArray(schema)) {
    throw invalidInput("command", "a command of @aws-sdk/client-s3 that carries its schema (3.936 or newer)", command);
  }
  let operation = known.get(schema);
  if (operation === undefined) {
    operation = readOperation(unchecked<SdkOperationSchema>(schema));
    known.set(schema, operation);
  }
  return operation;
}

function readOperation(schema: SdkOperationSchema): Operation {
  const [, , name, traits, inputSchema] = schema;
  const [method, uri] = (traits["http"] ?? []) as readonly [string?, string?];
  const input = resolve(inputSchema);
  // Only an Object Lambda's answer has a host prefix, and it is never presigned.
  if (method === undefined || uri === undefined || traits["endpoint"] !== undefined || !Array.isArray(input)) {
    throw invalidInput("command", "a single request of S3 that can be presigned", name);
  }
  const [path = "", query] = uri.split("?");
  const [, before = path, label] = /^(.*)\{(\w+)\+?\}$/.exec(path) ?? [];
  const members = new Map<string, Binding>();
  for (const [i, member] of (input[4] as readonly string[]).entries()) {
    members.set(member, bindingOf(member, (input[5] as readonly unknown[])[i]));
  }
  return {
    name,
    schema,
    method,
    before,
    label,
    labels: [...members].filter(([, { place }]) => place === "label").map(([member]) => member),
    query: (query?.split("&") ?? []).map((token) => {
      const [left = "", right = ""] = token.split("=");
      return [uriEncode(left), uriEncode(right)];
    }),
    members,
    contentType: contentTypeOf([...members.values()]),
  };
}

// Numbers of smithy's schemas.
export const TIMESTAMP = 4;
export const DATE_TIME = 5;
export const HTTP_DATE = 6;
export const EPOCH = 7;
const STRUCTURE = 255;
const LABEL_TRAIT = 1;
const PAYLOAD_TRAIT = 16;

function resolve(schema: unknown): unknown {
  return typeof schema === "function" ? (schema as () => unknown)() : schema;
}

/** A member is written as its schema, or as `[schema, traits]`; traits are an object, or bits if all of them are flags. */
function bindingOf(member: string, written: unknown): Binding {
  const pair = resolve(written);
  const [schema, traits] = Array.isArray(pair) && pair.length === 2 ? pair : [pair, undefined];
  const bits = typeof traits === "number" ? traits : 0;
  const { httpHeader, httpQuery, httpPrefixHeaders, httpLabel, httpPayload } = (
    typeof traits === "object" ? (traits ?? {}) : {}
  ) as Readonly<Record<string, string | undefined>>;
  const type = typeOf(resolve(schema));
  if (httpHeader !== undefined) return { place: "header", name: httpHeader.toLowerCase(), type };
  if (httpQuery !== undefined) return { place: "query", name: httpQuery, type };
  if (httpPrefixHeaders !== undefined) return { place: "prefix", name: httpPrefixHeaders.toLowerCase(), type };
  if (httpLabel || bits & LABEL_TRAIT) return { place: "label", name: member, type };
  return { place: httpPayload || bits & PAYLOAD_TRAIT ? "payload" : "body", name: member, type };
}

// `[0, namespace, name, traits, type]` gives a simple type a name; all other lists are structures, lists and maps.
function typeOf(schema: unknown): number {
  if (typeof schema === "number") return schema;
  return Array.isArray(schema) && schema[0] === 0 && typeof schema[4] === "number" ? schema[4] : STRUCTURE;
}

function contentTypeOf(bindings: readonly Binding[]): string | undefined {
  const payload = bindings.find(({ place }) => place === "payload");
  if (payload?.type === 0) return "text/plain";
  if (payload?.type === 21 || payload?.type === 42) return "application/octet-stream";
  return payload !== undefined || bindings.some(({ place }) => place === "body") ? "application/xml" : undefined;
}

// The shapes of the AWS SDK for JavaScript v3, so that the SDK need not be installed. Each use of an `unknown` checks it.

/** An `S3Client`. */
export interface AwsS3Client {
  /** The client's configuration: endpoint, region, credentials. */
  readonly config: object;
}

/** A command of `@aws-sdk/client-s3`, such as `new GetObjectCommand({ Bucket, Key })`. */
export interface AwsS3Command {
  /** The parameters of the call, such as `Bucket` and `Key`. */
  readonly input: object;
}

/** A command's input by its members. */
export type CommandInput = Readonly<Record<string, unknown>>;

/** The members of a client's resolved configuration that this library reads. */
export interface SdkConfig {
  readonly region?: unknown;
  readonly credentials?: () => Promise<SdkCredentials>;
  readonly endpoint?: unknown;
  readonly isCustomEndpoint?: boolean;
  readonly bucketEndpoint?: unknown;
  readonly ignoreConfiguredEndpointUrls?: boolean;
  readonly serviceConfiguredEndpoint?: () => Promise<string | undefined>;
  readonly endpointProvider?: (parameters: Readonly<Record<string, unknown>>, context?: object) => SdkEndpoint;
  readonly s3ExpressIdentityProvider?: {
    getS3ExpressIdentity(credentials: SdkCredentials, properties: { readonly Bucket: string }): Promise<SdkCredentials>;
  };
  /** Writes XML. Used only for the length of a body. */
  readonly protocol?: {
    serializeRequest(operation: object, input: object, context: object): Promise<{ readonly body?: unknown }>;
  };
  readonly md5?: new () => { update(data: Uint8Array): void; digest(): Promise<Uint8Array> };
  readonly [name: string]: unknown;
}

export interface SdkCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiration?: Date | undefined;
}

/** What an endpoint provider answers. */
export interface SdkEndpoint {
  readonly url: URL;
  readonly properties?: { readonly authSchemes?: readonly SdkAuthScheme[] };
}

/** Declared here, as the library is compiled without the types of any runtime. */
export interface URL {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: string;
  readonly pathname: string;
}

export interface SdkAuthScheme {
  readonly name: string;
  readonly signingName?: string;
  readonly signingRegion?: string;
}

/** `[9, namespace, name, traits, input, output]`. */
export type SdkOperationSchema = readonly [
  kind: number,
  namespace: string,
  name: string,
  traits: Readonly<Record<string, unknown>>,
  input: unknown,
  output: unknown,
];

/** How an endpoint parameter is found. */
export interface SdkInstruction {
  readonly type: string;
  readonly name?: string;
  readonly value?: unknown;
}

/** Arguments of `getSignedUrl`, by the names of `@aws-sdk/s3-request-presigner`. */
export interface AwsPresigningOptions {
  /** Seconds, 900 by default, 604800 at most. */
  readonly expiresIn?: number | undefined;
  /** The time of signing, now by default: a `Date`, seconds since 1970 (a text of digits too), or a text that `Date` reads. */
  readonly signingDate?: Date | number | string | undefined;
  /** The region that is signed; the region of the client or the bucket by default. */
  readonly signingRegion?: string | undefined;
  /** The service to sign for; by default `s3`, or what the client's rules say, such as `s3express`. */
  readonly signingService?: string | undefined;
  /** Headers that are not signed, lower-case names. Content-Type is always one of them. */
  readonly unsignableHeaders?: ReadonlySet<string> | undefined;
  /** Headers that are signed although they are among the unsignable ones. */
  readonly signableHeaders?: ReadonlySet<string> | undefined;
  /** `x-amz-*` headers that stay headers instead of becoming parameters of the URL. */
  readonly unhoistableHeaders?: ReadonlySet<string> | undefined;
  /** Headers of server-side encryption that become parameters of the URL all the same. */
  readonly hoistableHeaders?: ReadonlySet<string> | undefined;
}
