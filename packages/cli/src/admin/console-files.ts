/** The files of the console, which the bundle of the command line brings along. They hold no secret, so they need no token. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("./console/", import.meta.url));

const TYPES = {
  "index.html": "text/html; charset=utf-8",
  "console.js": "text/javascript; charset=utf-8",
  "console.css": "text/css; charset=utf-8",
  "mark.svg": "image/svg+xml",
} as const;

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  // A new version of the gateway must not meet an old console.
  "cache-control": "no-cache",
} as const;

/** Answers what is below `/ui/`; `undefined` for another path. Reads the files once. */
export function consoleFiles(): (request: Request) => Response | undefined {
  const files = new Map<string, { readonly body: Uint8Array<ArrayBuffer>; readonly headers: Record<string, string> }>();
  for (const [name, type] of Object.entries(TYPES)) {
    if (!existsSync(folder + name)) continue;
    const body = new Uint8Array(readFileSync(folder + name));
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
    files.set(`/ui/${name === "index.html" ? "" : name}`, {
      body,
      headers: { ...HEADERS, "content-type": type, etag },
    });
  }
  return ({ method, url, headers: asked }) => {
    const { pathname } = new URL(url);
    if (pathname === "/ui") return new Response(null, { status: 308, headers: { location: "/ui/" } });
    const file = files.get(pathname);
    if (file === undefined || (method !== "GET" && method !== "HEAD")) return undefined;
    const { body, headers } = file;
    if (asked.get("if-none-match") === headers["etag"]) return new Response(null, { status: 304, headers });
    return new Response(method === "HEAD" ? null : body, { headers });
  };
}
