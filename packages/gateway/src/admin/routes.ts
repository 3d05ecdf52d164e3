/** Routes of the admin API as rows: who may call, what a call sends, and what its answer is. */
import { type OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import type { Context, Next } from "hono";
import { type AdminEnv, AdminProblem, type Caller, type Disclosure, Problem } from "./http.ts";

/** What tokens may do. */
export const scopes = [
  "links:read",
  "links:write",
  "claims:write",
  "keys:read",
  "keys:write",
  "audit:read",
  "objects:read",
] as const;

/** A route. Its place in a table of {@link Routes} is its method and its path. */
export interface Route {
  /** The name of the call in clients that are generated. */
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /**
   * What a token needs. `caller`: nothing. `anyone`: the call needs no token. `operator`: tokens are refused, sessions of the console are not.
   * `local`: only who runs the command line on the machine of the gateway.
   */
  readonly scope: (typeof scopes)[number] | "anyone" | "caller" | "operator" | "local";
  /** Refuses tokens with buckets or a prefix, too. */
  readonly allBuckets?: boolean;
  /** For a GET: the first of a caller in an hour is recorded. Other GETs are recorded only if they are refused. */
  readonly discloses?: Disclosure;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodObject;
  readonly answer: {
    readonly status: 200 | 201 | 204;
    readonly description: string;
    readonly type?: string;
    readonly schema?: z.ZodType;
  };
}

type RouteName = `${"GET" | "POST" | "PATCH" | "DELETE"} /${string}`;

/** Routes by `METHOD /path`. */
export type Routes = Readonly<Record<RouteName, Route>>;

/** An answer in JSON. */
export const ok = <S extends z.ZodType>(schema: S, description: string) =>
  ({ status: 200, type: "application/json", schema, description }) as const;

/** The answer that describes a new thing. */
export const created = <S extends z.ZodType>(schema: S, description: string) =>
  ({ ...ok(schema, description), status: 201 }) as const;

/** An answer without a body. */
export const done = (description: string) => ({ status: 204, description }) as const;

/** All items of a resource. */
export const listOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item) });

/** A page of items. */
export const pageOf = <T extends z.ZodType>(item: T) => listOf(item).extend({ next: z.string().optional() });

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** What a schema makes of a value. */
type Output<S> = S extends z.ZodType ? z.output<S> : undefined;

/** The body of a route's answer. */
export type AnswerOf<R extends Route> = R["answer"] extends { schema: infer S extends z.ZodType }
  ? DeepReadonly<z.output<S>>
  : R["answer"] extends { type: string }
    ? ReadableStream<Uint8Array>
    : undefined;

type Part = "params" | "query" | "headers" | "body";
type Input<S> = S extends z.ZodType ? DeepReadonly<z.input<S>> : never;
type Optional<R, P extends keyof R = keyof R & ("query" | "headers")> = {
  [N in P]: Partial<Input<R[N]>> extends Input<R[N]> ? N : never;
}[P];
type Sent<R> = { readonly [N in Exclude<keyof R, Optional<R>>]: Input<R[N]> } & {
  readonly [N in Optional<R>]?: Input<R[N]>;
};

/** What a client sends to each route of a table, and the body of the answer. */
export type Calls<T extends Routes> = {
  readonly [K in keyof T & RouteName]: {
    readonly request: Sent<Pick<T[K], Part & keyof T[K]>>;
    readonly answer: AnswerOf<T[K]>;
  };
};

/** A call of a route, whose parts have passed its schemas. */
export interface Call<R extends Route = Route> {
  readonly caller: Caller;
  readonly params: Output<R["params"]>;
  readonly query: Output<R["query"]>;
  readonly headers: Output<R["headers"]>;
  readonly body: Output<R["body"]>;
  /** Sets a header of the response. */
  header(name: string, value: string): void;
}

/** What answers each route of a table. */
export type Handlers<T extends Routes> = {
  readonly [K in keyof T & RouteName]: (call: Call<T[K]>) => Promise<AnswerOf<T[K]>>;
};

