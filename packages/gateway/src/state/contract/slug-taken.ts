/** Another link has the slug. */
export class SlugTaken extends Error {
  /** For programs; the text may change. */
  readonly code = "SLUG_TAKEN";

  constructor() {
    super("another link has this slug");
  }
}
