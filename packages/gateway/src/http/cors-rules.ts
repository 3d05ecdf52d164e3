/**
 * The cross-origin rules of a bucket, as its owner has set them.
 * @module
 */

export interface CorsRule {
  readonly id?: string | undefined;
  /** Each with one `*` at most, which stands for any characters. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  /** Request headers a page may send, in any case, each with one `*` at most. */
  readonly headers: readonly string[];
  /** Response headers a page may read. */
  readonly exposeHeaders: readonly string[];
  /** Seconds a browser may remember a preflight. */
  readonly maxAge?: number | undefined;
}
