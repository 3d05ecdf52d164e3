/** `type/subtype` with its quality. Other parameters make no difference here. */
interface MediaRange {
  readonly name: string;
  readonly quality: number;
}

/**
 * How much an `Accept` header asks for the first of some media types that it names, 0 to 1; `undefined` where it names none of them.
 *
 * "The most specific reference has precedence" (RFC 9110 §12.5.1): give the names from the most specific to that of anything.
 */
export type AcceptedQuality = (names: readonly string[]) => number | undefined;

/** Far longer than what any browser sends, and short enough to be read for everyone. */
const MAX_LENGTH = 1024;

/** Reads an `Accept` header. One that is too long to be anybody's asks for nothing by name. */
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
