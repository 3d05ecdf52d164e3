import { curlRequest } from "./curl-request.ts";
import { fetchRequest } from "./fetch-request.ts";
import { harRequest } from "./har-request.ts";
import { powershellRequest } from "./powershell-request.ts";
import type { SentParts } from "./sent-parts.ts";
import { wireRequest } from "./wire-request.ts";

/**
 * What a text tells of the request to a URL in it: an entry of an archive, the lines that were sent, or the command or call that
 * sends them. What was sent comes before what was to be sent.
 */
export function pastedRequest(text: string, url: string): SentParts {
  return (
    harRequest(text, url) ??
    wireRequest(text) ??
    curlRequest(text) ??
    powershellRequest(text) ??
    fetchRequest(text) ??
    {}
  );
}
