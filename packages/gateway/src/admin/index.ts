/**
 * The admin API: links, deliveries, claims, revocations, tokens and keys over HTTP, with OpenAPI 3.1 at `/openapi.json`. It has its own listener and tokens,
 * never a dialect's key.
 *
 * @module
 */
import { OpenAPIHono } from "@hono/zod-openapi";
import { auditHandlers, auditRoutes } from "./audit.ts";
import { backupHandlers, backupRoutes } from "./backup.ts";
import { claimHandlers, claimRoutes } from "./claims.ts";
import { type AdminEnv, AdminProblem, callerOf, type Disclosure, refused, toProblem } from "./http.ts";
import { keyHandlers, keyRoutes } from "./keys.ts";
import { linkActionHandlers, linkActionRoutes } from "./link-actions.ts";
import { linkHandlers, linkRoutes } from "./links.ts";
import { objectHandlers, objectRoutes } from "./objects.ts";
import type { AdminOptions } from "./options.ts";
import { revocationHandlers, revocationRoutes } from "./revocations.ts";
import { addRoutes, type Calls } from "./routes.ts";
import { schemaProblem } from "./schema-problem.ts";
import { sessionHandlers, sessionRoutes } from "./sessions.ts";
import { tokenHandlers, tokenRoutes } from "./tokens.ts";
import { webhookHandlers, webhookRoutes } from "./webhooks.ts";

export type { LinkPlace } from "../links/route-target.ts";
export type { AdminKey, AdminKeyScope, AdminKeys, AdminOptions, NewAdminKey } from "./options.ts";
export { type AdminSessions, adminSessions } from "./session-store.ts";

/**
 * What the command line sends to each route, `METHOD /path`, and the body of the answer. Other programs generate a client from the document.
 * @internal
 */
export type AdminCalls = Calls<typeof linkRoutes> &
  Calls<typeof linkActionRoutes> &
  Calls<typeof revocationRoutes> &
  Calls<typeof claimRoutes> &
  Calls<typeof tokenRoutes> &
  Calls<typeof keyRoutes> &
  Calls<typeof objectRoutes> &
  Calls<typeof sessionRoutes> &
  Calls<typeof backupRoutes> &
  Calls<typeof auditRoutes> &
  Calls<typeof webhookRoutes>;

/** A handler of `fetch` requests. */
export interface AdminApi {
  /** Answers one request. `address` is the client's, for the record. Never rejects. */
  fetch(request: Request, address?: string): Promise<Response>;
}

/** The path of the description of the API. */
const DOCUMENT = "/openapi.json";

/** Characters of a recorded path. */
const MAX_PATH = 200;

/** A caller who reads on, page by page or as a console does, is recorded once in this time. */
const DISCLOSURE_MS = 60 * 60 * 1000;

/**
 * Creates the admin API. Records each call, but for a GET that is answered: it changes nothing, and a console that asks again and again would
 * fill the audit. The first read of recipients or of the audit is recorded, for each caller in an hour.
 *
 * @example
 * ```ts
 * import { adminApi } from "@daypass/gateway/admin";
 * import type { AdminOptions } from "@daypass/gateway/admin";
 *
 * export const serve = (options: AdminOptions) => {
 *   const api = adminApi(options);
 *   return (request: Request) => api.fetch(request);
 * };
 * ```
 */
export function adminApi(options: AdminOptions): AdminApi {
  const { origins, isLocal, clock } = options;
  const hosts = new Set(origins.map((one) => new URL(one).host));
  const app = new OpenAPIHono<AdminEnv>({
    defaultHook(result) {
      if (result.success) return;
      const [issue] = result.error.issues;
      throw new AdminProblem(400, "INVALID_INPUT", issue === undefined ? "" : schemaProblem(issue));
    },
  });

  const disclosed = new Map<string, number>();
  const isFirst = (what: Disclosure, caller: string): boolean => {
    const now = clock().getTime();
    for (const [key, at] of disclosed) if (Math.abs(now - at) >= DISCLOSURE_MS) disclosed.delete(key);
    const key = `${what} ${caller}`;
    const isNew = !disclosed.has(key);
    if (isNew) disclosed.set(key, now);
    return isNew;
  };

  // On the outside, so that refused calls are recorded too.
  app.use(async (context, next) => {
    await next();
    const { method, path } = context.req;
    const problem = context.error && toProblem(context.error);
    const { caller, discloses } = context.var as Partial<AdminEnv["Variables"]>;
    const by = caller?.owner ?? "unknown";
    if (problem === undefined && method === "GET" && !(discloses && isFirst(discloses, by))) return;
    const result = problem?.code ?? (context.res.ok ? "ok" : String(context.res.status));
    const detail = `${method} ${path.slice(0, MAX_PATH)}`;
    await options.links.state
      .record({ action: "admin.call", by, result, detail, address: context.env?.address })
      .catch((error: unknown) => {
        context.res = refused(toProblem(error));
      });
  });
  app.use(async (context, next) => {
    const url = new URL(context.req.url);
    if (!isLocal && !hosts.has(context.req.header("host") ?? url.host)) {
      throw new AdminProblem(403, "WRONG_HOST", "the Host is not one of admin.origins");
    }
    const from = context.req.header("origin");
    if (!isLocal && from !== undefined && !origins.includes(from)) {
      throw new AdminProblem(403, "WRONG_ORIGIN", "the Origin is not one of admin.origins");
    }
    // The document has no secret, and generators of clients send no token. Who opens a session has only a ticket.
    const { path, method } = context.req;
    const isOpen = path === DOCUMENT || `${method} ${path}` === "POST /session";
    if (isLocal || !isOpen) context.set("caller", await callerOf(context, options));
    await next();
    context.header("cache-control", "no-store");
    context.header("x-content-type-options", "nosniff");
  });

  addRoutes(app, "links", linkRoutes, linkHandlers(options));
  addRoutes(app, "links", linkActionRoutes, linkActionHandlers(options));
  addRoutes(app, "revocations", revocationRoutes, revocationHandlers(options));
  addRoutes(app, "claims", claimRoutes, claimHandlers(options));
  addRoutes(app, "tokens", tokenRoutes, tokenHandlers(options));
  if (options.keys !== undefined) addRoutes(app, "keys", keyRoutes, keyHandlers(options.keys, options));
  addRoutes(app, "objects", objectRoutes, objectHandlers(options));
  addRoutes(app, "session", sessionRoutes, sessionHandlers(options));
  addRoutes(app, "backup", backupRoutes, backupHandlers(options));
  addRoutes(app, "audit", auditRoutes, auditHandlers(options));
  addRoutes(app, "webhooks", webhookRoutes, webhookHandlers(options));

  app.doc31(DOCUMENT, {
    openapi: "3.1.0",
    info: {
      title: "Daypass admin API",
      version: "1",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: "/" }],
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer" });

  app.notFound(() => refused(new AdminProblem(404, "NO_SUCH_PATH", "the API has no such path: see /openapi.json")));
  app.onError((error) => {
    const problem = toProblem(error);
    if (problem.code === "INTERNAL") options.onError(error);
    return refused(problem);
  });

  return { fetch: async (request, address) => app.fetch(request, { address }) };
}
