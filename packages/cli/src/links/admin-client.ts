/** The admin API as commands use it: over the socket of the running gateway, over the network, or in this process. */
import { existsSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../command.ts";
import { createLinks, linkFiles, servingOf } from "../state/link-files.ts";

/** What a call returns. */
export interface AdminAnswer {
  readonly status: number;
  readonly etag: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: the API describes each of its bodies, commands read single fields
  readonly body: any;
}

/** Calls the admin API. */
export interface AdminClient {
  /** @throws {CommandError} with the problem that the API reports */
  call(method: string, path: string, body?: object, headers?: Readonly<Record<string, string>>): Promise<AdminAnswer>;
  /** The items of a list, page by page. @throws {CommandError} with the problem that the API reports */
  items<Item>(path: string): AsyncIterable<Item>;
  /** The lines of a long response, as they arrive. @throws {CommandError} with the problem that the API reports */
  lines(path: string): AsyncIterable<string>;
  close(): Promise<void>;
}

/** Options of {@link adminClient}. */
export interface AdminClientOptions {
  readonly folder: string;
  /** The URL of a listener on another machine. */
  readonly admin?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const WAIT_MS = 5000;

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
  const serving = servingOf(folder);
  if (serving === undefined) return localClient(folder, env);
  if (!existsSync(adminSocket)) {
    // The gateway started before there were links: it looks for their database when it reloads.
    createLinks(folder);
    process.kill(serving.pid, "SIGHUP");
    for (let waited = 0; !existsSync(adminSocket) && waited < WAIT_MS; waited += 50) await sleep(50);
  }
  return clientOf((path, init) => overSocket(adminSocket, path, init));
}

async function localClient(folder: string, env: AdminClientOptions["env"]): Promise<AdminClient> {
  const { openLocalAdmin } = await import("./local-admin.ts");
  const { api, close } = await openLocalAdmin(folder, env);
  return { ...clientOf((path, init) => api.fetch(new Request(new URL(path, "http://localhost"), init))), close };
}

type Send = (
  path: string,
  init: { method: string; headers: Record<string, string>; body?: string },
) => Promise<Response>;

function clientOf(send: Send): AdminClient {
  const failed = (status: number, text: string): CommandError => {
    const answer = text === "" ? undefined : JSON.parse(text);
    return new CommandError(answer?.detail ?? `the gateway answered ${status}`, answer?.code);
  };
  const call: AdminClient["call"] = async (method, path, body, headers = {}) => {
    const type = body === undefined ? undefined : { "content-type": "application/json" };
    const init = {
      method,
      headers: { ...headers, ...type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const response = await send(path, init);
    const text = await response.text();
    if (!response.ok) throw failed(response.status, text);
    const answer = text === "" ? undefined : JSON.parse(text);
    return { status: response.status, etag: response.headers.get("etag") ?? undefined, body: answer };
  };
  return {
    call,
    async *items(path) {
      let cursor = "";
      do {
        const { body } = await call("GET", `${path}?limit=1000${cursor}`);
        yield* body.items;
        cursor = body.next === undefined ? "" : `&cursor=${body.next}`;
      } while (cursor !== "");
    },
    async *lines(path) {
      const response = await send(path, { method: "GET", headers: {} });
      if (!response.ok || response.body === null) throw failed(response.status, await response.text());
      yield* createInterface({ input: Readable.fromWeb(response.body as ReadableStream), crlfDelay: 0 });
    },
    close: async () => undefined,
  };
}

function overSocket(
  socketPath: string,
  path: string,
  { method, headers, body }: Parameters<Send>[1],
): Promise<Response> {
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
