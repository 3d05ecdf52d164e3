/** Passwords of links: scrypt, one new and one given at a time in a process, so that hashing cannot stall the file reads of others. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { StateUnavailable } from "../state/contract/unavailable.ts";
import { fairQueue } from "./fair-queue.ts";

// OWASP's first choice for scrypt: N 2^17, r 8, p 1 is 128 MB. N 2^15, p 3 costs the same time in 32 MB.
const COST: ScryptOptions = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };
const HASH_BYTES = 32;
/** Hashes of one client for one link. */
const MAX_WAITING = 10;
/** Links that an owner creates at once. */
const MAX_CREATED = 1000;
/** UTF-8 bytes. */
const MAX_PASSWORD = 256;

/** Who gives a password. Hashes are fair to links, and to the clients of one link. */
export interface PasswordClient {
  /** The link, or a group of its clients. */
  readonly link: string;
  /** The network of the client, or its browser. */
  readonly client: string;
}

/** Hashes passwords, and compares them. */
export interface Passwords {
  /** Hashes a password of 1 to 256 bytes, with a new salt. Rejects with a `RangeError` for any other. Fair to owners. */
  hash(password: string, owner: string): Promise<string>;
  /** Whether a password has this hash. `undefined` if too many of the client wait: it must try again later. */
  matches(password: string, hash: string, client: PasswordClient): Promise<boolean | undefined>;
}

/** One password of a new link and one of a client are hashed at a time. */
export function passwords(random: (size: number) => Uint8Array = randomBytes): Passwords {
  const created = fairQueue(MAX_CREATED);
  const given = fairQueue(MAX_WAITING);
  return {
    async hash(password, owner) {
      const bytes = Buffer.byteLength(password.normalize("NFC"));
      if (bytes === 0 || bytes > MAX_PASSWORD) {
        throw new RangeError(`The password has ${bytes} bytes. Use 1 to ${MAX_PASSWORD}.`);
      }
      const salt = random(16);
      const key = await created(owner, "", () => derive(password, salt));
      if (key === undefined) throw new StateUnavailable(`${MAX_CREATED} passwords of this owner wait to be hashed`);
      return `scrypt$${Buffer.from(salt).toString("base64url")}$${key.toString("base64url")}`;
    },
    async matches(password, hash, { link, client }) {
      const [, salt = "", key = ""] = hash.split("$");
      if (Buffer.byteLength(password) > MAX_PASSWORD) return false;
      const derived = await given(link, client, () => derive(password, Buffer.from(salt, "base64url")));
      if (derived === undefined) return undefined;
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
