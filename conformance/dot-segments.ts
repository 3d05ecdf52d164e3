/** Whether a name has a dot segment for some server or proxy, however often its bytes are encoded. */
export function hasHiddenDotSegment(name: string): boolean {
  let plain = name;
  for (let left = name.length; left > 0 && plain.includes("%"); left -= 1) {
    plain = plain.replace(/%(?:2e|2f|5c|25|3b)/gi, decodeURIComponent);
  }
  return /(?:^|[/\\])\.{1,2}(?:[/\\;]|$)/.test(plain);
}
