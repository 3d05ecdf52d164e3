/** What the gateway is asked through a foreign client. */
export interface ClientCall {
  readonly method: "PUT" | "HEAD" | "GET" | "DELETE";
  readonly bucket: string;
  readonly key: string;
}

export interface ClientTarget {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A published client that makes presigned URLs. */
export interface UrlClient {
  readonly name: string;
  readonly signature: "SigV4 query" | "SigV2 query";
  readonly methods: readonly ClientCall["method"][];
  /** Keys that it cannot be asked for, with the reason; `undefined` for all others. */
  excludes?(key: string): string | undefined;
  /** Some start a process for each URL: they get fewer keys. */
  readonly isSlow?: boolean;
  /** URLs in the order of the calls. */
  urls(target: ClientTarget, calls: readonly ClientCall[]): Promise<readonly string[]>;
}
