import type { ReceivedRequest } from "../../core/contracts.ts";
import { parseEpoch } from "../../core/validity.ts";
import { joinTarget, takeTokens } from "../../edge/query.ts";
import type { EdgeToken } from "../../edge/verify.ts";
import { malformed } from "../../wire/parameters.ts";
import { joinTokens } from "../../wire/raw-target.ts";
import { imgixStringToSign } from "./canonical.ts";

/** A URL that has been read. */
export interface ImgixToken extends EdgeToken {
  readonly stringToSign: string;
  readonly signature: string;
}

export function parseImgix({ request, wire }: ReceivedRequest): ImgixToken {
  if (!/^[\x21-\x7e]*$/.test(request.target)) {
    throw malformed("target", "form", "visible ASCII: MD5 could be continued by other bytes");
  }
  const { own, others } = takeTokens(wire.tokens, ["s"]);
  const { s: signature = "" } = own;
  if (!/^[0-9a-f]{32}$/.test(signature)) throw malformed("s", "form", "32 lower-case hexadecimal digits");
  const { expires } = takeTokens(others, ["expires"]).own;
  const expiresAt = expires === undefined ? undefined : parseEpoch(expires);
  if (expires !== undefined && expiresAt === undefined) {
    throw malformed("expires", "form", "the end in whole seconds since 1970");
  }
  const query = joinTokens(others);
  return {
    signature,
    stringToSign: imgixStringToSign(wire.path, query),
    expiresAt,
    path: wire.path,
    target: joinTarget(wire.path, query),
  };
}
