/** Seconds for which URLs are made to live, from a minute to a year. */
export const USUAL_LIVES: readonly number[] = [
  60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 14_400, 21_600, 28_800, 43_200, 86_400, 172_800, 259_200,
  432_000, 604_800, 2_592_000, 31_536_000,
];

/**
 * Ends that may have stood in the place of this one (seconds since 1970), where the URL does not tell its beginning: whoever
 * moves an end moves it by a usual life, or takes milliseconds for seconds.
 */
export function otherEnds(end: number): readonly number[] {
  return [Math.floor(end / 1000), end * 1000, ...USUAL_LIVES.flatMap((life) => [end - life, end + life])];
}
