import process from "node:process";

/**
 * Node 22 and 24 say at each start, and in each worker, that their SQLite is experimental: a line that is no JSON in the log, about
 * something that the operator has not chosen. What of it is used is tested on these versions. Every other warning is shown.
 */
export function dropSqliteWarning(): void {
  const emit = process.emitWarning as (...said: readonly unknown[]) => void;
  process.emitWarning = (...said: readonly unknown[]): void => {
    if (said[1] === "ExperimentalWarning" && String(said[0]).startsWith("SQLite ")) return;
    emit.apply(process, [...said]);
  };
}
