/** Tokens of the admin API. */
import { randomBytes } from "node:crypto";
import { z } from "@hono/zod-openapi";
import { randomId } from "../links/identifiers.ts";
import type { AdminToken } from "../state/contract/state.ts";
import {
  type AdminApp,
  AdminProblem,
  guardedRoute,
  json,
  operatorOnly,
  optionalTime,
  responses,
  time,
  tokenHash,
} from "./http.ts";
import type { AdminOptions } from "./options.ts";

const instant = z.iso.datetime({ offset: true });
const Scope = z.enum(["links:read", "links:write", "claims:write", "keys:read", "keys:write", "audit:read"]);

const TokenInput = z
  .strictObject({
    label: z.string().max(1000).optional(),
    scopes: z.array(Scope).min(1),
    buckets: z.array(z.string()).optional(),
    prefix: z.string().optional(),
  })
  .openapi("TokenInput");

const TokenResource = z
  .object({
    id: z.string(),
    token: z.string().optional().openapi({ description: "Shown once, when the token is created." }),
    label: z.string().optional(),
    scopes: z.array(z.string()),
    buckets: z.array(z.string()).optional(),
    prefix: z.string().optional(),
    createdAt: instant,
    revokedAt: instant.optional(),
  })
  .openapi("Token");

const Id = z.object({ id: z.string().min(1).max(64) });

/** Adds the routes of tokens. */
export function addTokenRoutes(app: AdminApp, { links: { state }, clock }: AdminOptions): void {
  app.openapi(
    guardedRoute(operatorOnly, {
      method: "post",
      path: "/tokens",
      request: { body: json(TokenInput, "What the token may do") },
      responses: responses({ 201: json(TokenResource, "The token, shown once") }),
    }),
    async (context) => {
      const secret = randomBytes(32).toString("base64url");
      const hash = tokenHash(secret);
      const token: AdminToken = { ...context.req.valid("json"), id: randomId(), hash, createdAt: clock().getTime() };
      await state.addToken(token, context.var.caller.owner);
      return context.json(tokenResource(token, secret), 201) as never;
    },
  );
  app.openapi(
    guardedRoute(operatorOnly, {
      method: "get",
      path: "/tokens",
      responses: responses({ 200: json(z.object({ items: z.array(TokenResource) }), "Tokens") }),
    }),
    async (context) => {
      return context.json({ items: (await state.listTokens()).map((token) => tokenResource(token)) }, 200) as never;
    },
  );
  app.openapi(
    guardedRoute(operatorOnly, {
      method: "delete",
      path: "/tokens/{id}",
      request: { params: Id },
      responses: responses({ 204: { description: "Revoked" } }),
    }),
    async (context) => {
      if (!(await state.revokeToken(context.req.valid("param").id, context.var.caller.owner)))
        throw new AdminProblem(404, "NO_SUCH_TOKEN", "no token has this id");
      return context.body(null, 204) as never;
    },
  );
}

function tokenResource(
  { hash: _, createdAt, revokedAt, ...token }: AdminToken,
  secret?: string,
): z.infer<typeof TokenResource> {
  return {
    ...token,
    scopes: [...token.scopes],
    buckets: token.buckets && [...token.buckets],
    token: secret,
    createdAt: time(createdAt),
    revokedAt: optionalTime(revokedAt),
  };
}
