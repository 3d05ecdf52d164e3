/** Puts long files first: a long file that starts last leaves the other processors idle. */
export function longFirst<F extends { readonly moduleId: string }>(files: readonly F[], long: RegExp): F[] {
  const isLong = ({ moduleId }: F): boolean => long.test(moduleId);
  return [...files.filter(isLong), ...files.filter((file) => !isLong(file))];
}
