/** Calls of the admin API, with the bearer of this tab's session. */
import type { AdminCalls } from "@daypass/gateway/admin";

/** A route of the admin API. */
export type Route = keyof AdminCalls;
/** The body of its answer. */
export type Answer<R extends Route> = AdminCalls[R]["answer"];

/** A refusal of the API, or of the network: then its code is `AWAY`. */
export class Problem extends Error {
  readonly code: string;
  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

const KEY = "daypass-session";
let onEnd = (): void => undefined;

/** No cookie: cookies are sent to every port of a host. */
export const session = {
  exists: (): boolean => sessionStorage.getItem(KEY) !== null,
  keep: (token: string): void => sessionStorage.setItem(KEY, token),
  forget: (): void => sessionStorage.removeItem(KEY),
  /** Sets what happens if the gateway no longer knows the session. */
  whenOver(act: () => void): void {
    onEnd = act;
  },
};

/** @throws {Problem} */
export async function call<R extends Route>(route: R, request: AdminCalls[R]["request"]): Promise<Answer<R>> {
  const { params = {}, query = {}, headers, body } = request as Parts;
  const [method = "", template = ""] = route.split(" ");
  const path = template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(params[name])));
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  const search = given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
  const init: RequestInit = { method, headers: { ...headers } };
  const bearer = sessionStorage.getItem(KEY);
  const sent = new Headers(init.headers);
  if (bearer !== null) sent.set("authorization", `Bearer ${bearer}`);
  if (body !== undefined) sent.set("content-type", "application/json");
  const response = await fetch(path + search, {
    method,
    headers: sent,
    body: body === undefined ? null : JSON.stringify(body),
  }).catch(() => {
    throw new Problem("AWAY", "");
  });
  const text = await response.text();
  const answer = text === "" ? undefined : JSON.parse(text);
  if (response.ok) return answer;
  const { code = "INTERNAL", detail = "" } = answer ?? {};
  if (code === "NO_TOKEN" && session.exists()) {
    session.forget();
    onEnd();
  }
  throw new Problem(code, detail);
}

interface Parts {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}
