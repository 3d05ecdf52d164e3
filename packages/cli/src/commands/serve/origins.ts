import type { ServeConfig } from "./config.ts";

/** The origins that clients may use, the one for printed URLs first. */
export function originsOf(
  { publicUrl, origins, tls, host }: Pick<ServeConfig, "publicUrl" | "origins" | "tls"> & { readonly host: string },
  port: number,
): readonly string[] {
  if (publicUrl !== undefined) return [publicUrl, ...(origins ?? [])];
  if (origins !== undefined) return origins;
  const scheme = tls === undefined ? "http" : "https";
  const suffix = port === (tls === undefined ? 80 : 443) ? "" : `:${port}`;
  const names = isLocal(host) ? ["127.0.0.1", "localhost", "*.localhost"] : [host.includes(":") ? `[${host}]` : host];
  return names.map((name) => `${scheme}://${name}${suffix}`);
}

// Whoever listens on all addresses still has to say by which name clients come; until then only this machine may.
function isLocal(host: string): boolean {
  return ["127.0.0.1", "localhost", "0.0.0.0", "::"].includes(host);
}
