import type { Body } from "../storage/contract/storage.ts";

/** Lets go of what a body holds open that nobody will send. */
export function discard(body: Body | undefined): void {
  if (body?.kind === "file") body.close();
  if (body?.kind === "stream") body.stream.destroy();
}
