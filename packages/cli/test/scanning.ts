import { s3Signer } from "daypass/s3";
import { schemes } from "daypass/schemes";
import { expect } from "vitest";
import { daypass, parseLines } from "./command.ts";

export const NOW = "2026-01-02T03:10:00Z";
const clock = (): Date => new Date("2026-01-02T03:04:05Z");
const sessionToken = `IQoJb3JpZ2luX2VjE+/${"t0k3n+/".repeat(40)}==`;
const credentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken,
};
export const s3 = s3Signer({ region: "us-east-1", credentials, clock });

/** A distinct URL for each key, because each URL is reported once. */
export function url(key: string, expiresIn = 900): string {
  return s3.sign({ bucket: "media", key, expiresIn }).url;
}

export interface Finding {
  readonly file: string;
  readonly line?: number;
  readonly commit?: string;
  readonly life: string;
  readonly scheme: string;
  readonly signedBy: string;
  readonly resource: string;
  readonly endsAt?: string;
  readonly url: string;
}

/** Runs `daypass scan` at {@link NOW}. */
export async function scan(
  args: readonly string[],
  input?: string | Uint8Array,
): Promise<{ readonly status: number | null; readonly stderr: string; readonly found: readonly Finding[] }> {
  const options = input === undefined ? {} : { input };
  const { status, stdout, stderr } = await daypass(["scan", ...args, "--json", "--at", NOW], options);
  // The output never contains a signature or a token.
  expect(stdout + stderr).not.toMatch(/[0-9a-f]{64}(?!")|t0k3n/);
  return { status, stderr, found: stdout === "" ? [] : parseLines<Finding>(stdout) };
}

/** A URL of each scheme that signs URLs, from the examples of the registry. */
export const SIGNED: readonly { readonly scheme: string; readonly url: string }[] = (
  await Promise.all(
    Object.values(schemes).map(async ({ id, example }) => {
      const { examples } = await example();
      const signed = await Promise.all(
        examples.map(({ request, signer }) => signer(clock).sign({ ...request, expiresIn: 900 } as never)),
      );
      const urls = signed.flatMap((each) => ("url" in each && !("fields" in each) ? [each.url] : []));
      return urls.slice(0, 1).map((url) => ({ scheme: id, url }));
    }),
  )
).flat();
