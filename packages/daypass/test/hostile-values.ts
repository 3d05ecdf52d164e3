/** Values that no signer writes: numbers out of range, names of objects, broken escapes, empty tokens. */
export const HOSTILE: readonly string[] = [
  ...["", " ", "0", "-1", "-0", "00", "1e9", "1e400", "0x10", "NaN", "Infinity", "null", "undefined", "none", "[]"],
  ...["9".repeat(11), "9".repeat(400), "8640000000001", "253402300800", "99999999T999999Z", "20260231T000000Z"],
  ...["__proto__", "constructor", "hasOwnProperty", "prototype", "valueOf", "[object Object]"],
  ...["\0", "%00", "%", "%%", "%z", "%zz", "%ff", "%c3%28", "%ed%a0%80", "%f4%90%80%80", "%c0%af", "\ud800", "\udfff"],
  ...[
    "é",
    "🚀",
    "\r\n",
    "%0d%0a",
    "\u2028",
    "\ufeff",
    "*",
    "..",
    "/",
    "//",
    "~",
    "~~",
    ";",
    ",",
    "=",
    "==",
    ".",
    "...",
  ],
  ...["bnVsbA", "e30", "W10", "e30.e30.e30", "e30.e30.", "eyJhbGciOiJub25lIn0.e30.", "{}", '{"a":'],
];

const KIB = 1024;
/** Long values, just below the longest text that a verifier reads and far above. Quadratic work on one of them takes minutes. */
export const LONG: readonly string[] = [30 * KIB, 1024 * KIB].flatMap((length) => [
  ...["A", "0", "f", "/", "%", "+", "&", "=", ";", ",", ".", "~", ":", "*", "?", "-", " ", '"', "[", "é"].map((unit) =>
    unit.repeat(length),
  ),
  ...[
    "%41",
    "%2e",
    "%25",
    "/.",
    "/..",
    "a=",
    "a&",
    "&a=1",
    "a,",
    "a;",
    "*a",
    "a b",
    "__",
    "[1]",
    "(a+)",
    "Ij",
    "W1tb",
  ].map((unit) => unit.repeat(length / unit.length)),
  Array.from({ length: length / 8 }, (_, i) => `&p${i}=1`)
    .join("")
    .slice(0, length),
  Array.from({ length: length / 8 }, (_, i) => `;h${i}`)
    .join("")
    .slice(0, length),
]);

/** About as many header names as Node reads. */
export const HEADER_NAMES: readonly string[] = Array.from({ length: 990 }, (_, i) => (i + 10_000).toString(36));
/** The beginnings of header names that a store gives a meaning. */
export const VENDORS = ["", "x-amz-", "x-amz-meta-", "x-goog-", "x-oss-", "x-cos-", "x-ms-"] as const;
