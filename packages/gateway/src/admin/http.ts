/** What the routes of the admin API share: callers, scopes and problems. */
import { z } from "@hono/zod-openapi";
import { DaypassError, isDaypassError } from "daypass";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { OPERATOR } from "../state/contract/link-revocation.ts";
import { isCursor } from "../state/contract/page.ts";
import type { AdminToken } from "../state/contract/tokens.ts";
import type { AdminOptions } from "./options.ts";
import { tokenHash } from "./token-hash.ts";

/** Who calls: the local operator, a session of the console, or the holder of a token. */
export interface Caller {
  readonly owner: string;
  readonly token: AdminToken | undefined;
  /** A session of the console, with its bearer and its end in milliseconds. */
  readonly session?: { readonly secret: string; readonly until: number };
}

/** What an answer shows of people, so that who read it is recorded. */
export type Disclosure = "recipients" | "audit";

/** The variables of a request. */
export interface AdminEnv {
  Bindings: { address: string | undefined };
  Variables: { caller: Caller; discloses: Disclosure | undefined };
}

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

/** The body of a refusal. */
export const Problem = z
  .object({ title: z.string(), status: z.int(), code: z.string(), detail: z.string() })
  .openapi("Problem");

/** Finds the caller of a request. @throws {AdminProblem} */
export async function callerOf(
  context: Context<AdminEnv>,
  { links, isLocal, sessions }: AdminOptions,
): Promise<Caller> {
  if (isLocal) return { owner: OPERATOR, token: undefined };
  const [, secret] = /^bearer ([\w-]{20,100})$/i.exec(context.req.header("authorization") ?? "") ?? [];
  if (secret === undefined) throw new AdminProblem(401, "NO_TOKEN", "send a token of the admin API as a bearer token");
  const until = sessions?.find(secret);
  if (until !== undefined) return { owner: OPERATOR, token: undefined, session: { secret, until } };
  const token = await links.state.findToken(tokenHash(secret));
  if (token === undefined) throw new AdminProblem(401, "NO_TOKEN", "the bearer token is unknown or was revoked");
  return { owner: `token:${token.id}`, token };
}

/** Selects a page of a list. */
export const PageQuery = z.object({
  cursor: z.string().max(200).refine(isCursor, "Send the next of the page before.").optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

/** The `{id}` of a path. */
export const Id = z.object({ id: z.string().min(1).max(64) });

/** An instant in a body. */
export const instant = z.iso.datetime({ offset: true }).openapi({ example: "2026-12-08T12:00:00Z" });

/** An instant as the API shows it. */
export function time(millis: number): string {
  return new Date(millis).toISOString();
}

/** An instant that may be absent. */
export function optionalTime(millis: number | undefined): string | undefined {
  return millis === undefined ? undefined : time(millis);
}

/** The refusal of an input that its schema accepts. */
export const invalid = (detail: string) => new AdminProblem(400, "INVALID_INPUT", detail);

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
  if (code === "UNAVAILABLE" || code === "STORAGE_DENIED")
    return new AdminProblem(503, "STORAGE_UNAVAILABLE", "the storage of the gateway does not answer: try again");
  if (code === "NO_SUCH_BUCKET")
    return new AdminProblem(400, "NO_SUCH_BUCKET", "the bucket of the target does not exist");
  return new AdminProblem(500, "INTERNAL", "the gateway failed; its log has the reason");
}

/** The response of a problem. */
export function refused({ status, code, message }: AdminProblem): Response {
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
  return new Response(JSON.stringify({ title: STATUS[status], status, code, detail: message }), { status, headers });
}
