/** Puts the files first that are known to be long: one that begins last keeps all other processors waiting. */
export function longFirst<F extends { readonly moduleId: string }>(files: readonly F[], long: RegExp): F[] {
  const isLong = ({ moduleId }: F): boolean => long.test(moduleId);
  return [...files.filter(isLong), ...files.filter((file) => !isLong(file))];
}
