import { within } from "./keep-alive.ts";

/** Most of what is waited for is here by then, and a signal costs more than it. */
const SOON_MS = 100;

/** What is asked for, or nothing where the client leaves before. Others may wait for the same, so it goes on. */
export async function unlessGone<T>(
  asked: Promise<T>,
  signal: AbortSignal | (() => AbortSignal) | undefined,
): Promise<T | undefined> {
  const soon = await within(asked, SOON_MS);
  if (soon !== undefined) return soon.value;
  const gone = typeof signal === "function" ? signal() : signal;
  if (gone === undefined) return asked;
  let leave = (): void => {};
  const left = new Promise<undefined>((resolve) => {
    leave = () => resolve(undefined);
    if (gone.aborted) leave();
    gone.addEventListener("abort", leave);
  });
  try {
    return await Promise.race([asked, left]);
  } finally {
    gone.removeEventListener("abort", leave);
  }
}
