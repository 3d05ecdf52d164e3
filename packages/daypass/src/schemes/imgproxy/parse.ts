import type { ReceivedRequest, WireRequest } from "../../core/contracts.ts";
import { parseEpoch } from "../../core/validity.ts";
import { unsignedParameters } from "../../edge/query.ts";
import type { EdgeToken } from "../../edge/verify.ts";
import { fromBase64url } from "../../wire/encoding.ts";
import { malformed } from "../../wire/parameters.ts";
import { expiryOptions } from "./canonical.ts";

/** A URL that has been read. */
export interface ImgproxyToken extends EdgeToken {
  readonly signature: string;
}

/** Splits `/prefix/signature/rest`. */
function split(path: string, prefix: string): { readonly signature: string; readonly rest: string } | undefined {
  if (!path.startsWith(`${prefix}/`)) return undefined;
  const start = prefix.length + 1;
  const end = path.indexOf("/", start);
  return end < 0 ? undefined : { signature: path.slice(start, end), rest: path.slice(end) };
}

/** By form alone: imgproxy's URLs have no names. */
export function detectImgproxy({ target }: WireRequest, prefix: string, size: number): boolean {
  const mark = target.indexOf("?");
  const found = split(mark < 0 ? target : target.slice(0, mark), prefix);
  return found?.signature.length === Math.ceil((size * 8) / 6);
}

export function parseImgproxy(
  { wire }: ReceivedRequest,
  { prefix, size }: { readonly prefix: string; readonly size: number },
  allowUnsigned: readonly string[] | undefined,
): ImgproxyToken {
  const { signature = "", rest = "" } = split(wire.path, prefix) ?? {};
  if (fromBase64url(signature)?.length !== size) throw malformed("signature", "form", `${size} bytes in base64url`);
  if (!/^[\x21-\x7e]+$/.test(rest)) throw malformed("path", "form", "visible ASCII");
  const [expires, second] = expiryOptions(rest);
  const expiresAt = expires === undefined ? undefined : parseEpoch(expires);
  if (second !== undefined || (expires !== undefined && expiresAt === undefined)) {
    throw malformed("expires", "form", "the end once, in whole seconds since 1970");
  }
  return {
    signature,
    expiresAt,
    path: rest,
    target: rest,
    unsigned: unsignedParameters(wire.tokens, allowUnsigned),
  };
}
