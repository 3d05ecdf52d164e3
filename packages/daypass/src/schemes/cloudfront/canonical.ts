import { base64, fromBase64 } from "../../wire/encoding.ts";

/** Names of the signing parameters, in the order in which AWS's own signer writes them. */
export const PARAMETERS = ["Expires", "Policy", "Key-Pair-Id", "Signature", "Hash-Algorithm"] as const;
export type ParameterName = (typeof PARAMETERS)[number];

/** What a policy says. */
export interface PolicyFields {
  readonly resource: string;
  /** Whole seconds since 1970. */
  readonly end: number;
  readonly start?: number | undefined;
  /** CIDR notation. */
  readonly ip?: string | undefined;
}

/**
 * The text of a policy, "with all white space removed" and in the order of AWS's own signer. With resource and end alone it
 * is the canned policy, which does not travel: the edge builds it again, so each byte of the resource counts.
 */
export function policyText({ resource, end, start, ip }: PolicyFields): string {
  const condition = {
    DateLessThan: { "AWS:EpochTime": end },
    ...(start === undefined ? {} : { DateGreaterThan: { "AWS:EpochTime": start } }),
    ...(ip === undefined ? {} : { IpAddress: { "AWS:SourceIp": ip } }),
  };
  return JSON.stringify({ Statement: [{ Resource: resource, Condition: condition }] });
}

/** base64 "with characters that are invalid in a query replaced": `-` for `+`, `_` for `=`, `~` for `/`. */
export function toUrlText(bytes: Uint8Array): string {
  return base64(bytes).replaceAll("+", "-").replaceAll("=", "_").replaceAll("/", "~");
}

/** The bytes of the one spelling of {@link toUrlText}, or `undefined`. */
export function fromUrlText(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9~_-]{1,16384}$/.test(text)) return undefined;
  return fromBase64(text.replaceAll("-", "+").replaceAll("_", "=").replaceAll("~", "/"));
}
