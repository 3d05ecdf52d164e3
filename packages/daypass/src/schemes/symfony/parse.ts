import type { ReceivedRequest } from "../../core/contracts.ts";
import { parseEpoch } from "../../core/validity.ts";
import { joinTarget, takeTokens } from "../../edge/query.ts";
import type { EdgeToken } from "../../edge/verify.ts";
import { malformed } from "../../wire/parameters.ts";
import { joinTokens } from "../../wire/raw-target.ts";

/** Names of the parameters. */
export interface SymfonyParameters {
  readonly hash: string;
  readonly expiration: string;
}

export const SYMFONY_PARAMETERS: SymfonyParameters = { hash: "_hash", expiration: "_expiration" };

/** A URL that has been read. */
export interface SymfonyToken extends EdgeToken {
  readonly hash: string;
  readonly stringToSign: string;
}

/**
 * Reads a URL. UriSigner parses the query and writes it anew before it hashes, so that many spellings have one hash; this
 * hashes what stands on the wire, which is what UriSigner has written.
 */
export function parseSymfony({ request, wire, origin }: ReceivedRequest, names: SymfonyParameters): SymfonyToken {
  if (!/^[\x21-\x7e]*$/.test(request.target)) throw malformed("target", "form", "visible ASCII");
  const { own, others } = takeTokens(wire.tokens, [names.hash]);
  const { own: end, others: rest } = takeTokens(others, [names.expiration]);
  const { [names.hash]: hash = "" } = own;
  const { [names.expiration]: expiration } = end;
  const expiresAt = expiration === undefined ? undefined : parseEpoch(expiration);
  if (expiration !== undefined && expiresAt === undefined) {
    throw malformed(names.expiration, "form", "the end in whole seconds since 1970");
  }
  const odd = rest.find(({ name }) => isOwn(name, names));
  if (hash === "" || odd !== undefined) throw malformed(names.hash, "form", "one hash, and no array");
  return {
    hash,
    expiresAt,
    stringToSign: origin + joinTarget(wire.path, joinTokens(others)),
    path: wire.path,
    target: joinTarget(wire.path, joinTokens(rest)),
  };
}

/** `_hash[]=1` is an array for PHP, and `_hash%00x` is `_hash`. */
function isOwn(name: string, { hash, expiration }: SymfonyParameters): boolean {
  const plain = name.replace(/(?:\[|%5b|%00).*$/i, "");
  return plain === hash || plain === expiration;
}
