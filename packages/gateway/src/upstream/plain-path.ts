// RFC 3986 `pchar` without `;`, at which some servers end a segment.
const PLAIN = /^(?:\/[A-Za-z0-9\-._~!$&'()*+,=:@%]*)+$/;
const DOT_SEGMENT = /\/\.{1,2}(?:\/|$)/;
// Escapes of controls, `%`, `/`, `;`, `\`, DEL, and of letters that need none. Lower-case digits are another spelling of the same byte.
const DISGUISED = /%(?:[01]|2[5DEF]|3[\dB]|[46][^0]|5[^BDE]|7[^BCD]|.?[a-f])/;

/**
 * Whether every server reads a raw path in the same way: no dot segments, no empty segments, no `;`, no encoded `/`, `\` or `%`, no needless
 * escape, and valid UTF-8. A proxy that asks about a path decodes and collapses it in its own order.
 */
export function isPlainPath(path: string): boolean {
  if (!PLAIN.test(path) || path.includes("//") || DOT_SEGMENT.test(path)) return false;
  if (!path.includes("%")) return true;
  if (DISGUISED.test(path)) return false;
  try {
    // A control that takes two bytes, such as U+0085, is a line break to some readers.
    return !/\p{Cc}/u.test(decodeURIComponent(path));
  } catch {
    return false;
  }
}
