/** Leases of the audit's writers: of all processes with one writer's name, only the latest may use it. */
import { createHash } from "node:crypto";
import type { Run } from "./transaction.ts";

/** How a process shows that a writer's name is its own. */
export interface WriterClaim {
  /** Secret. The database has only its hash: a reader of the database cannot take the name. */
  readonly nonce: string;
  /** Names the process, for people. */
  readonly process: string;
  /** The number of this call, above all earlier ones. It is durable when the call returns, so a copy made before it has a spent number. */
  next(): Promise<number>;
  /** Takes the last number back, and returns the error: another process has used the name since. */
  refused(process: string): Promise<Error>;
}

/** Takes a writer's name, or renews its lease. A repetition after a lost answer has a new number. Throws what `refused` returns. */
export async function holdWriter(run: Run, writer: string, claim: WriterClaim): Promise<void> {
  const nonce = createHash("sha256").update(claim.nonce).digest("base64url");
  const held = await run("holdWriter", writer, nonce, await claim.next(), claim.process);
  if (held.length > 0) return;
  const [holder] = await run("holderOf", writer);
  throw await claim.refused(holder?.process ?? "");
}

/** Joins the renewal in progress. Of two at once, the later number could arrive first, and the other would be refused like a copy. */
export function oneAtATime(renew: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= renew().finally(() => {
      running = undefined;
    });
    return running;
  };
}
