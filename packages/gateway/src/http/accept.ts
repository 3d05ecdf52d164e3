/** `type/subtype` with its quality. Other parameters are ignored. */
interface MediaRange {
  readonly name: string;
  readonly quality: number;
}

/**
 * Returns the quality, 0 to 1, of the first of these media types that an `Accept` header names; `undefined` if it names none.
 *
 * "The most specific reference has precedence" (RFC 9110 §12.5.1): pass the names from the most specific to the most general.
 */
export type AcceptedQuality = (names: readonly string[]) => number | undefined;

/** Longer than any browser's header, and short enough to be parsed for every request. */
const MAX_LENGTH = 1024;

/** Reads an `Accept` header. A header over the limit names nothing. */
export function readAccept(accept: string): AcceptedQuality {
  const ranges = accept.length > MAX_LENGTH ? [] : accept.split(",").map(mediaRange);
  return (names) => {
    for (const wanted of names) {
      const found = ranges.find(({ name }) => name === wanted);
      if (found !== undefined) return found.quality;
    }
    return undefined;
  };
}

function mediaRange(text: string): MediaRange {
  const [name = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  return { name, quality: weight === undefined || !/^[01](?:\.\d{0,3})?$/.test(weight) ? 1 : Number(weight) };
}
