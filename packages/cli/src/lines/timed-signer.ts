import type { LineResult } from "./line-scheme.ts";

/** A signer that is told the time with each request. */
export interface TimedSigner<R> {
  sign(request: R, time: Date): LineResult | Promise<LineResult>;
}

/** Makes a {@link TimedSigner} of a library signer, whose clock is one of its options. */
export function timedSigner<R>(
  make: (clock: () => Date) => { sign(request: R): LineResult | Promise<LineResult> },
): TimedSigner<R> {
  let now = new Date();
  const signer = make(() => now);
  return {
    sign(request, time) {
      now = time;
      return signer.sign(request);
    },
  };
}
