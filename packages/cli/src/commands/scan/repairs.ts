/**
 * What a damaged URL may have been: whoever finds it undoes the damage by hand, and the URL opens what it opened. At most a
 * few, and none where nothing is to be undone.
 */
export function repairs(url: string): readonly string[] {
  const [address = "", ...queries] = url.split("?");
  if (queries.length === 0) return [];
  const parameters = queries
    .join("&")
    .split("&")
    // Base64 that nobody has encoded: a form reads a space in it.
    .map((parameter) => parameter.replaceAll("+", "%2B"));
  const first = once(parameters);
  const last = once([...parameters].reverse()).reverse();
  const repaired = [parameters, first, last].map((some) => `${address}?${some.join("&")}`);
  return [...new Set([...repaired, decoded(url)].flatMap((text) => [text, wholeSas(text)]))].filter(
    (text) => text !== url,
  );
}

/** A SAS with the signature and nothing behind it: the 43 characters are all there is to know, and the last one is always the same. */
function wholeSas(url: string): string {
  return url.replace(/([?&]sig=(?:[a-z0-9+/]|%2b|%2f){43})(?![a-z0-9+/]|%2b|%2f)[^&]*/i, "$1%3D");
}

/** Each parameter once, the first of a name: a second signature was appended to a URL that had one. */
function once(parameters: readonly string[]): string[] {
  const names = new Set<string>();
  return parameters.filter((parameter) => {
    const [name = ""] = parameter.split("=", 1);
    return !names.has(name) && names.add(name);
  });
}

/** Percent-encoded once more after it was signed, where all escapes were. */
function decoded(url: string): string {
  return /%(?!25)/.test(url) ? url : url.replaceAll("%25", "%");
}
