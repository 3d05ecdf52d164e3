/** The pipeline of the gateway and of forward-auth: the steps of a request up to its permit, its refusal, and the exit. */
import type { Clock, Grant, WireRequest } from "daypass";
import type { CorsPolicy } from "../http/cors.ts";
import type { Links } from "../links/links.ts";
import type { Permit } from "../permit.ts";
import type { PermittingProtocol } from "../protocols/protocol.ts";
import { type AccessEvent, type Notes, notesOf, requestIds } from "./access-log.ts";
import { after } from "./after.ts";
import { type AuthenticationOptions, authenticator } from "./authenticate.ts";
import { authorize } from "./authorize.ts";
import { NO_RULES } from "./cross-origin.ts";
import type { Limits } from "./limits.ts";
import type { Outcome } from "./outcome.ts";
import { answerProbe, type ProbeState, type Tally } from "./probes.ts";
import { type Received, receive } from "./receive.ts";
import { Refusal } from "./refusal.ts";
import { type Refuser, refuser } from "./refuser.ts";
import { type Reached, type Respond, responder } from "./respond.ts";
import { expectNotRevoked } from "./revocation.ts";

export interface PipelineOptions<P extends PermittingProtocol>
  extends Pick<ProbeState, "obstacle" | "linkObstacle" | "metrics"> {
  /** The first one also refuses the requests that no protocol recognises. */
  readonly protocols: readonly [P, ...P[]];
  readonly hosts?: AuthenticationOptions<P>["hosts"];
  readonly limits: Limits;
  readonly clock: Clock;
  readonly cors?: CorsPolicy | undefined;
  readonly links?: { readonly links: Links } | undefined;
  readonly tally: Tally;
  readonly isCounting: boolean;
  readonly accessLog?: ((event: AccessEvent) => void) | undefined;
  readonly random?: ((length: number) => Uint8Array) | undefined;
}

/** A request in progress. */
export interface Begun {
  readonly notes: Notes;
  readonly reached: Reached;
}

/** A request whose head was read. */
export interface Arrival extends Begun {
  readonly received: Received;
  readonly body: AsyncIterable<Uint8Array>;
}

/** A request that its signature proved, the policy permits, and no revocation refuses. */
export interface Admitted<P extends PermittingProtocol> {
  readonly protocol: P;
  readonly permit: Permit;
  /** The rest of the body. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface Pipeline<P extends PermittingProtocol> extends Refuser {
  readonly respond: Respond;
  /** Counts a request as in progress until its outcome was delivered. */
  begin(request: WireRequest): Begun;
  /** Answers a probe; `undefined` for every other request. */
  probe(begun: Begun): Outcome | Promise<Outcome> | undefined;
  /** @throws {Refusal} `BUSY`, `INVALID_REQUEST`, `URI_TOO_LONG`, `HEADERS_TOO_LARGE` */
  receive(begun: Begun): Received;
  /** Throws at once, or rejects, with the errors of `authenticate`, `authorize` and `expectNotRevoked`. */
  admit(arrival: Arrival): Admitted<P> | Promise<Admitted<P>>;
  /** Returns the grant of a request that has no body. Applies no policy. */
  verify(request: WireRequest): Promise<Grant>;
}

/** Assembles the pipeline. */
export function pipeline<P extends PermittingProtocol>(options: PipelineOptions<P>): Pipeline<P> {
  const {
    protocols,
    hosts,
    limits,
    clock,
    cors = {},
    tally: counts,
    isCounting,
    accessLog,
    obstacle,
    linkObstacle,
    metrics,
  } = options;
  const links = options.links?.links;
  const { recognise, nativeTo, authenticate } = authenticator({
    protocols,
    hosts,
    unverifiedBodies: {
      slots: Math.ceil(limits.inFlight / 4),
      perAddress: limits.unverifiedPerAddress,
      occupied: counts.unverified,
    },
  });
  const respond = responder({
    cors,
    clock,
    onDelivered(event) {
      if (isCounting) counts.metrics.count(event);
      try {
        accessLog?.(event);
      } catch {
        // A failing log must not end the server.
      }
    },
    onOver() {
      counts.inFlight -= 1;
    },
  });
  const { answer, refuse } = refuser({ recognise, nativeTo, fallback: protocols[0], respond });
  const nextRequestId = requestIds(options.random);
  const probes: ProbeState = {
    obstacle,
    linkObstacle,
    auditFault: () => links?.state.auditFault?.(),
    metrics,
  };

  return {
    respond,
    answer,
    refuse,
    begin(request) {
      counts.inFlight += 1;
      const notes = notesOf(request, { requestId: nextRequestId(), time: clock().getTime() });
      return { notes, reached: { rules: NO_RULES } };
    },
    probe({ notes, reached }) {
      const probe = answerProbe(notes.request, probes);
      if (!(probe instanceof Promise)) return probe === undefined ? undefined : respond(probe, notes);
      return probe.then(
        (text) => respond(text, notes),
        (error: unknown) => refuse(error, notes, reached),
      );
    },
    receive({ notes, reached }) {
      const received = receive(notes.request, limits);
      reached.received = received;
      if (counts.inFlight > limits.inFlight)
        throw new Refusal("BUSY", `more than ${limits.inFlight} requests are in progress. Try again`);
      return received;
    },
    // Each step takes the result of the one before, so a forgotten step does not compile.
    admit({ received, body, notes, reached }) {
      const begun = isCounting ? performance.now() : 0;
      return after(authenticate(received, body), (authenticated) => {
        reached.authenticated = authenticated;
        const { protocol, grant } = authenticated;
        if (isCounting) {
          const seconds = (performance.now() - begun) / 1000;
          counts.metrics.observe("verify_duration_seconds", seconds, `scheme="${grant.scheme}"`);
        }
        notes.signer = grant;
        notes.resource = protocol.resource(grant);
        notes.parentKeyId = protocol.parentKeyId?.(grant);
        const policy = { findRevoked: links?.revocations.findPrefix, now: clock().getTime() };
        return after(authorize(authenticated, policy), (permit) => {
          reached.permit = permit;
          if (links !== undefined) expectNotRevoked(permit, links);
          return { protocol, permit, body: authenticated.body };
        });
      });
    },
    async verify(request) {
      return (await authenticate(receive(request, limits), NO_BODY)).grant;
    },
  };
}

/** The body of a request without one. */
export const NO_BODY: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {},
};
