// A path, with or without a host in front: file names look like it and come back as they are. An apostrophe may stand in a URL; one
// with nothing of it behind is a quote.
const LOCATION = /(?:[a-z][a-z0-9+.-]{0,30}:\/)?\/(?:[^\s"'<>`]|'(?=[\w.%~-]))+/gi;

/**
 * What the message of an error may show: the URLs in it without what opens them. Whoever gives a command the wrong argument has often a signed
 * URL at hand, and what it says ends in the log of a job.
 */
export async function redactMessage(message: string): Promise<string> {
  if (!/[?=&%]|:\/\//.test(message)) return message;
  // Most errors show no URL, and this is the larger part of the library.
  const { redactUrl } = await import("daypass/explain");
  const shown = message.replace(LOCATION, (location) => {
    const end = endOfUrl(location);
    return redactUrl(location.slice(0, end)) + location.slice(end);
  });
  return redactParameters(shown, redactUrl);
}

/** Behind a URL the sentence goes on. */
function endOfUrl(location: string): number {
  let end = location.length;
  while (end > 0 && ":;,.)]".includes(location.charAt(end - 1))) end--;
  return end;
}

const NAME = /(?:u0026|%26|%3F|(?<![\w-]))([a-z_][\w-]{0,60})(?:=|%3D)/gi;
const VALUE = /[^\s"'<>`&#;,)\\]*/y;
// No value is told by more of it.
const PROBE = 100;

/** Hides parameters wherever they stand: in a URL that was torn at a space, lies in JSON, is the value of another parameter, or has no host. */
function redactParameters(text: string, redactUrl: (url: string) => string): string {
  let shown = "";
  let behind = 0;
  for (const { 0: all, 1: name, index } of text.matchAll(NAME)) {
    const from = index + all.length;
    const probe = `?${name}=${valueAt(text.slice(from, from + PROBE), 0)}`;
    if (index < behind || redactUrl(probe) === probe) continue;
    shown += `${text.slice(behind, from)}REDACTED`;
    behind = from + valueAt(text, from).length;
  }
  return shown + text.slice(behind);
}

function valueAt(text: string, from: number): string {
  VALUE.lastIndex = from;
  const [value = ""] = VALUE.exec(text) ?? [];
  return value.slice(0, endOfUrl(value));
}
