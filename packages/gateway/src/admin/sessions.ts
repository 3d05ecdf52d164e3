/** Sessions of the console: an operator's browser, let in by the command line. In memory, so a restart of the gateway ends them. */
import { randomBytes } from "node:crypto";
import { z } from "@hono/zod-openapi";
import { AdminProblem, instant, time, tokenHash } from "./http.ts";
import type { AdminOptions } from "./options.ts";
import { created, done, type Handlers, ok, type Routes } from "./routes.ts";

/** A ticket is in an address for as long as a browser takes to open it. */
const TICKET_MS = 60_000;
const SESSION_MS = 12 * 60 * 60 * 1000;
/** The oldest makes room. */
const MAX_OPEN = 1000;

/** Secrets that end. Only their hashes are kept, so that a comparison takes the same time for every secret. */
function passes(clock: () => Date, life: number) {
  const open = new Map<string, number>();
  return {
    add(): { readonly secret: string; readonly until: number } {
      const now = clock().getTime();
      for (const [hash, until] of open) if (until <= now || open.size >= MAX_OPEN) open.delete(hash);
      const secret = randomBytes(32).toString("base64url");
      const until = now + life;
      open.set(tokenHash(secret), until);
      return { secret, until };
    },
    /** The end of a secret; `undefined` if it is unknown, or over. A clock that was set back gives no more time than a new secret has. */
    find(secret: string): number | undefined {
      const until = open.get(tokenHash(secret));
      const left = (until ?? 0) - clock().getTime();
      return left > 0 && left <= life ? until : undefined;
    },
    remove: (secret: string): boolean => open.delete(tokenHash(secret)),
  };
}

/** The sessions of a process, which all of its listeners share. */
export interface AdminSessions {
  /** Makes a ticket for one session. */
  ticket(): string;
  /** Opens a session with a ticket, which is then used up; `undefined` for another one. */
  open(ticket: string): { readonly secret: string; readonly until: number } | undefined;
  /** When the session of a bearer ends, in milliseconds; `undefined` if there is none. */
  find(secret: string): number | undefined;
  end(secret: string): void;
}

/** Creates sessions that the clock ends. */
export function adminSessions(clock: () => Date): AdminSessions {
  const tickets = passes(clock, TICKET_MS);
  const sessions = passes(clock, SESSION_MS);
  return {
    ticket: () => tickets.add().secret,
    open(ticket) {
      if (tickets.find(ticket) === undefined || !tickets.remove(ticket)) return undefined;
      return sessions.add();
    },
    find: sessions.find,
    end: (secret) => void sessions.remove(secret),
  };
}

const Ticket = z.object({ url: z.string() }).openapi("ConsoleTicket");
const NewSession = z.object({ token: z.string(), until: instant }).openapi("NewSession");
const Session = z
  .object({
    owner: z.string(),
    scopes: z.array(z.string()).optional().openapi({ description: "Absent: everything." }),
    buckets: z.array(z.string()).optional(),
    prefix: z.string().optional(),
    until: instant.optional().openapi({ description: "Absent: until the token is revoked." }),
  })
  .openapi("Session");

export const sessionRoutes = {
  "POST /tickets": {
    operationId: "createTicket",
    summary: "Make an address that opens the console once",
    description: "For 60 seconds. The secret is in the fragment, which browsers send to no server.",
    scope: "local",
    answer: created(Ticket, "The address"),
  },
  "POST /session": {
    operationId: "openSession",
    summary: "Open a session of 12 hours with a ticket",
    scope: "anyone",
    body: z.strictObject({ ticket: z.string().max(100) }).openapi("SessionInput"),
    answer: created(NewSession, "The session, whose token is shown once"),
  },
  "GET /session": {
    operationId: "getSession",
    summary: "Show what the caller may do",
    scope: "caller",
    answer: ok(Session, "The caller"),
  },
  "DELETE /session": {
    operationId: "endSession",
    summary: "End the session of the caller",
    scope: "caller",
    answer: done("Ended; a token of the admin API stays"),
  },
} satisfies Routes;

export function sessionHandlers({ sessions, origins, consoleOrigin }: AdminOptions): Handlers<typeof sessionRoutes> {
  return {
    async "POST /tickets"() {
      const origin = consoleOrigin ?? origins[0];
      if (sessions === undefined || origin === undefined)
        throw new AdminProblem(
          409,
          "NO_LISTENER",
          "the gateway has no listener for the console: set admin.listen in its configuration, such as 127.0.0.1:8081, and start it again",
        );
      return { url: `${origin}/ui/#ticket=${sessions.ticket()}` };
    },
    async "POST /session"({ body }) {
      const session = sessions?.open(body.ticket);
      if (session === undefined)
        throw new AdminProblem(401, "NO_TICKET", "the address was used, or is older than a minute: make another one");
      return { token: session.secret, until: time(session.until) };
    },
    async "GET /session"({ caller: { owner, token, session } }) {
      const { scopes, buckets, prefix } = token ?? {};
      return {
        owner,
        scopes: scopes && [...scopes],
        buckets: buckets && [...buckets],
        prefix,
        until: session && time(session.until),
      };
    },
    async "DELETE /session"({ caller: { session } }) {
      if (session !== undefined) sessions?.end(session.secret);
    },
  };
}
