import type { Clock } from "daypass";
import type { HeaderList } from "../http/content-headers.ts";
import { type CorsPolicy, corsHeaders } from "../http/cors.ts";
import { type CorsRule, corsHeadersByRules } from "../http/cors-rules.ts";
import type { Body } from "../storage/contract/storage.ts";
import { type AuditEvent, auditEvent, type Notes } from "./audit.ts";
import type { Answer, DeliveryFault, Outcome } from "./outcome.ts";

export interface ExitOptions {
  readonly cors: CorsPolicy;
  readonly clock: Clock;
  /** Told once about every request, when its last byte is out. */
  readonly onDelivered: (event: AuditEvent) => void;
  /** Told once about every request, when nothing of it is under way any more. */
  readonly onOver: () => void;
}

/** The one exit: adds what every response carries and, once it is delivered, writes the one audit line. */
export interface Exit {
  /**
   * @param crossOrigin left out where no page of another origin can be meant
   * @param work what goes on although the client may be gone
   */
  respond(answer: Answer, notes: Notes, crossOrigin?: CrossOrigin, work?: Promise<unknown>): Outcome;
}

export interface CrossOrigin {
  readonly origin: string | undefined;
  /** Those of the bucket. */
  readonly rules: readonly CorsRule[];
}

const VARY: HeaderList = [["vary", "origin"]];

/** Refusals after which the connection cannot be trusted to be in step. */
const CLOSING: ReadonlySet<string | undefined> = new Set(["INVALID_REQUEST", "HEADERS_TOO_LARGE", "URI_TOO_LONG"]);

export function exit({ cors, clock, onDelivered, onOver }: ExitOptions): Exit {
  function crossOriginHeaders({ origin, rules }: CrossOrigin, method: string): HeaderList {
    return corsHeaders(cors, origin) ?? corsHeadersByRules(rules, { origin, method }) ?? VARY;
  }

  /** A class, because a closure for each response is what a small answer can least afford. */
  class ExitOutcome implements Outcome {
    readonly status: number;
    readonly headers: string[];
    readonly body: Body | undefined;
    readonly close: boolean;
    readonly #notes: Notes;
    readonly #work: Promise<unknown> | undefined;
    #delivered = false;

    constructor(answer: Answer, notes: Notes, work: Promise<unknown> | undefined) {
      this.status = answer.status;
      this.headers = answer.headers;
      this.body = notes.request.method === "HEAD" ? undefined : answer.body;
      this.close = notes.code !== undefined && CLOSING.has(notes.code);
      this.#notes = notes;
      this.#work = work;
    }

    delivered(bytes: number, complete: boolean, fault?: DeliveryFault): void {
      if (this.#delivered) return;
      this.#delivered = true;
      if (fault !== undefined) this.#notes.error = fault.error;
      const status = fault?.status ?? this.status;
      onDelivered(auditEvent(this.#notes, { status, bytes, complete, now: clock().getTime() }));
      if (this.#work === undefined) onOver();
      else void this.#work.then(onOver, onOver);
    }
  }

  return {
    respond(answer, notes, crossOrigin, work) {
      if (crossOrigin !== undefined) {
        // Also without an origin: a cached answer must not be given to a page, which it says nothing to.
        if (crossOrigin.origin === undefined) answer.headers.push("vary", "origin");
        else {
          const headers = crossOriginHeaders(crossOrigin, notes.request.method);
          for (const [name, value] of headers) answer.headers.push(name, value);
        }
      }
      return new ExitOutcome(answer, notes, work);
    },
  };
}
