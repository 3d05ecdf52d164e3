import type { WireRequest } from "daypass";
import { UsageError } from "./command.ts";

/** The request that a URL makes, byte for byte. */
export function wireRequestOf(url: string, method = "GET"): WireRequest {
  const [, authority, target] = /^https?:\/\/([^/?#]+)([^#]*)/i.exec(url) ?? [];
  if (authority === undefined || target === undefined)
    throw new UsageError(`${url} is not a URL. It must begin with http:// or https://.`);
  return { method, target: target.startsWith("/") ? target : `/${target}`, authority, headers: [["host", authority]] };
}
