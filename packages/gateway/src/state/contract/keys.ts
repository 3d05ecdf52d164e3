/** Keys that replicas share. The state never opens them: it holds no secret and decides nothing about them. */

/** A sealed key. */
export interface SealedKey {
  readonly id: string;
  /** Raised by each change, and part of what is sealed. */
  readonly version: number;
  /** The key with all of its fields, encrypted and authenticated by the replicas. */
  readonly sealed: string;
}

/** The methods of an engine that replicas share. */
export interface KeyMethods {
  /** All keys, in the order of their ids. */
  listKeys?(): Promise<readonly SealedKey[]>;
  /** The sum of all versions: another one after each change. */
  keysRevision?(): Promise<number>;
  /** Stores keys if `revision` is still the present one; `false` if not. A version that is not higher than the stored one changes nothing. */
  putKeys?(keys: readonly SealedKey[], revision: number): Promise<boolean>;
}
