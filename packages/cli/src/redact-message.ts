// A path, with or without a host in front: file names look like it and come back as they are.
const LOCATION = /(?:[a-z][a-z0-9+.-]*:\/)?\/[^\s"'<>`]+/gi;

/**
 * What the message of an error may show: the URLs in it without what opens them. Whoever gives a command the wrong argument has often a signed
 * URL at hand, and what it says ends in the log of a job.
 */
export async function redactMessage(message: string): Promise<string> {
  if (!/[?=&]|:\/\//.test(message)) return message;
  // Most errors show no URL, and this is the larger part of the library.
  const { redactUrl } = await import("daypass/explain");
  return message.replace(LOCATION, (location) => {
    // Behind a URL the sentence goes on.
    const [, url = "", rest = ""] = /^(.*?)([:;,.)\]]*)$/s.exec(location) ?? [];
    return redactUrl(url) + rest;
  });
}
