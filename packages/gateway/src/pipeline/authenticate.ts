import { DaypassError, type ImmediateVerifier, type WireRequest } from "daypass";
import type { Authenticated } from "../permit.ts";
import { knownDialects, marksOf } from "../protocols/marks.ts";
import type { BodyVerifier, PermittingProtocol } from "../protocols/protocol.ts";
import { after } from "./after.ts";
import type { Received } from "./receive.ts";
import { type SlotOptions, slots } from "./unverified-body-limit.ts";

export interface AuthenticationOptions<P extends PermittingProtocol> {
  /** For requests whose body is read before they are verified. */
  readonly unverifiedBodies: SlotOptions;
  readonly protocols: readonly P[];
  /** Dialects by authority; a host that is not listed accepts all. */
  readonly hosts: Readonly<Record<string, readonly string[]>> | undefined;
}

export interface Authenticator<P extends PermittingProtocol> {
  /** Returns the dialect whose marks the request carries; `undefined` for none or several. */
  recognise(received: Received): P | undefined;
  /** Returns the dialect in which a host answers requests without one. */
  nativeTo(authority: string): P | undefined;
  /** Returns, or throws, at once if nothing has to wait. */
  authenticate(received: Received, body: AsyncIterable<Uint8Array>): Authenticated<P> | Promise<Authenticated<P>>;
}

/**
 * Verifies a request by the only dialect whose marks it carries. Verification is the same for every method, path and payload mode: nothing
 * in the request decides whether it happens (CVE-2025-31489, CVE-2026-41145, CVE-2026-40344).
 *
 * @throws {DaypassError} `NO_SIGNATURE`, `AMBIGUOUS_AUTHENTICATION`, and the errors of the dialect's verifier
 * @throws {Refusal} `BUSY`
 */
export function authenticator<P extends PermittingProtocol>(options: AuthenticationOptions<P>): Authenticator<P> {
  const withSlot = slots(options.unverifiedBodies);
  const forms = options.protocols.flatMap((protocol): readonly Form<P>[] => [
    ...protocol.verifiers.map((verifier) => ({ protocol, detects: verifier.detects, verifier })),
    ...(protocol.bodyVerifiers ?? []).map((bodyVerifier) => ({
      protocol,
      detects: bodyVerifier.detects,
      bodyVerifier,
    })),
  ]);
  const others = Object.keys(knownDialects).filter((known) =>
    options.protocols.every(({ dialect }) => dialect !== known),
  );
  const marked = [
    ...options.protocols.map(({ dialect, marks }) => ({ dialect, marks })),
    ...others.map((dialect) => ({ dialect, marks: marksOf(dialect) })),
  ].filter(({ marks }) => marks !== undefined);
  const hasForeignMarks = (own: string, request: WireRequest): boolean =>
    marked.some(({ dialect, marks }) => dialect !== own && marks?.(request));
  const hosts = new Map(Object.entries(options.hosts ?? {}).map(([host, dialects]) => [host.toLowerCase(), dialects]));

  const detected = (received: Received): { first: Form<P> | undefined; second: Form<P> | undefined } => {
    let first: Form<P> | undefined;
    for (const form of forms) {
      if (!form.detects(received.request)) continue;
      if (first !== undefined) return { first, second: form };
      first = form;
    }
    return { first, second: undefined };
  };

  return {
    recognise(received) {
      const { first, second } = detected(received);
      return second === undefined || second.protocol === first?.protocol ? first?.protocol : undefined;
    },
    nativeTo: (authority) => options.protocols.find(({ dialect }) => speaks(hosts, authority, dialect)),
    authenticate(received, body) {
      const { first, second } = detected(received);
      if (second !== undefined || (first !== undefined && hasForeignMarks(first.protocol.dialect, received.request))) {
        throw new DaypassError("AMBIGUOUS_AUTHENTICATION", "the request has two signatures. Send one");
      }
      if (first === undefined || !speaks(hosts, received.request.authority, first.protocol.dialect)) {
        throw new DaypassError("NO_SIGNATURE", "the request has no signature that this host reads. Sign it");
      }
      const { protocol } = first;
      const { request } = received;
      if ("verifier" in first)
        return after(first.verifier.verify(request), (grant) => proved({ received, protocol, grant, body }));
      const { verify } = first.bodyVerifier;
      const verified = withSlot(request.remoteAddress, () => verify(request, body));
      return verified.then(({ grant, body }) => proved({ received, protocol, grant, body }));
    },
  };
}

/** A kind of signature: in the head, or in the body. */
type Form<P> = Pick<BodyVerifier, "detects"> & { readonly protocol: P } & (
    | { readonly verifier: ImmediateVerifier }
    | { readonly bodyVerifier: BodyVerifier }
  );

function proved<P extends PermittingProtocol>(proof: Omit<Authenticated<P>, symbol>): Authenticated<P> {
  return proof as Authenticated<P>;
}

function speaks(hosts: ReadonlyMap<string, readonly string[]>, authority: string, dialect: string): boolean {
  // A route names its own host.
  if (hosts.size === 0 || dialect === "route") return true;
  const host = authority.toLowerCase();
  // `Host: example.com:443` selects the origin https://example.com too, so the dialects of that host apply.
  const dialects = hosts.get(host) ?? hosts.get(host.replace(/:(?:80|443)$/, ""));
  return dialects?.includes(dialect) ?? true;
}
