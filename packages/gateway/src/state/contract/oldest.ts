/** Which releases can use the schema of a state. */
import { StateUnusable } from "./unusable.ts";

/** This release, for messages. */
export const RELEASE = "0.1.0";

/** What a state stores: a migration that older releases cannot live with writes its number and its release. */
export interface Oldest {
  readonly version: number;
  readonly release: string;
}

/** @throws {StateUnusable} if this release, which knows this many migrations, is older */
export function expectUsable({ version, release }: Oldest, known: number): void {
  if (version <= known) return;
  throw new StateUnusable(
    `the state needs Daypass ${release} or newer (schema ${version}), and this is ${RELEASE} (schema ${known}). Start a newer release`,
  );
}
