/**
 * Compares two texts of equal, public length without an early exit. Only for digests in a fixed-length encoding: the
 * length is checked first and may leak, the content may not.
 */
export function constantTimeEqual(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
