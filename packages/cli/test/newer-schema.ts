/** What each command says about a state that needs a newer release. */
import { expect } from "vitest";
import { daypass, daypassProcess, type RunOptions } from "./command.ts";

/** Commands that open the state themselves, as no gateway runs. */
export const commands: readonly string[] = [
  "links list",
  "revocations list",
  "tokens list",
  "webhooks list",
  "audit export",
  "audit tail",
];

/** A state of a later release, in the statements that both engines understand. */
export const NEEDS_NEWER = "UPDATE oldest SET version = 99, release = '9.8.7'";

const refusal = expect.stringMatching(
  /the state needs Daypass 9\.8\.7 or newer \(schema 99\), and this is \d+\.\d+\.\d+ \(schema \d+\)/,
);

/** Expects that each command and the gateway refuse. */
export async function expectRefused(
  state: string,
  {
    words = commands,
    serve,
    env = {},
  }: { words?: readonly string[]; serve: readonly string[] } & Pick<RunOptions, "env">,
): Promise<void> {
  for (const command of words) {
    const { status, stdout } = await daypass([...command.split(" "), "--state", state, "--json"], { env });
    expect([command, status, JSON.parse(stdout)]).toEqual([
      command,
      1,
      { error: { code: "STATE_UNUSABLE", message: refusal } },
    ]);
  }
  const { status, stderr } = await daypassProcess(["serve", ...serve], { env });
  expect([status, stderr, stderr.includes("a bug of Daypass")]).toEqual([1, refusal, false]);
}
