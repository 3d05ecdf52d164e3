/** `type/subtype` with its quality. Other parameters make no difference here. */
interface MediaRange {
  readonly name: string;
  readonly quality: number;
}

/**
 * How much an `Accept` header asks for the first of these media types that it names, 0 to 1; `undefined` where it names none of them.
 *
 * "The most specific reference has precedence" (RFC 9110 §12.5.1): give the names from the most specific to that of anything.
 */
export function acceptedQuality(accept: string, names: readonly string[]): number | undefined {
  const ranges = accept.split(",").map(mediaRange);
  for (const wanted of names) {
    const found = ranges.find(({ name }) => name === wanted);
    if (found !== undefined) return found.quality;
  }
  return undefined;
}

function mediaRange(text: string): MediaRange {
  const [name = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  return { name, quality: weight === undefined || !/^[01](?:\.\d{0,3})?$/.test(weight) ? 1 : Number(weight) };
}
