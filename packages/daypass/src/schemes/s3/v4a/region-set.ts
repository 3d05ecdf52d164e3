/** Whether a set of regions (`us-east-1,eu-*`) has one of these. A `*` stands for any characters, none among them. */
export function regionSetHas(set: string, regions: readonly string[]): boolean {
  return set.split(",").some((pattern) => regions.some((region) => matches(pattern, region)));
}

// By hand, as an expression made of what a stranger sent could take for ever.
function matches(pattern: string, region: string): boolean {
  const [start = "", ...parts] = pattern.split("*");
  const end = parts.pop();
  if (end === undefined) return pattern === region;
  let at = start.length;
  for (const part of parts) {
    const found = region.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return region.startsWith(start) && region.endsWith(end) && region.length - end.length >= at;
}
