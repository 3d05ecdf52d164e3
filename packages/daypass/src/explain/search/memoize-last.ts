/**
 * Remembers the last result. Nearly all inputs of a search share most of their parts with the input before, and computing the
 * same results again is most of the work.
 *
 * @param partOf the only part that the result depends on
 */
export function memoizeLast<I, R>(partOf: (input: I) => unknown, make: (input: I) => R): (input: I) => R {
  let last: { readonly part: unknown; readonly made: R } | undefined;
  return (input) => {
    const part = partOf(input);
    if (last === undefined || last.part !== part) last = { part, made: make(input) };
    return last.made;
  };
}