/** Any handler. A method, because it takes only calls of its row. */
type Handler = { handle(call: Call): Promise<unknown> }["handle"];

/** Adds the routes of a table. */
export function addRoutes<T extends Routes>(
  app: OpenAPIHono<AdminEnv>,
  tag: string,
  routes: T,
  handlers: Handlers<T>,
): void {
  for (const key of Object.keys(routes) as (keyof T & RouteName)[]) addRoute(app, tag, key, routes[key], handlers[key]);
}

/** The parts of a request, as Hono names them. */
interface Given {
  in: object;
  out: { param: Call["params"]; query: Call["query"]; header: Call["headers"]; json: Call["body"] };
}

function addRoute(app: OpenAPIHono<AdminEnv>, tag: string, key: string, route: Route, handle: Handler): void {
  const { status, type = "" } = route.answer;
  app.openapi<RouteConfig, Given, string>(configOf(tag, key, route), async (context) => {
    const answer = await handle({
      caller: context.var.caller,
      params: context.req.valid("param"),
      query: context.req.valid("query"),
      headers: context.req.valid("header"),
      body: context.req.valid("json"),
      header: (name, value) => context.header(name, value),
    });
    if (status === 204) return context.body(null, status);
    if (!(answer instanceof ReadableStream)) return context.json(answer, status);
    return context.body(answer, status, { "content-type": type });
  });
}

/** A route as OpenAPI describes it. It checks its caller, and then the size of the body, before anything is parsed. */
function configOf(tag: string, key: string, route: Route): RouteConfig {
  const [method = "", path = ""] = key.split(" ");
  const { operationId, summary, description, scope, allBuckets, discloses, body, answer, ...parts } = route;
  const { status, type, schema = z.string() } = answer;
  const limits = [
    scope === "operator" && "Only for the operator: tokens are refused.",
    scope === "local" && "Only for the operator on the machine: tokens and the console are refused.",
    allBuckets && "Refuses tokens with buckets or a prefix.",
  ];
  return {
    method: method.toLowerCase() as "get",
    path,
    operationId,
    tags: [tag],
    summary,
    description: [description, ...limits].filter(Boolean).join(" "),
    security: scope === "anyone" ? [] : [{ bearer: isScope(scope) ? [scope] : [] }],
    request:
      body === undefined
        ? parts
        : { ...parts, body: { required: true, content: { "application/json": { schema: body } } } },
    responses: {
      [String(status)]: { description: answer.description, content: type === undefined ? {} : { [type]: { schema } } },
      "4XX": REFUSAL,
      "5XX": REFUSAL,
    },
    middleware: async (context: Context<AdminEnv>, next: Next): Promise<void> => {
      expectAccess(route, context.var.caller);
      context.set("discloses", discloses);
      context.req.raw = await withinLimit(context.req.raw);
      await next();
    },
  };
}

const isScope = (scope: Route["scope"]): scope is (typeof scopes)[number] => scopes.some((one) => one === scope);

const REFUSAL = { description: "A refusal, RFC 9457", content: { "application/problem+json": { schema: Problem } } };

/** @throws {AdminProblem} if the caller may not use the route */
function expectAccess({ scope, allBuckets }: Route, caller: Caller | undefined): void {
  if (scope === "anyone" || caller === undefined) return;
  const { token, session } = caller;
  const refused = (detail: string) => new AdminProblem(403, "TOKEN_SCOPE", detail);
  if (scope === "local" ? (token ?? session) !== undefined : scope === "operator" && token !== undefined)
    throw refused("only the local operator may do this: use the command line on the machine of the gateway");
  if (token === undefined) return;
  if (isScope(scope) && !token.scopes.includes(scope)) throw refused(`the token lacks the scope ${scope}`);
  if (allBuckets && (token.buckets !== undefined || token.prefix !== undefined))
    throw refused("this call is not about a bucket: use a token without buckets and prefix");
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
