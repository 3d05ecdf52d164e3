/**
 * Whether a text matches a pattern in which `*` stands for any characters and `?` for one. Linear in memory and never
 * worse than pattern times text in time: a failed `*` is only ever widened, no earlier one is tried again.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let retry = 0;
  let i = 0;
  while (i < text.length) {
    if (at < pattern.length && (pattern[at] === "?" || pattern[at] === text[i]) && pattern[at] !== "*") {
      at++;
      i++;
    } else if (pattern[at] === "*") {
      star = at++;
      retry = i;
    } else if (star >= 0) {
      at = star + 1;
      i = ++retry;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
