import { guzzleCall } from "./guzzle-call.ts";
import { curlFunctions } from "./php-curl.ts";
import type { SentParts } from "./sent-parts.ts";
import type { UrlPlace } from "./url-place.ts";

/** The request of PHP's curl functions, or of a call of Guzzle, to a URL. */
export function phpRequest(place: UrlPlace): SentParts | undefined {
  // Of PHP nothing is without it.
  return place.text.includes("$") ? (curlFunctions(place) ?? guzzleCall(place)) : undefined;
}
