/** The state is not for this process, and trying again does not help. */
export class StateUnusable extends Error {
  /** For programs; the text may change. */
  readonly code = "STATE_UNUSABLE";
}
