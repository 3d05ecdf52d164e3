import { isDaypassError } from "daypass";
import { refuseUnrecognised } from "../protocols/page.ts";
import type { PermittingProtocol } from "../protocols/protocol.ts";
import type { Notes } from "./access-log.ts";
import type { Authenticator } from "./authenticate.ts";
import { refusedPreflight } from "./cross-origin.ts";
import type { Answer, Outcome } from "./outcome.ts";
import { redactKey } from "./redact.ts";
import { toRefusal } from "./refusal.ts";
import { crossOriginOf, exchangeOf, type Reached, type Respond } from "./respond.ts";

export interface RefuserOptions extends Pick<Authenticator<PermittingProtocol>, "recognise" | "nativeTo"> {
  /** The dialect of responses to requests without one. */
  readonly fallback: PermittingProtocol;
  readonly respond: Respond;
}

/** Answers requests that fail, in the client's dialect. */
export interface Refuser {
  answer(error: unknown, notes: Notes, reached: Reached): Answer;
  refuse(error: unknown, notes: Notes, reached: Reached): Outcome;
}

export function refuser({ recognise, nativeTo, fallback, respond }: RefuserOptions): Refuser {
  function answer(error: unknown, notes: Notes, reached: Reached): Answer {
    const { received, authenticated, permit } = reached;
    const protocol = authenticated?.protocol ?? (received === undefined ? undefined : recognise(received));
    const thrown = toRefusal(error);
    const refusal = permit === undefined ? thrown : (protocol?.attributed?.(thrown, permit) ?? thrown);
    notes.code = refusal.code;
    notes.signer ??= isDaypassError(refusal.cause) ? refusal.cause.signedBy : undefined;
    const exchange = exchangeOf(notes, reached);
    const answer =
      protocol?.refuse(refusal, exchange) ??
      refuseUnrecognised(nativeTo(notes.request.authority) ?? fallback, refusal, exchange);
    // A client may have written a signature into the part of the request that the text quotes.
    if (answer.status >= 400 && answer.status < 500) notes.reason = redactKey(refusal.message);
    // A 5xx is not the client's fault, so the log shows its cause to the operator. A 501 is: the client asked for what does not exist here.
    if (answer.status >= 500 && answer.status !== 501) notes.error = refusal.cause;
    return answer;
  }

  return {
    answer,
    refuse(error, notes, reached) {
      try {
        const refused = answer(error, notes, reached);
        if (notes.request.method === "OPTIONS") return respond(refusedPreflight(refused), notes);
        return respond(refused, notes, crossOriginOf(reached));
      } catch (second) {
        // The dialect failed to refuse.
        notes.code = "INTERNAL";
        notes.error = second;
        return respond({ status: 500, headers: ["content-length", "0"], body: undefined }, notes);
      }
    },
  };
}
