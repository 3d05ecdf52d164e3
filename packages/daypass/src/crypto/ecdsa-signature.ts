const SIZE = 32;

/** `SEQUENCE { INTEGER r, INTEGER s }` of the 64 bytes r ‖ s. */
export function toDer(raw: Uint8Array): Uint8Array {
  const body = [...integer(raw.subarray(0, SIZE)), ...integer(raw.subarray(SIZE))];
  return Uint8Array.from([0x30, body.length, ...body]);
}

/**
 * The 64 bytes r ‖ s of a signature in DER, or `undefined` for any other spelling. Others parse BER forgivingly, and
 * then one signature has many spellings; here what does not come out again byte for byte was never read.
 */
export function fromDer(der: Uint8Array): Uint8Array | undefined {
  // Two integers of 1 to 33 bytes: every length fits into one byte.
  const r = der.subarray(4, 4 + (der[3] ?? 0));
  const s = der.subarray(6 + r.length);
  const raw = new Uint8Array(2 * SIZE);
  if (!place(raw, r, SIZE) || !place(raw, s, 2 * SIZE)) return undefined;
  const again = toDer(raw);
  return again.length === der.length && again.every((byte, i) => byte === der[i]) ? raw : undefined;
}

// Two's complement: a first bit that is set would mean a negative number, so a zero byte goes in front.
function integer(bytes: Uint8Array): readonly number[] {
  let start = 0;
  while (start < SIZE - 1 && bytes[start] === 0) start++;
  const minimal = [...bytes.subarray(start)];
  const positive = (minimal[0] as number) < 0x80 ? minimal : [0, ...minimal];
  return [2, positive.length, ...positive];
}

function place(raw: Uint8Array, integer: Uint8Array, end: number): boolean {
  const digits = integer[0] === 0 ? integer.subarray(1) : integer;
  if (digits.length > SIZE) return false;
  raw.set(digits, end - digits.length);
  return true;
}
