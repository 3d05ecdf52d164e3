/** Sessions of the console in the admin API. */
import { z } from "@hono/zod-openapi";
import { AdminProblem, instant, time } from "./http.ts";
import type { AdminOptions } from "./options.ts";
import { created, done, type Handlers, ok, type Routes } from "./routes.ts";

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
