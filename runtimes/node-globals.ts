import { Buffer } from "buffer/index.js";

// A runtime without Node lacks Buffer, which tests use to write bytes, and Node's clock.
// The library itself uses neither there.

const from = Buffer.from;
const plainText = Buffer.prototype.toString;
const URL_ALPHABET: Readonly<Record<string, string>> = { "+": "-", "/": "_", "=": "" };

// The package knows no base64url, though it reads that alphabet as base64.
Object.assign(Buffer, {
  from: (value: never, encoding?: string, length?: never) =>
    from(value, (encoding === "base64url" ? "base64" : encoding) as never, length),
});
Buffer.prototype.toString = function (encoding?: string, start?: number, end?: number): string {
  if (encoding !== "base64url") return plainText.call(this, encoding as never, start, end);
  return plainText.call(this, "base64", start, end).replace(/[+/=]/g, (char) => URL_ALPHABET[char] as string);
};

/** Microseconds as `process.cpuUsage` gives them, of the only clock there is. */
export function cpuUsage(start = { user: 0, system: 0 }): { readonly user: number; readonly system: number } {
  return { user: Math.round(performance.now() * 1000) - start.user, system: 0 };
}

export { Buffer };
