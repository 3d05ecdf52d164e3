/** Passwords of links: scrypt, one at a time in a process, so that hashing cannot stall the file reads of others. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";

// OWASP's first choice for scrypt: N 2^17, r 8, p 1 is 128 MB. N 2^15, p 3 costs the same time in 32 MB.
const COST: ScryptOptions = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };
const HASH_BYTES = 32;
const MAX_WAITING = 8;
/** UTF-8 bytes. */
const MAX_PASSWORD = 256;

/** Hashes passwords, and compares them. */
export interface Passwords {
  /** Hashes a password of 1 to 256 bytes, with a new salt. Rejects with a `RangeError` for any other. */
  hash(password: string): Promise<string>;
  /** Whether a password has this hash. `undefined` if too many wait: the client must try again later. */
  matches(password: string, hash: string): Promise<boolean | undefined>;
}

/** Hashes one password at a time; eight may wait. */
export function passwords(random: (size: number) => Uint8Array = randomBytes): Passwords {
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    waiting += 1;
    const result = last.then(work).finally(() => {
      waiting -= 1;
    });
    last = result.catch(() => undefined);
    return result;
  };
  return {
    async hash(password) {
      const bytes = Buffer.byteLength(password.normalize("NFC"));
      if (bytes === 0 || bytes > MAX_PASSWORD) {
        throw new RangeError(`The password has ${bytes} bytes. Use 1 to ${MAX_PASSWORD}.`);
      }
      const salt = random(16);
      const key = await inTurn(() => derive(password, salt));
      return `scrypt$${Buffer.from(salt).toString("base64url")}$${key.toString("base64url")}`;
    },
    async matches(password, hash) {
      const [, salt = "", key = ""] = hash.split("$");
      if (waiting > MAX_WAITING) return undefined;
      if (Buffer.byteLength(password) > MAX_PASSWORD) return false;
      const derived = await inTurn(() => derive(password, Buffer.from(salt, "base64url")));
      const expected = Buffer.from(key, "base64url");
      return expected.length === HASH_BYTES && timingSafeEqual(derived, expected);
    },
  };
}

function derive(password: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFC"), salt, HASH_BYTES, COST, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
