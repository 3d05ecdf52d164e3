import { createHmac, randomBytes } from "node:crypto";
import { sessions } from "@daypass/gateway";
import { CommandError, type Context, type ExitStatus, print, UsageError } from "../../command.ts";
import { type ActiveKey, endOfKey, hasEnded, isActive, type KeyRecord } from "../../state/key-record.ts";
import { type KeyStore, unopened } from "../../state/key-store.ts";
import { sessionSecret } from "../../state/master-key.ts";
import { openSecretOutput, secretFileHint, writeSecret } from "../../state/secret-output.ts";
import { table } from "../../terminal-text.ts";
import { aSecondOrMore, bucketsOf, methodsOf, prefixOf } from "./key-scope.ts";

/** Where a session comes from, and what it may do. */
export interface SessionOptions {
  readonly store: KeyStore;
  readonly folder: string;
  readonly context: Context;
  readonly options: {
    readonly "expires-in"?: string | undefined;
    readonly "show-secret"?: boolean | undefined;
    readonly out?: string | undefined;
    readonly json?: boolean | undefined;
    readonly bucket?: readonly string[] | undefined;
    readonly prefix?: string | undefined;
    readonly method?: readonly string[] | undefined;
  };
}

const MAX_SESSION = 36 * 3600;

/** Issues what a running gateway with the same state knows at once: nothing is stored, and nothing can be listed. */
export async function session(id: string, { store, folder, options, context }: SessionOptions): Promise<ExitStatus> {
  const now = new Date();
  const key = await accessKeyInUse(store, id, now);
  const expiration = endOfSession(key.record, options["expires-in"] ?? "1h", now);
  const scope = { buckets: bucketsOf(options), prefix: prefixOf("s3", options), methods: methodsOf("s3", options) };
  const output = await openSecretOutput(options, context.stdout);
  const secret = await sessionSecret({ folder, env: context.env });
  if (secret === undefined) throw new UsageError("expected stored keys, found none");
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
  const life = aSecondOrMore("--expires-in", expiresIn);
  if (life > MAX_SESSION) throw new UsageError("expected --expires-in of at most 36h, found a longer time");
  const expiration = new Date(now.getTime() + life * 1000);
  const end = endOfKey(record);
  // Its tools ask for another one at the end that they were told, and until then would be refused.
  if (end !== undefined && end < expiration) {
    throw new CommandError(
      `expected a key that outlives the session (${life} s), found that ${record.id} ends at ${end.toISOString()}: give a shorter --expires-in`,
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

/** What `credential_process` of AWS's tools reads. */
function credentialProcess({ accessKeyId, secretAccessKey, sessionToken, expiration }: Issued): string {
  return JSON.stringify({
    Version: 1,
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: expiration.toISOString(),
  });
}

/** Lines for a shell. */
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
    throw new CommandError(`expected an S3 access key in use, found no ${id}: see daypass keys list`);
  if (found.key?.kind !== "s3") throw unopened(found.record);
  return found.key;
}
