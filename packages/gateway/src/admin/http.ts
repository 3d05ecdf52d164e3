/** What the routes of the admin API share: callers, scopes and problems. */
import { createHash } from "node:crypto";
import { type OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import { DaypassError, isDaypassError } from "daypass";
import type { Context } from "hono";
import type { AdminToken } from "../state/contract/state.ts";
import type { AdminOptions } from "./options.ts";

/** Who calls: the local operator, or the holder of a token. */
export interface Caller {
  readonly owner: string;
  readonly token: AdminToken | undefined;
}

/** The variables of a request. */
export interface AdminEnv {
  Bindings: { address: string | undefined };
  Variables: { caller: Caller };
}

/** The application to which each file of routes adds its own. */
export type AdminApp = OpenAPIHono<AdminEnv>;

const STATUS = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  412: "Precondition Failed",
  428: "Precondition Required",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const;

/** An answer that ends a request early. */
export class AdminProblem extends Error {
  readonly status: keyof typeof STATUS;
  readonly code: string;

  constructor(status: keyof typeof STATUS, code: string, detail: string) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

/** A body or a response in JSON. */
export function json<T extends z.ZodType>(
  schema: T,
  description: string,
): { description: string; required: true; content: { "application/json": { schema: T } } } {
  return { description, required: true, content: { "application/json": { schema } } };
}

const Problem = z
  .object({ title: z.string(), status: z.int(), code: z.string(), detail: z.string() })
  .openapi("Problem");

/** The responses of a route: its success, and a problem for everything else. */
export function responses(success: RouteConfig["responses"]): RouteConfig["responses"] {
  const problem = { description: "A refusal, RFC 9457", content: { "application/problem+json": { schema: Problem } } };
  return { ...success, default: problem };
}

/** Finds the caller of a request. @throws {AdminProblem} */
export async function callerOf(context: Context<AdminEnv>, { links, isLocal }: AdminOptions): Promise<Caller> {
  if (isLocal) return { owner: "operator", token: undefined };
  const [, secret] = /^bearer ([\w-]{20,100})$/i.exec(context.req.header("authorization") ?? "") ?? [];
  const token = secret === undefined ? undefined : await links.state.findToken(tokenHash(secret));
  if (token === undefined) throw new AdminProblem(401, "NO_TOKEN", "send a token of the admin API as a bearer token");
  return { owner: `token:${token.id}`, token };
}

/** The form in which the state stores a token. */
export function tokenHash(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** @throws {AdminProblem} if the token of the caller lacks a scope */
export function expectScope({ var: { caller } }: Context<AdminEnv>, scope: string): Caller {
  if (caller.token !== undefined && !caller.token.scopes.includes(scope)) {
    throw new AdminProblem(403, "TOKEN_SCOPE", `the token lacks the scope ${scope}`);
  }
  return caller;
}

/** @throws {AdminProblem} if the token of the caller lacks a scope, or is for some buckets or a prefix only */
export function expectAllBuckets(context: Context<AdminEnv>, scope: string): void {
  const { token } = expectScope(context, scope);
  if (token?.buckets === undefined && token?.prefix === undefined) return;
  throw new AdminProblem(403, "TOKEN_SCOPE", "this call is not about a bucket: use a token without buckets and prefix");
}

/** @throws {AdminProblem} unless the local operator calls */
export function expectOperator({ var: { caller } }: Context<AdminEnv>): void {
  if (caller.token === undefined) return;
  throw new AdminProblem(
    403,
    "TOKEN_SCOPE",
    "only the local operator may do this: use the command line on the machine of the gateway",
  );
}

/** An instant as the API shows it. */
export function time(millis: number): string {
  return new Date(millis).toISOString();
}

/** An instant that may be absent. */
export function optionalTime(millis: number | undefined): string | undefined {
  return millis === undefined ? undefined : time(millis);
}

/** The problem behind an error. */
export function toProblem(error: unknown): AdminProblem {
  if (error instanceof AdminProblem) return error;
  if (isDaypassError(error) || error instanceof RangeError) {
    return new AdminProblem(400, error instanceof DaypassError ? error.code : "INVALID_INPUT", error.message);
  }
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === "STATE_UNAVAILABLE") return new AdminProblem(503, code, `${(error as Error).message}: try again`);
  if (code === "SLUG_TAKEN") return new AdminProblem(409, code, "another link has this slug: choose another");
  if (code === "NO_SUCH_BUCKET")
    return new AdminProblem(400, "NO_SUCH_BUCKET", "the bucket of the target does not exist");
  return new AdminProblem(500, "INTERNAL", "the gateway failed; its log has the reason");
}

/** The response of a problem. */
export function refused({ status, code, message }: AdminProblem): Response {
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
  return new Response(JSON.stringify({ title: STATUS[status], status, code, detail: message }), { status, headers });
}
