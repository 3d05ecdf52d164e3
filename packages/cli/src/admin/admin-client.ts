/** The admin API as commands use it: over the socket of the running gateway, over the network, or in this process. */
import { request as httpRequest } from "node:http";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import type { AdminCalls } from "@daypass/gateway/admin";
import { CommandError } from "../command.ts";
import { askForLinks } from "../state-folder/gateway-socket.ts";
import { hasLinks, linkFiles } from "../state-folder/link-files.ts";

/** A route of the admin API: `METHOD /path`. */
export type AdminRoute = keyof AdminCalls;

/** The body of its answer. */
export type AdminAnswer<R extends AdminRoute> = AdminCalls[R]["answer"];

type ListRoute = "GET /links" | "GET /links/{id}/deliveries" | "GET /revocations";

/** Calls the admin API. */
export interface AdminClient {
  /** @throws {CommandError} with the problem that the API reports */
  call<R extends AdminRoute>(
    route: R,
    request: AdminCalls[R]["request"],
  ): Promise<{ readonly etag: string | undefined; readonly body: AdminAnswer<R> }>;
  /** The items of a list, page by page. @throws {CommandError} with the problem that the API reports */
  items<R extends ListRoute>(
    route: R,
    request: AdminCalls[R]["request"],
  ): AsyncIterable<AdminAnswer<R>["items"][number]>;
  /** The lines of a long response, as they arrive. @throws {CommandError} with the problem that the API reports */
  lines<R extends "GET /audit/export">(route: R, request: AdminCalls[R]["request"]): AsyncIterable<string>;
  close(): Promise<void>;
}

/** Options of {@link adminClient}. */
export interface AdminClientOptions {
  readonly folder: string;
  /** The URL of a listener on another machine. */
  readonly admin?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Connects to the admin API of the gateway on a state folder. */
export async function adminClient({ folder, admin, env }: AdminClientOptions): Promise<AdminClient> {
  if (admin !== undefined) {
    const token = env["DAYPASS_ADMIN_TOKEN"];
    if (!token) throw new CommandError("DAYPASS_ADMIN_TOKEN is not set. --admin needs a token of the admin API.");
    return clientOf((path, init) =>
      fetch(new URL(path, admin), { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } }),
    );
  }
  const { adminSocket } = linkFiles(folder);
  if (!(await askForLinks(folder))) return localClient(folder, env);
  return clientOf((path, init) => overSocket(adminSocket, path, init));
}

async function localClient(folder: string, env: AdminClientOptions["env"]): Promise<AdminClient> {
  const { emptyAdmin, openLocalAdmin } = await import("./local-admin.ts");
  let opened: ReturnType<typeof openLocalAdmin> | undefined;
  const send: Send = async (path, init) => {
    // A question makes no files.
    if (opened === undefined && init.method !== "GET") opened = openLocalAdmin(folder, env);
    const { api } = await (opened ?? emptyAdmin());
    return api.fetch(new Request(new URL(path, "http://localhost"), init));
  };
  if (hasLinks(folder)) opened = openLocalAdmin(folder, env);
  await opened;
  return { ...clientOf(send), close: async () => (await opened)?.close() };
}

interface Init {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
}
type Send = (path: string, init: Init) => Promise<Response>;

type Texts = Readonly<Record<string, unknown>>;
interface Request {
  readonly params?: Texts;
  readonly query?: Texts;
  readonly headers?: Texts;
  readonly body?: object;
}

function clientOf(send: Send): AdminClient {
  async function respond(route: string, { params = {}, query = {}, headers, body }: Request): Promise<Response> {
    const [method = "", template = ""] = route.split(" ");
    const path = template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(params[name])));
    const search = new URLSearchParams(texts(query));
    const response = await send(search.size === 0 ? path : `${path}?${search}`, {
      method,
      headers: texts({ ...headers, "content-type": body && "application/json" }),
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (response.ok) return response;
    const text = await response.text();
    const problem = text === "" ? undefined : JSON.parse(text);
    throw new CommandError(problem?.detail ?? `the gateway answered ${response.status}`, problem?.code);
  }
  const call: AdminClient["call"] = async (route, request) => {
    const response = await respond(route, request);
    const text = await response.text();
    const etag = response.headers.get("etag") ?? undefined;
    return { etag, body: text === "" ? undefined : JSON.parse(text) };
  };
  return {
    call,
    async *items(route, request) {
      for (let cursor: string | undefined; ; ) {
        const response = await respond(route, { ...request, query: { limit: 1000, cursor } });
        const { items, next } = JSON.parse(await response.text());
        yield* items;
        cursor = next;
        if (cursor === undefined) return;
      }
    },
    async *lines(route, request) {
      const { body } = await respond(route, request);
      yield* createInterface({ input: Readable.fromWeb(body as ReadableStream), crlfDelay: 0 });
    },
    close: async () => undefined,
  };
}

/** The values that are present, as texts. */
function texts(values: Texts): Record<string, string> {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}

function overSocket(socketPath: string, path: string, { method, headers, body }: Init): Promise<Response> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ socketPath, path, method, headers: { host: "localhost", ...headers } }, (message) => {
      const status = message.statusCode ?? 500;
      const etag = message.headers.etag;
      const body = status === 204 ? null : (Readable.toWeb(message) as ConstructorParameters<typeof Response>[0]);
      resolve(new Response(body, { status, headers: etag === undefined ? {} : { etag } }));
    });
    sent.on("error", (error) =>
      reject(new CommandError(`the gateway does not answer on ${socketPath}: ${error.message}`)),
    );
    sent.end(body);
  });
}
