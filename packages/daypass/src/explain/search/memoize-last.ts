/**
 * Makes something out of a part of what is tried, and keeps the last of it, for as long as the search is: nearly all tries share
 * most of their parts with the one before, and to make the same of them again is most of the work.
 *
 * @param partOf that which alone it depends on
 */
export function keptLast<I, R>(partOf: (input: I) => unknown, make: (input: I) => R): (input: I) => R {
  let last: { readonly part: unknown; readonly made: R } | undefined;
  return (input) => {
    const part = partOf(input);
    if (last === undefined || last.part !== part) last = { part, made: make(input) };
    return last.made;
  };
}
