/** Tokens of the admin API. */
import { randomBytes } from "node:crypto";
import { z } from "@hono/zod-openapi";
import { randomId } from "../links/identifiers.ts";
import type { AdminToken } from "../state/contract/tokens.ts";
import { AdminProblem, Id, instant, optionalTime, time } from "./http.ts";
import type { AdminOptions } from "./options.ts";
import { type AnswerOf, created, done, type Handlers, listOf, ok, type Routes, scopes } from "./routes.ts";
import { tokenHash } from "./token-hash.ts";

const TokenInput = z
  .strictObject({
    label: z.string().max(1000).optional(),
    scopes: z.array(z.enum(scopes)).min(1),
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

export const tokenRoutes = {
  "POST /tokens": {
    operationId: "createToken",
    summary: "Create a token",
    scope: "operator",
    body: TokenInput,
    answer: created(TokenResource, "The token, shown once"),
  },
  "GET /tokens": {
    operationId: "listTokens",
    summary: "List the tokens, without secrets",
    scope: "operator",
    answer: ok(listOf(TokenResource), "Tokens"),
  },
  "DELETE /tokens/{id}": {
    operationId: "revokeToken",
    summary: "End a token, and remove its webhooks",
    scope: "operator",
    params: Id,
    answer: done("Revoked"),
  },
} satisfies Routes;

export const tokenHandlers = ({ links: { state }, clock }: AdminOptions): Handlers<typeof tokenRoutes> => ({
  async "POST /tokens"({ body, caller }) {
    const secret = randomBytes(32).toString("base64url");
    const token: AdminToken = { ...body, id: randomId(), hash: tokenHash(secret), createdAt: clock().getTime() };
    await state.addToken(token, caller.owner);
    return tokenResource(token, secret);
  },
  async "GET /tokens"() {
    return { items: (await state.listTokens()).map((token) => tokenResource(token)) };
  },
  async "DELETE /tokens/{id}"({ params, caller }) {
    if (!(await state.revokeToken(params.id, caller.owner)))
      throw new AdminProblem(404, "NO_SUCH_TOKEN", "no token has this id");
  },
});

type Shown = AnswerOf<(typeof tokenRoutes)["POST /tokens"]>;

function tokenResource({ hash: _, createdAt, revokedAt, ...token }: AdminToken, secret?: string): Shown {
  return { ...token, token: secret, createdAt: time(createdAt), revokedAt: optionalTime(revokedAt) };
}
