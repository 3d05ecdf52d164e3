import { callRequest } from "./call-request.ts";
import { commandRequest } from "./command-request.ts";
import { curlRequest } from "./curl-request.ts";
import { fetchRequest } from "./fetch-request.ts";
import { powershellRequest } from "./powershell-request.ts";
import type { SentParts } from "./sent-parts.ts";
import type { UrlPlace } from "./url-place.ts";
import { wireRequest } from "./wire-request.ts";

/**
 * What a text tells of the request to a URL in it: the lines that were sent, or the command or call that sends them. What was sent
 * comes before what was to be sent. A request to another URL, which asked for the signed one for example, tells nothing of it.
 */
export function pastedRequest(place: UrlPlace): SentParts {
  return (
    wireRequest(place) ??
    curlRequest(place) ??
    powershellRequest(place) ??
    fetchRequest(place) ??
    commandRequest(place) ??
    callRequest(place) ??
    {}
  );
}
