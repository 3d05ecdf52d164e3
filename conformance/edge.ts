import type { Grant, Verifier, WireRequest } from "daypass";

/** A `GET` of a URL as it arrives at a server. */
export function arrived(url: string, more: Partial<WireRequest> = {}): WireRequest {
  const [, authority = "", target = ""] = /^https?:\/\/([^/]+)(\/.*)$/.exec(url) ?? [];
  return { method: "GET", target, authority, headers: [], ...more };
}

/** `"accepted"`, or the code of the refusal. */
export async function outcome(verifier: Verifier<Grant>, request: WireRequest): Promise<string> {
  try {
    await verifier.verify(request);
    return "accepted";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** The same URL with one character of its signature changed: the first unescaped character. */
export function damaged(url: string, name: string): string {
  const [start = ""] = new RegExp(`^.*?\\b${name}=(?:%..)*`).exec(url) ?? [];
  const first = url[start.length] as string;
  return start + (first === "a" ? "b" : "a") + url.slice(start.length + 1);
}
