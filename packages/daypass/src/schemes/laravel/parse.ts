import type { ReceivedRequest } from "../../core/contracts.ts";
import { parseEpoch } from "../../core/validity.ts";
import { joinTarget, takeTokens } from "../../edge/query.ts";
import type { EdgeToken } from "../../edge/verify.ts";
import { malformed, type Parameter } from "../../wire/parameters.ts";
import { formDecode } from "../../wire/raw-target.ts";
import { isLaravelPath, isOwnForPhp, laravelStringToSign } from "./canonical.ts";

/** A URL that has been read. */
export interface LaravelToken extends EdgeToken {
  readonly signature: string;
  readonly stringToSign: string;
}

export function parseLaravel(
  { request, wire, origin }: ReceivedRequest,
  { relative, ignoreQuery }: { readonly relative: boolean; readonly ignoreQuery: readonly string[] },
): LaravelToken {
  if (!/^[\x21-\x7e]*$/.test(request.target) || !isLaravelPath(wire.path)) {
    throw malformed("target", "form", "visible ASCII, and a path without slashes at its ends");
  }
  const { signature = "", expires } = takeTokens(wire.tokens, ["signature", "expires"]).own;
  if (!/^[0-9a-f]{64}$/.test(signature)) throw malformed("signature", "form", "64 lower-case hex digits");
  const expiresAt = expires === undefined ? undefined : parseEpoch(expires);
  const kept: string[] = [];
  const unsigned: Parameter[] = [];
  // Not `wire.tokens`: an empty token is hashed, too.
  for (const token of wire.query.split("&")) {
    const name = token.split("=", 1)[0] as string;
    if (!/^(?:expires|signature)$/.test(name) && isOwnForPhp(name)) throw malformed(name, "form", "no array");
    if (ignoreQuery.includes(name)) unsigned.push([name, formDecode(token.slice(name.length + 1))]);
    else if (name !== "signature") kept.push(token);
  }
  if (expires !== undefined && expiresAt === undefined) {
    throw malformed("expires", "form", "the end in whole seconds since 1970");
  }
  return {
    signature,
    expiresAt,
    stringToSign: laravelStringToSign(relative ? "" : origin, wire.path, kept),
    path: wire.path,
    target: joinTarget(wire.path, kept.filter((token) => !token.startsWith("expires=")).join("&")),
    unsigned,
  };
}
