/** The state is away: the caller must not continue. */
export class StateUnavailable extends Error {
  /** For programs; the text may change. */
  readonly code = "STATE_UNAVAILABLE";
}
