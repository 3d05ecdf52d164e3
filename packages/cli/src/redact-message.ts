// A path, with or without a host. File names match too and stay unchanged. An apostrophe inside is part of the URL, one at the end is a
// quote.
const LOCATION = /(?:[a-z][a-z0-9+.-]{0,30}:\/)?\/(?:[^\s"'<>`]|'(?=[\w.%~-]))+/gi;

/**
 * Redacts signed URLs in an error message. A wrong argument is often a signed URL, and the message may end in the log of a job.
 */
export async function redactMessage(message: string): Promise<string> {
  if (!/[?=&%]|:\/\//.test(message)) return message;
  // Most messages have no URL, and this module is large.
  const { redactUrl } = await import("daypass/explain");
  const redacted = message.replace(LOCATION, (location) => {
    const end = endOfUrl(location);
    return redactUrl(location.slice(0, end)) + location.slice(end);
  });
  return redactParameters(redacted, redactUrl);
}

/** The end of the URL before the punctuation of the sentence. */
function endOfUrl(location: string): number {
  let end = location.length;
  while (end > 0 && ":;,.)]".includes(location.charAt(end - 1))) end--;
  return end;
}

const NAME = /(?:u0026|%26|%3F|(?<![\w-]))([a-z_][\w-]{0,60})(?:=|%3D)/gi;
const VALUE = /[^\s"'<>`&#;,)\\]*/y;
// A prefix of this length identifies a secret value.
const PROBE = 100;

/** Redacts parameters anywhere: in a URL that is split at a space, inside JSON, inside another parameter, or without a host. */
function redactParameters(text: string, redactUrl: (url: string) => string): string {
  let redacted = "";
  let behind = 0;
  for (const { 0: all, 1: name, index } of text.matchAll(NAME)) {
    const from = index + all.length;
    const probe = `?${name}=${valueAt(text.slice(from, from + PROBE), 0)}`;
    if (index < behind || redactUrl(probe) === probe) continue;
    redacted += `${text.slice(behind, from)}REDACTED`;
    behind = from + valueAt(text, from).length;
  }
  return redacted + text.slice(behind);
}

function valueAt(text: string, from: number): string {
  VALUE.lastIndex = from;
  const [value = ""] = VALUE.exec(text) ?? [];
  return value.slice(0, endOfUrl(value));
}
