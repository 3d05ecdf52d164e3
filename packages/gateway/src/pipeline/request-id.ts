/** Makes request ids of 16 hexadecimal digits, as AWS's are: eight random ones for the process, then a count. */
export function requestIds(
  random: (length: number) => Uint8Array = (length) => crypto.getRandomValues(new Uint8Array(length)),
): () => string {
  let prefix = "";
  let count = 0;
  return () => {
    if (count === 0) prefix = random(4).reduce((text, byte) => text + hex(byte, 2), "");
    count = (count + 1) >>> 0;
    return prefix + hex(count, 8);
  };
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}
