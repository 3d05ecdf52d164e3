import type { Clock } from "daypass";
import type { HeaderList } from "../http/content-headers.ts";
import { type CorsPolicy, type CorsRule, policyRule, responseHeaders } from "../http/cors.ts";
import type { Authenticated, Permit } from "../permit.ts";
import type { Exchange, PermittingProtocol } from "../protocols/protocol.ts";
import type { Body } from "../storage/contract/storage.ts";
import { type AccessEvent, accessEvent, type Notes } from "./access-log.ts";
import type { Answer, DeliveryFault, Outcome } from "./outcome.ts";
import type { Received } from "./receive.ts";

/** How far a request has come. */
export interface Reached {
  received?: Received;
  /** The cross-origin rules of its bucket. */
  rules: readonly CorsRule[];
  /** Its grant, and the dialect that verified it. */
  authenticated?: Authenticated<PermittingProtocol>;
  permit?: Permit;
}

export function exchangeOf({ requestId, request }: Notes, { received, permit }: Reached): Exchange {
  return { requestId, request: received?.request ?? request, permit };
}

export function crossOriginOf({ received, rules }: Reached): RespondOptions {
  return { crossOrigin: { origin: received?.fields.origin, rules } };
}

export interface ResponderOptions {
  readonly cors: CorsPolicy;
  readonly clock: Clock;
  /** Called once for each request, when its last byte is sent. */
  readonly onDelivered: (event: AccessEvent) => void;
  /** Called once for each request, when no work is in progress for it. */
  readonly onOver: () => void;
}

export interface RespondOptions {
  /** Absent if the response is not for pages of other origins. */
  readonly crossOrigin?: { readonly origin: string | undefined; readonly rules: readonly CorsRule[] } | undefined;
  /** Work that continues even if the client disconnects. */
  readonly work?: Promise<unknown> | undefined;
}

/** Turns an answer into the outcome of its request. */
export type Respond = (answer: Answer, notes: Notes, options?: RespondOptions) => Outcome;

const VARY: HeaderList = [["vary", "origin"]];

/** Refusals after which client and server may disagree on where the next request begins. */
const CLOSING: ReadonlySet<string | undefined> = new Set(["INVALID_REQUEST", "HEADERS_TOO_LARGE", "URI_TOO_LONG"]);

/** The only exit of the pipeline: adds the headers of every response and, once it is delivered, writes the line of the access log. */
export function responder({ cors, clock, onDelivered, onOver }: ResponderOptions): Respond {
  const policy = policyRule(cors);

  /** A class, because a closure for each response costs too much for small ones. */
  class DeliverableOutcome implements Outcome {
    readonly status: number;
    readonly headers: string[];
    readonly body: Body | undefined;
    readonly close: boolean;
    readonly tunnel: Answer["tunnel"];
    readonly onDelivered: Answer["onDelivered"];
    readonly onRunning: Answer["onRunning"];
    readonly #notes: Notes;
    readonly #work: Promise<unknown> | undefined;
    #delivered = false;

    constructor(answer: Answer, notes: Notes, work: Promise<unknown> | undefined) {
      this.status = answer.status;
      this.headers = answer.headers;
      this.body = notes.request.method === "HEAD" ? undefined : answer.body;
      this.close = notes.code !== undefined && CLOSING.has(notes.code);
      this.tunnel = answer.tunnel;
      this.onDelivered = answer.onDelivered;
      this.onRunning = answer.onRunning;
      this.#notes = notes;
      this.#work = work;
    }

    delivered(bytes: number, complete: boolean, fault?: DeliveryFault): void {
      if (this.#delivered) return;
      this.#delivered = true;
      if (fault !== undefined) this.#notes.error = fault.error;
      this.onDelivered?.(bytes, complete);
      const status = fault?.status ?? this.status;
      onDelivered(accessEvent(this.#notes, { status, bytes, complete, now: clock().getTime() }));
      if (this.#work === undefined) onOver();
      else void this.#work.then(onOver, onOver);
    }
  }

  return (answer, notes, { crossOrigin, work } = {}) => {
    if (crossOrigin !== undefined) {
      const { origin, rules } = crossOrigin;
      // Without an origin too: a cache must not give this response to a page.
      if (origin === undefined) answer.headers.push("vary", "origin");
      else {
        const headers = responseHeaders(policy, rules, { origin, method: notes.request.method }) ?? VARY;
        for (const [name, value] of headers) answer.headers.push(name, value);
      }
    }
    return new DeliverableOutcome(answer, notes, work);
  };
}
