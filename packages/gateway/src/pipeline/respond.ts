import type { Clock } from "daypass";
import { type CorsPolicy, corsHeaders } from "../http/cors.ts";
import type { Body } from "../storage/storage.ts";
import { type AuditEvent, auditEvent, type Notes } from "./audit.ts";
import type { Answer, Outcome } from "./outcome.ts";

export interface ExitOptions {
  readonly cors: CorsPolicy;
  readonly clock: Clock;
  /** Told once about every request, when its last byte is out. */
  readonly onDelivered: (event: AuditEvent) => void;
}

/** The one exit: adds what every response carries and, once it is delivered, writes the one audit line. */
export interface Exit {
  respond(answer: Answer, notes: Notes, origin: string | undefined): Outcome;
}

/** Refusals after which the connection cannot be trusted to be in step. */
const CLOSING: ReadonlySet<string | undefined> = new Set(["INVALID_REQUEST", "HEADERS_TOO_LARGE", "URI_TOO_LONG"]);

export function exit({ cors, clock, onDelivered }: ExitOptions): Exit {
  const crossOrigin = cors.origins !== undefined && cors.origins.length > 0;

  /** A class, because a closure for each response is what a small answer can least afford. */
  class ExitOutcome implements Outcome {
    readonly status: number;
    readonly headers: string[];
    readonly body: Body | undefined;
    readonly close: boolean;
    readonly #notes: Notes;
    #delivered = false;

    constructor(answer: Answer, notes: Notes) {
      this.status = answer.status;
      this.headers = answer.headers;
      this.body = notes.request.method === "HEAD" ? undefined : answer.body;
      this.close = notes.code !== undefined && CLOSING.has(notes.code);
      this.#notes = notes;
    }

    delivered(bytes: number, complete: boolean, error?: unknown): void {
      if (this.#delivered) return;
      this.#delivered = true;
      if (error !== undefined) this.#notes.error = error;
      const status = error === undefined ? this.status : 500;
      onDelivered(auditEvent(this.#notes, { status, bytes, complete, now: clock().getTime() }));
    }
  }

  return {
    respond(answer, notes, origin) {
      if (crossOrigin) for (const [name, value] of corsHeaders(cors, origin)) answer.headers.push(name, value);
      return new ExitOutcome(answer, notes);
    },
  };
}
