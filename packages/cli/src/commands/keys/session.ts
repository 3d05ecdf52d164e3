import { createHmac, randomBytes } from "node:crypto";
import { sessions } from "@daypass/gateway";
import { positiveDuration } from "../../arguments.ts";
import { CommandError, type Context, type ExitStatus, print, UsageError } from "../../command.ts";
import { type ActiveKey, endOfKey, hasEnded, isActive, type KeyRecord } from "../../state-folder/key-record.ts";
import { type KeyStore, unopened } from "../../state-folder/key-store.ts";
import { sessionSecret } from "../../state-folder/master-key.ts";
import { openSecretOutput, secretFileHint, writeSecret } from "../../state-folder/secret-output.ts";
import { table } from "../../terminal-text.ts";
import { bucketsOf, methodsOf, prefixOf, type ScopeOptions } from "./key-scope.ts";

/** Options of {@link session}. */
export interface SessionOptions {
  readonly store: KeyStore;
  readonly folder: string;
  readonly context: Context;
  readonly options: ScopeOptions & {
    readonly "expires-in"?: string;
    readonly "show-secret"?: boolean;
    readonly out?: string;
    readonly json?: boolean;
  };
}

const MAX_SESSION = 36 * 3600;

/** Issues session credentials, which every gateway with the same state accepts at once. They are not stored. */
export async function session(id: string, { store, folder, options, context }: SessionOptions): Promise<ExitStatus> {
  const now = new Date();
  const key = await accessKeyInUse(store, id, now);
  const expiration = endOfSession(key.record, options["expires-in"] ?? "1h", now);
  const scope = { buckets: bucketsOf(options), prefix: prefixOf("s3", options), methods: methodsOf("s3", options) };
  const output = await openSecretOutput(options, context.stdout);
  const secret = await sessionSecret({ folder, env: context.env });
  if (secret === undefined) throw new UsageError("the state folder has no keys. Create one with daypass keys create");
  const issuer = sessions((text) => createHmac("sha256", secret).update(text).digest(), randomBytes);
  const issued = issuer.issue({ parent: key.credentials, scope, expiration });
  const isJson = options.json === true;
  if (output.kind === "file") {
    const { accessKeyId, secretAccessKey, sessionToken } = issued;
    await writeSecret(output.path, { kind: "s3", credentials: { accessKeyId, secretAccessKey, sessionToken } });
    await print(context.stdout, writtenText(issued, { path: output.path, isJson }));
  } else await print(context.stdout, isJson ? credentialProcess(issued) : exportLines(issued));
  return 0;
}

type Issued = ReturnType<ReturnType<typeof sessions>["issue"]>;

function endOfSession(record: KeyRecord, expiresIn: string, now: Date): Date {
  const lifetime = positiveDuration("--expires-in", expiresIn);
  if (lifetime > MAX_SESSION) throw new UsageError(`--expires-in is ${JSON.stringify(expiresIn)}. Pass at most 36h`);
  const expiration = new Date(now.getTime() + lifetime * 1000);
  const end = endOfKey(record);
  // Tools renew a session at its stated expiry. The gateway would refuse it before, with the key.
  if (end !== undefined && end < expiration) {
    throw new CommandError(
      `the key ${record.id} expires at ${end.toISOString()}, before the session of ${lifetime} s. Give a shorter --expires-in`,
      "CREDENTIALS_EXPIRE_FIRST",
    );
  }
  return expiration;
}

function writtenText(
  { accessKeyId, expiration }: Issued,
  { path, isJson }: { readonly path: string; readonly isJson: boolean },
): string {
  const until = expiration.toISOString();
  if (isJson) return JSON.stringify({ AccessKeyId: accessKeyId, Expiration: until });
  return table([
    ["access key id", accessKeyId],
    ["until", until],
    ["secret", `written to ${path}; use it with ${secretFileHint(path, { kind: "s3" })}`],
  ]);
}

/** The format of `credential_process`. */
function credentialProcess({ accessKeyId, secretAccessKey, sessionToken, expiration }: Issued): string {
  return JSON.stringify({
    Version: 1,
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: expiration.toISOString(),
  });
}

/** Shell commands. */
function exportLines({ accessKeyId, secretAccessKey, sessionToken, expiration }: Issued): string {
  return [
    `export AWS_ACCESS_KEY_ID=${accessKeyId}`,
    `export AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
    `export AWS_SESSION_TOKEN=${sessionToken}`,
    `# until ${expiration.toISOString()}`,
  ].join("\n");
}

async function accessKeyInUse(store: KeyStore, id: string, now: Date): Promise<Extract<ActiveKey, { kind: "s3" }>> {
  const found = (await store.opened()).find(({ record }) => record.id === id);
  if (found?.record.kind !== "s3" || !isActive(found.record, now) || hasEnded(found.record, now))
    throw new CommandError(`${JSON.stringify(id)} is not an S3 access key in use. See daypass keys list`);
  if (found.key?.kind !== "s3") throw unopened(found.record);
  return found.key;
}
