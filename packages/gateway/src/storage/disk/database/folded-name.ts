/**
 * One text for all names that any file system takes for the same: by case, by how an accent is written, by letters that are not to be
 * seen, or by dots and blanks at an end. It may be the same for others as well. Nothing but a listing tells of second names (`NAME~1`, `name:`).
 */
export function foldedName(name: string): string {
  // Most are such.
  if (/^[a-z\d/_-]*$/.test(name)) return name;
  const seen = name.normalize("NFKD").replace(/\p{Default_Ignorable_Code_Point}/gu, "");
  // There and back, as a letter may have several of either kind: the sharp S is two capitals, and the capital sigma two letters. Last in small ones, as those above are.
  return seen
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .normalize("NFKD")
    .replace(/(?<![. ])[. ]+(?=\/|$)/g, "");
}
