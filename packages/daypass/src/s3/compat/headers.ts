import { uriEncode } from "../../encode.ts";
import type { EncodedPair } from "../../v4.ts";
import { type SignedHeader, UNSIGNED_PAYLOAD } from "../canonical.ts";
import type { BoundInput } from "./input.ts";
import type { AwsPresigningOptions } from "./sdk.ts";

/** Headers of a request, told apart. */
export interface SortedHeaders {
  /** Those that are signed as headers, `host` among them, by name. */
  readonly signed: readonly SignedHeader[];
  /** Their names, joined by `;`. */
  readonly names: string;
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

/**
 * The presigner's rules: an `x-amz-*` header becomes a parameter of the URL unless it is to stay, headers of server-side
 * encryption stay unless they are not to, and of the rest those are signed that nobody changes on the way.
 */
export function sortHeaders(
  { headers, query, contentType }: BoundInput,
  host: string,
  options: AwsPresigningOptions,
): SortedHeaders {
  const { unsignableHeaders, signableHeaders, unhoistableHeaders, hoistableHeaders } = options;
  const hoistsPayload = unhoistableHeaders?.has(PAYLOAD_HEADER) !== true;
  const signsType = contentType !== undefined && signableHeaders?.has("content-type") && !headers.has("content-type");
  if (headers.size === 0 && hoistsPayload && !signsType) {
    return { signed: hostAlone(host), names: "host", query, hoistsPayload };
  }
  const signed: SignedHeader[] = [...hostAlone(host)];
  const all = new Map(headers);
  if (signsType) all.set("content-type", contentType);
  if (!hoistsPayload) all.set(PAYLOAD_HEADER, UNSIGNED_PAYLOAD);
  const pairs = [...query];
  for (const [name, value] of all) {
    const stays = unhoistableHeaders?.has(name) || (name.startsWith(ENCRYPTION) && !hoistableHeaders?.has(name));
    if (name.startsWith("x-amz-") && !stays) {
      pairs.push([uriEncode(name), uriEncode(value)]);
    } else if (signableHeaders?.has(name) || !(NEVER_SIGNED.test(name) || unsignableHeaders?.has(name))) {
      signed.push({ name, values: [value] });
    }
  }
  signed.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { signed, names: signed.map(({ name }) => name).join(";"), query: pairs, hoistsPayload };
}

// Bulk signing is for one host nearly always.
let last: readonly SignedHeader[] | undefined;

function hostAlone(host: string): readonly SignedHeader[] {
  if (last?.[0]?.values[0] !== host) last = [{ name: "host", values: [host] }];
  return last;
}
