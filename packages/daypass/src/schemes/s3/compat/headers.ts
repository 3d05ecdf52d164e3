import type { EncodedPair } from "../../../core/v4.ts";
import { uriEncode } from "../../../wire/encoding.ts";
import { type SignedHeader, UNSIGNED_PAYLOAD } from "../canonical.ts";
import type { BoundInput } from "./input.ts";
import type { AwsPresigningOptions } from "./sdk.ts";

/** Headers of a request, told apart. */
export interface SortedHeaders {
  /** Those that are signed as headers beside `host`. */
  readonly signed: readonly SignedHeader[];
  /** Parameters of the URL, encoded: those of the command, and the headers that became one. */
  readonly query: readonly EncodedPair[];
  /** Whether the payload line is a parameter of the URL, as it is unless it was told to stay a header. */
  readonly hoistsPayload: boolean;
}

// Smithy's list: what proxies and clients change on the way.
const NEVER_SIGNED =
  /^(?:authorization|cache-control|connection|content-type|expect|from|keep-alive|max-forwards|pragma|referer|te|trailer|transfer-encoding|upgrade|user-agent|x-amzn-trace-id|(?:proxy|sec)-.*)$/;
const ENCRYPTION = "x-amz-server-side-encryption";
const PAYLOAD_HEADER = "x-amz-content-sha256";
const NONE: readonly SignedHeader[] = [];

/**
 * The presigner's rules: an `x-amz-*` header becomes a parameter of the URL unless it is to stay, headers of server-side
 * encryption stay unless they are not to, and of the rest those are signed that nobody changes on the way.
 */
export function sortHeaders(
  { headers, query, contentType }: BoundInput,
  { unsignableHeaders, signableHeaders, unhoistableHeaders, hoistableHeaders }: AwsPresigningOptions,
): SortedHeaders {
  const hoistsPayload = unhoistableHeaders?.has(PAYLOAD_HEADER) !== true;
  const signsType =
    contentType !== undefined && signableHeaders?.has("content-type") === true && !headers.has("content-type");
  if (headers.size === 0 && hoistsPayload && !signsType) return { signed: NONE, query, hoistsPayload };
  const signed: SignedHeader[] = [];
  let pairs: EncodedPair[] | undefined;
  const sort = (value: string, name: string): void => {
    const stays = unhoistableHeaders?.has(name) || (name.startsWith(ENCRYPTION) && !hoistableHeaders?.has(name));
    if (name.startsWith("x-amz-") && !stays) {
      pairs ??= [...query];
      pairs.push([uriEncode(name), uriEncode(value)]);
    } else if (signableHeaders?.has(name) || !(NEVER_SIGNED.test(name) || unsignableHeaders?.has(name))) {
      signed.push({ name, values: [value] });
    }
  };
  headers.forEach(sort);
  if (signsType) sort(contentType, "content-type");
  if (!hoistsPayload) sort(UNSIGNED_PAYLOAD, PAYLOAD_HEADER);
  return { signed, query: pairs ?? query, hoistsPayload };
}
