/** Compares texts by their bytes in UTF-8, the order of every listing. JavaScript's own order is that of UTF-16. */
export function compareUtf8(a: string, b: string): number {
  // They differ only where half of a surrogate pair meets a character behind the surrogates.
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
