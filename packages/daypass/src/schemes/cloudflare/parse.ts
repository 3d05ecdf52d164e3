import type { ReceivedRequest } from "../../core/contracts.ts";
import { takeTokens } from "../../edge/query.ts";
import type { EdgeToken } from "../../edge/verify.ts";
import { malformed } from "../../wire/parameters.ts";

/** A token that has been read. */
export interface CloudflareToken extends EdgeToken {
  /** The target up to the separator: what the rule's `http.request.uri` has in front of it. */
  readonly message: string;
  readonly timestamp: string;
  readonly signature: string;
}

// 44 characters of base64, each of which may be escaped.
const TOKEN = /^([1-9][0-9]{9})-(.{43,132})$/;

/** Reads a token. The rule's pattern ends with the MAC, so the parameter is the last one. */
export function parseCloudflare(
  { request, wire }: ReceivedRequest,
  parameter: string,
  { ttl, skew }: { readonly ttl: number; readonly skew: number },
): CloudflareToken {
  const { own } = takeTokens(wire.tokens, [parameter]);
  const [, timestamp, signature] = TOKEN.exec(own[parameter] ?? "") ?? [];
  if (timestamp === undefined || signature === undefined) {
    throw malformed(parameter, "form", "a timestamp in ten digits, `-` and the MAC");
  }
  const separator = `${parameter}=${timestamp}-${signature}`;
  if (!request.target.endsWith(separator)) throw malformed(parameter, "order", "the last parameter");
  const message = request.target.slice(0, -separator.length - 1);
  const notBefore = Number(timestamp) * 1000;
  return {
    message,
    timestamp,
    signature,
    notBefore,
    skew,
    expiresAt: notBefore + ttl * 1000,
    path: wire.path,
    target: message,
  };
}
