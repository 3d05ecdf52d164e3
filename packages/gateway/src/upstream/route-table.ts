import type { WireRequest } from "daypass";
import type { Routes } from "./contract.ts";

/** Paths of an origin: of a route, or of a host that a proxy protects. */
export interface Place {
  readonly origin: string;
  /** A path that ends with `/`, for everything below it, or one whole path. */
  readonly prefix: string;
}

/** Finds the row of a request, by Host and raw path. The longest prefix wins. Paths below `/-/` are the gateway's own. */
export function routeTable<T extends Place>(
  rows: readonly T[],
): (request: Pick<WireRequest, "authority" | "target">) => T | undefined {
  const byHost = new Map<string, T[]>();
  for (const row of [...rows].sort((a, b) => b.prefix.length - a.prefix.length)) {
    for (const host of hostsOf(row.origin)) byHost.set(host, [...(byHost.get(host) ?? []), row]);
  }
  return ({ authority, target }) => {
    const placed = byHost.get(authority.toLowerCase());
    if (placed === undefined || target.startsWith("/-/")) return undefined;
    const path = pathOf(target);
    return placed.find(({ prefix }) => covers(prefix, path));
  };
}

/** Whether a path equals the prefix, or is below it if it ends with `/`. */
export function covers(prefix: string, path: string): boolean {
  return path === prefix || (prefix.endsWith("/") && path.startsWith(prefix));
}

/** The path of a target, as on the wire. */
export function pathOf(target: string): string {
  const mark = target.indexOf("?");
  return mark < 0 ? target : target.slice(0, mark);
}

/** The values of Host that select an origin: `Host: example.com:443` is a legal spelling of https://example.com. */
export function hostsOf(origin: string): readonly string[] {
  const host = origin.replace(/^https?:\/\//, "");
  return /:\d+$/.test(host) ? [host] : [host, `${host}:${origin.startsWith("https:") ? 443 : 80}`];
}

/** Whether a request asks for a WebSocket on a route that forwards them. A GET becomes duplex only where the operator says so. */
export function mayUpgrade({ find }: Pick<Routes, "find">, request: WireRequest): boolean {
  return request.method === "GET" && find(request)?.upgrade === true && asksForWebSocket(request.headers);
}

function asksForWebSocket(headers: WireRequest["headers"]): boolean {
  const joined = (wanted: string): string =>
    headers
      .filter(([name]) => name.toLowerCase() === wanted)
      .map(([, value]) => value)
      .join(",")
      .toLowerCase();
  const options = joined("connection").split(",");
  return joined("upgrade") === "websocket" && options.some((option) => option.trim() === "upgrade");
}
