import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import type { ClientTarget } from "../clients/client.ts";

/** What every client is asked to do, in this order. */
export const STEPS = ["create", "put", "put 100 MB", "multipart", "list", "presign", "fetch", "delete"] as const;
export type Step = (typeof STEPS)[number];

/** What a step has to work on. */
export interface Place extends ClientTarget {
  readonly bucket: string;
  /** A separate folder, with `small.txt` and `big.bin` (100 MB) in it. */
  readonly folder: string;
  readonly small: string;
  /** SHA-256 of big.bin, hexadecimal. */
  readonly bigSha256: string;
}

/** Done, or why this client cannot do it. Rejects where it should and does not. */
export type Outcome = "✓" | `– ${string}`;

export interface ClientRound {
  readonly name: string;
  readonly signature: string;
  /** Commands without which it cannot be tried. */
  readonly needs: readonly string[];
  readonly steps: Readonly<Record<Step, (place: Place) => Promise<Outcome>>>;
}

const run = promisify(execFile);

/** Runs a line of shell with the credentials in the environment, and gives what it wrote. */
export async function shell(place: Place, line: string): Promise<string> {
  const { accessKeyId, secretAccessKey } = place.credentials;
  const { stdout } = await run("bash", ["-euo", "pipefail", "-c", line], {
    cwd: place.folder,
    timeout: 120_000,
    maxBuffer: 16 * 1024 * 1024,
    env: {
      PATH: process.env["PATH"],
      HOME: place.folder,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: place.region,
      AWS_DEFAULT_REGION: place.region,
      AWS_EC2_METADATA_DISABLED: "true",
      ENDPOINT: place.endpoint,
      HOST: place.endpoint.replace("http://", ""),
      BUCKET: place.bucket,
    },
  });
  return stdout;
}

/** A step that is a line of shell. */
export function line(
  text: string,
  check: (stdout: string) => boolean = () => true,
): (place: Place) => Promise<Outcome> {
  return async (place) => {
    const stdout = await shell(place, text);
    if (!check(stdout)) throw new Error(`unexpected output of ${text}: ${stdout.slice(0, 400)}`);
    return "✓";
  };
}

/** A step of a client that has nothing of the kind. */
export function cannot(why: string): () => Promise<Outcome> {
  return async () => `– ${why}`;
}

/** A step that gives a presigned URL of the small object, which has to open and to be refused with another signature. */
export function presigned(urlOf: (place: Place) => Promise<string>): (place: Place) => Promise<Outcome> {
  return async (place) => {
    const url = await urlOf(place);
    const opened = await fetch(url);
    const text = await opened.text();
    if (text !== place.small) throw new Error(`${opened.status} ${text.slice(0, 200)} at ${url}`);
    const changed = url.replace(
      /(Signature=)(.)/,
      (_, name: string, first: string) => name + (first === "a" ? "b" : "a"),
    );
    const refused = await fetch(changed);
    await refused.arrayBuffer();
    if (refused.status !== 403) throw new Error(`${refused.status} for a changed signature at ${changed}`);
    return "✓";
  };
}

export function isBig(bytes: Uint8Array, { bigSha256 }: Place): boolean {
  return createHash("sha256").update(bytes).digest("hex") === bigSha256;
}
