import { expect } from "vitest";
import { type AdminApi, type AdminOptions, adminApi } from "../../src/admin/index.ts";
import type { LinkBench } from "./link-bench.ts";

export const adminOrigin = "http://127.0.0.1:8081";

interface CallOptions {
  readonly method?: string;
  readonly body?: object;
  readonly headers?: Record<string, string>;
}

/** Calls the admin API over a bench: as the local operator, or over the network. */
export function adminCalls(bench: LinkBench, more: Partial<AdminOptions> = {}) {
  const api = (isLocal: boolean) =>
    adminApi({
      links: bench.links,
      storage: bench.storage,
      origin: bench.url,
      origins: [adminOrigin],
      isLocal,
      identify: () => Promise.reject(new Error("no URL")),
      clock: bench.clock,
      onError: (error) => expect.fail(String(error)),
      ...more,
    } satisfies AdminOptions);
  // One API for all calls of a test, whose bench is new.
  let made: { readonly links: LinkBench["links"]; readonly local: AdminApi; readonly network: AdminApi } | undefined;
  const apis = () => {
    if (made?.links !== bench.links) made = { links: bench.links, local: api(true), network: api(false) };
    return made;
  };
  return async (path: string, { method = "GET", body, headers = {} }: CallOptions = {}, isLocal = false) => {
    const type = body === undefined ? undefined : { "content-type": "application/json" };
    const init = {
      method,
      headers: { ...type, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const response = await (isLocal ? apis().local : apis().network).fetch(new Request(adminOrigin + path, init));
    // biome-ignore lint/suspicious/noExplicitAny: the assertions read single fields
    const answer: any = response.status === 204 ? undefined : await response.json();
    return { status: response.status, body: answer };
  };
}
