import { builderRequest } from "./builder-request.ts";
import { callRequest } from "./call-request.ts";
import { commandRequest } from "./command-request.ts";
import { curlRequest } from "./curl-request.ts";
import { fetchRequest } from "./fetch-request.ts";
import { phpRequest } from "./php-request.ts";
import { powershellRequest } from "./powershell-request.ts";
import type { SentParts } from "./sent-parts.ts";
import type { UrlPlace } from "./url-place.ts";
import { wireRequest } from "./wire-request.ts";

/**
 * What a text tells of the request to a URL in it: the lines that were sent, or the command or call that sends them. What was sent
 * comes before what was to be sent. A request to another URL, which asked for the signed one for example, tells nothing of it.
 */
export function pastedRequest(place: UrlPlace): SentParts {
  const program = { ...place, text: withoutComments(place) };
  return (
    wireRequest(place) ??
    curlRequest(program) ??
    powershellRequest(program) ??
    fetchRequest(program) ??
    commandRequest(program) ??
    phpRequest(program) ??
    builderRequest(program) ??
    callRequest(program) ??
    {}
  );
}

const COMMENT = /^[ \t]*(?:#|\/\/)/;

/**
 * Lines that do nothing as blanks, so that nothing else moves. Not where the URL stands in one itself: behind the prompt of root, or in
 * what was commented out as a whole.
 */
function withoutComments({ text, index }: UrlPlace): string {
  const line = text.slice(text.lastIndexOf("\n", index - 1) + 1, index);
  if (COMMENT.test(line)) return text;
  return text.replace(new RegExp(`${COMMENT.source}.*$`, "gm"), (comment) => " ".repeat(comment.length));
}
