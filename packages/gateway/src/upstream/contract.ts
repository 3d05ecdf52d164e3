/** What the pipeline knows about upstreams: routes, and the requests that are sent through them. Knows no HTTP client. */
import type { Duplex } from "node:stream";
import type { WireRequest } from "daypass";
import type { Body } from "../storage/contract/storage.ts";

/** A constraint that every Daypass URL of a route must have. `exact` refuses URLs that grant a whole prefix. */
export type RouteRequirement = "body-length" | "body-sha256" | "exact" | "uses";

/** One route: paths of an origin that an upstream serves behind Daypass URLs and links. */
export interface RouteConfig {
  /** The origin that clients use, `scheme://host[:port]`. */
  readonly origin: string;
  /** A path that ends with `/`, for everything below it, or one whole path. */
  readonly prefix: string;
  /** The server to forward to, `scheme://host[:port]`. Its name is resolved once. */
  readonly upstream: string;
  /** Methods that are forwarded, `["GET"]` by default. `GET` includes `HEAD`. */
  readonly methods?: readonly string[] | undefined;
  /** What every URL must have; by default nothing. An empty list requires nothing. */
  readonly requires?: readonly RouteRequirement[] | undefined;
  /** The Host header that the upstream receives; the host of `upstream` by default. */
  readonly host?: string | undefined;
  /** Further request headers that are forwarded, lower-case names. */
  readonly headers?: readonly string[] | undefined;
  /** Whether cookies pass in both directions. Off by default. Daypass's own cookies never pass. */
  readonly cookies?: boolean | undefined;
  /** Whether a GET may become a WebSocket. Off by default. */
  readonly upgrade?: boolean | undefined;
  /** Whether URLs for a subject are accepted because the upstream compares `Daypass-Subject`. Off by default: they are refused. */
  readonly subjects?: boolean | undefined;
  /** Whether the upstream's caching headers pass, so that a cache may serve its responses without a grant. Off by default. */
  readonly sharedCaches?: boolean | undefined;
  readonly timeouts?: UpstreamTimeouts | undefined;
}

/** Limits on an upstream, in milliseconds. */
export interface UpstreamTimeouts {
  /** To connect: 5,000 by default. */
  readonly connectMs?: number | undefined;
  /** From the end of the request to the head of the response: 60,000 by default. */
  readonly answerMs?: number | undefined;
  /** Between two pieces of the response: 60,000 by default. */
  readonly idleMs?: number | undefined;
}

/** A request as an upstream receives it. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly target: string;
  /** Alternating names and values. */
  readonly headers: readonly string[];
  readonly body: AsyncIterable<Uint8Array> | undefined;
  /** The protocol to which the connection should change. */
  readonly upgrade?: string | undefined;
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal | undefined;
}

/** The response of an upstream. */
export interface UpstreamResponse {
  /** The HTTP status. */
  readonly status: number;
  /** Alternating names and values, as they came. */
  readonly headers: readonly string[];
  readonly body: Body | undefined;
  /** The connection, if the upstream has changed its protocol. */
  readonly tunnel: Duplex | undefined;
}

/** An open route. */
export interface Route
  extends Required<Omit<RouteConfig, "methods" | "headers" | "requires" | "timeouts" | "host" | "subjects">> {
  /** With `HEAD` if `GET` is one of them. */
  readonly methods: readonly string[];
  /** What every URL must have; empty: nothing. */
  readonly requires: readonly RouteRequirement[];
  /** Whether URLs for a subject are accepted. Off by default. */
  readonly subjects: boolean;
  /** Names of further request headers that are forwarded. */
  readonly headers: ReadonlySet<string>;
  readonly host: string;
  /** Sends a request; never a second time. @throws {Refusal} `UPSTREAM_FAILED`, `UPSTREAM_TIMEOUT`, and every error of the body */
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
}

/** The open routes of a gateway. */
export interface Routes {
  /** All routes, in the order of the configuration; empty: none. */
  readonly list: readonly Route[];
  /** The route of a request, by Host and raw path. The longest prefix wins. */
  find(request: Pick<WireRequest, "authority" | "target">): Route | undefined;
  /** Waits for requests in progress, then closes the connections. */
  close(): Promise<void>;
}
