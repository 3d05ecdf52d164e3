import { formDecode } from "../../wire/raw-target.ts";

/** The weaknesses of Laravel's signed routes. */
export type LaravelWeakness = "no-expiry";
export const LARAVEL_WEAK: readonly LaravelWeakness[] = ["no-expiry"];

/**
 * What `hasCorrectSignature` hashes: the URL without a slash at its end and the query as it stands on the wire, without
 * `signature` and the parameters of the ignore list. The origin is left out for relative signatures.
 */
export function laravelStringToSign(origin: string, path: string, tokens: readonly string[]): string {
  const url = origin === "" ? path : `${origin}${path}`.replace(/\/$/, "");
  return tokens.length === 0 ? url : `${url}?${tokens.join("&")}`;
}

/**
 * Whether PHP reads a parameter as an end or a signature: it drops spaces in front of a name, and what follows a bracket or a NUL. The last one
 * counts, and an array is before no time.
 */
export function isOwnForPhp(name: string): boolean {
  const [head = ""] = name.split(/\[|%5b|%00/i, 1);
  try {
    return /^ *(?:expires|signature)$/.test(formDecode(head));
  } catch {
    return false;
  }
}

/** Whether the path is as Laravel writes it. It trims slashes, so that `/a` and `/a/` would have one signature. */
export function isLaravelPath(path: string): boolean {
  return path === "/" || /^\/[^/](?:.*[^/])?$/.test(path);
}
