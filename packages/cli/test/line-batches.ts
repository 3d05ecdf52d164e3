import { expect } from "vitest";
import { daypass, jsonLines, parseLines } from "./command.ts";

/** A line that `sign --batch` answers. */
export interface Signed {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies?: Readonly<Record<string, string>>;
  readonly fields?: Readonly<Record<string, string>>;
  readonly expiresAt: string;
  readonly warnings: readonly string[];
  readonly error?: { readonly code: string; readonly message: string };
}

/** A line that `verify --batch` answers. */
export interface Verdict {
  readonly message?: string;
  readonly ok: boolean;
  readonly scheme?: string;
  readonly code?: string;
  readonly grant?: Readonly<Record<string, unknown>>;
}

const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

export async function sign(lines: readonly unknown[]): Promise<readonly Signed[]> {
  const { stdout } = await daypass(["sign", "--batch", "-"], { input: jsonLines(lines) });
  return parseLines<Signed>(stdout);
}

export async function verify(lines: readonly unknown[]): Promise<readonly Verdict[]> {
  const { stdout } = await daypass(["verify", "--batch", "-"], { input: jsonLines(lines) });
  const verdicts = parseLines<Verdict>(stdout);
  const granted = verdicts.filter(({ ok }) => ok);
  // These are getters, which JSON.stringify() skips.
  expect(granted.map(({ grant }) => grant)).toMatchObject(
    granted.map(() => ({
      id: expect.stringMatching(/^[\w-]{22}$/),
      notBefore: expect.stringMatching(INSTANT),
      expiresAt: expect.stringMatching(INSTANT),
    })),
  );
  return verdicts;
}

/** `ok`, or the code of the refusal. */
export const verdictOf = ({ ok, code }: Verdict): string | undefined => (ok ? "ok" : code);
