import { lstatSync } from "node:fs";
import type { AdminKeys } from "@daypass/gateway/admin";
import type { S3Credentials } from "daypass/s3";
import { CommandError, type OutputStream, UsageError } from "../command.ts";
import { writeError } from "../files.ts";
import { createFile, expectCreatable } from "./files.ts";
import type { ActiveKey, SigningKey } from "./key-record.ts";

/** The destination of a new secret. It is shown only once, so this is decided before the key is created. */
export type SecretOutput =
  | { readonly kind: "print" }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "hide" };

/** Chooses the destination: a new file, or standard output if it is a terminal or `--show-secret` is given. Log files must not get it. */
export function secretOutput(
  options: { readonly out?: string | undefined; readonly "show-secret"?: boolean | undefined },
  stdout: OutputStream,
): SecretOutput {
  if (options.out === "-")
    throw new UsageError("--out is -, and standard output takes --show-secret. Name a new file, or pass --show-secret");
  if (options.out === "") throw new UsageError("--out is empty. Name a new file");
  if (options.out !== undefined) return { kind: "file", path: options.out };
  return options["show-secret"] === true || stdout.isTTY === true ? { kind: "print" } : { kind: "hide" };
}

/** The same. Throws if the secret would be hidden, or if the file cannot be created. */
export async function openSecretOutput(
  options: Parameters<typeof secretOutput>[0],
  stdout: OutputStream,
): Promise<Exclude<SecretOutput, { readonly kind: "hide" }>> {
  const output = secretOutput(options, stdout);
  if (output.kind === "hide") {
    throw new UsageError(
      "the secret is shown only once, and standard output is not a terminal. Give --out FILE or --show-secret",
    );
  }
  if (output.kind === "print") return output;
  const { path } = output;
  if (isTaken(path)) throw new UsageError(`--out names ${path}, which exists. ${NEW_FILE}`);
  await expectCreatable(path).catch((error: unknown) => {
    throw writeError("--out", path, error);
  });
  return output;
}

/** What to do about a file that exists. */
export const NEW_FILE = "Remove it, or choose another name";

/** Whether the name is in use, also by a broken link. */
function isTaken(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    // Other errors are found by creating the file.
    return false;
  }
}

/** Writes a key to a new file of mode 0600, in the format of its tools. */
export async function writeSecret(path: string, key: SigningKey): Promise<void> {
  const text = key.kind === "s3" ? profileText(key.credentials) : `${JSON.stringify(key.jwk)}\n`;
  if (!(await createFile(path, text))) throw new CommandError(`--out names ${path}, which exists. ${NEW_FILE}`);
}

function profileText({ accessKeyId, secretAccessKey, sessionToken }: S3Credentials): string {
  const settings = [
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${secretAccessKey}`,
    ...(sessionToken === undefined ? [] : [`aws_session_token = ${sessionToken}`]),
  ];
  return ["[default]", ...settings, ""].join("\n");
}

/** The variable that points tools to the file of {@link writeSecret}. */
export function secretFileHint(path: string, { kind }: Pick<ActiveKey, "kind">): string {
  return kind === "s3" ? `AWS_SHARED_CREDENTIALS_FILE=${path}` : `DAYPASS_KEY_FILE=${path}`;
}

/** The secret as table rows. */
export function secretRows(key: ActiveKey): readonly (readonly [name: string, value: string])[] {
  return key.kind === "s3"
    ? [["secret access key", key.credentials.secretAccessKey]]
    : [["key (JWK)", JSON.stringify(key.jwk)]];
}

/** The secret as JSON fields. */
export function secretFields(key: ActiveKey): Awaited<ReturnType<AdminKeys["create"]>>["secret"] {
  return key.kind === "s3" ? { secretAccessKey: key.credentials.secretAccessKey } : { jwk: { ...key.jwk } };
}
