// The shapes of the AWS SDK for JavaScript v3 that are relied upon, so that nothing of it has to be installed. What is
// `unknown` here is checked where it is used.

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

/** The resolved configuration of a client, as far as it is read. */
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
  /** Writes XML, which is asked of it for the length of a body alone. */
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
  /** The region that is signed; that of the client or the bucket by default. */
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
