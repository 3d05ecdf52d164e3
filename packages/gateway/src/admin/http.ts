/** What the routes of the admin API share: callers, scopes and problems. */
import { createHash } from "node:crypto";
import { createRoute, type OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import { DaypassError, isDaypassError } from "daypass";
import type { Context, Next } from "hono";
import { HTTPException } from "hono/http-exception";
import { OPERATOR } from "../state/contract/link-revocation.ts";
import { isCursor } from "../state/contract/rows.ts";
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
  413: "Content Too Large",
  422: "Unprocessable Content",
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
  if (isLocal) return { owner: OPERATOR, token: undefined };
  const [, secret] = /^bearer ([\w-]{20,100})$/i.exec(context.req.header("authorization") ?? "") ?? [];
  const token = secret === undefined ? undefined : await links.state.findToken(tokenHash(secret));
  if (token === undefined) throw new AdminProblem(401, "NO_TOKEN", "send a token of the admin API as a bearer token");
  return { owner: `token:${token.id}`, token };
}

/** The form in which the state stores a token. */
export function tokenHash(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** Decides whether a caller may use a route. @throws {AdminProblem} */
export type Access = (caller: Caller) => void;

/** Access for the operator, and for tokens with a scope. */
export function scope(name: string): Access {
  return ({ token }) => {
    if (token === undefined || token.scopes.includes(name)) return;
    throw new AdminProblem(403, "TOKEN_SCOPE", `the token lacks the scope ${name}`);
  };
}

/** Access for the operator, and for tokens with a scope that have neither buckets nor a prefix. */
export function allBuckets(name: string): Access {
  return (caller) => {
    scope(name)(caller);
    const { token } = caller;
    if (token?.buckets === undefined && token?.prefix === undefined) return;
    const way = "use a token without buckets and prefix";
    throw new AdminProblem(403, "TOKEN_SCOPE", `this call is not about a bucket: ${way}`);
  };
}

/** Access for the local operator only. */
export const operatorOnly: Access = ({ token }) => {
  if (token === undefined) return;
  const way = "use the command line on the machine of the gateway";
  throw new AdminProblem(403, "TOKEN_SCOPE", `only the local operator may do this: ${way}`);
};

/** A route that checks its caller, and then the size of the body, before anything is parsed. */
export function guardedRoute<P extends string, R extends Omit<RouteConfig, "path"> & { path: P }>(
  access: Access,
  config: R,
): ReturnType<typeof createRoute<P, R>> {
  const middleware = async (context: Context<AdminEnv>, next: Next): Promise<void> => {
    access(context.var.caller);
    context.req.raw = await withinLimit(context.req.raw);
    await next();
  };
  return Object.assign(createRoute<P, R>(config), { middleware });
}

/** Bytes of a body. */
const MAX_BODY = 256 * 1024;

/** A request whose body was read and counted. */
async function withinLimit(request: Request): Promise<Request> {
  const { body, url, method, headers } = request;
  if (body === null) return request;
  const chunks: Uint8Array[] = [];
  let size = 0;
  // A cancelled body would close the connection before the response is sent.
  for await (const chunk of body.values({ preventCancel: true })) {
    size += chunk.length;
    if (size > MAX_BODY) throw new AdminProblem(413, "TOO_LARGE", `the body is larger than ${MAX_BODY} bytes`);
    chunks.push(chunk);
  }
  return new Request(url, { method, headers, body: Buffer.concat(chunks) });
}

/** Selects a page of a list. */
export const PageQuery: z.ZodObject<{
  /** `next` of the page before. */
  cursor: z.ZodOptional<z.ZodString>;
  /** 100 by default. */
  limit: z.ZodDefault<z.ZodCoercedNumber>;
}> = z.object({
  cursor: z.string().max(200).refine(isCursor, "Send the next of the page before.").optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

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
  if (error instanceof HTTPException && error.status === 400)
    return new AdminProblem(400, "INVALID_INPUT", "the body is not valid JSON");
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
