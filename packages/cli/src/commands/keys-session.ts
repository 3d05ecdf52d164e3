import { createHmac, randomBytes } from "node:crypto";
import { sessions } from "@daypass/gateway";
import { CommandError, type Context, type ExitStatus, print, UsageError } from "../command.ts";
import { type ActiveKey, isActive } from "../state/key-record.ts";
import { type KeyStore, unopened } from "../state/key-store.ts";
import { sessionSecret } from "../state/session-secret.ts";
import { openSecretOutput, secretFileHint, writeSecret } from "../state/show-secret.ts";
import { table } from "../table.ts";
import { aSecondOrMore, methodsOf } from "./key-scope.ts";

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
  const key = await accessKeyInUse(store, id);
  const life = aSecondOrMore("--expires-in", options["expires-in"] ?? "1h");
  if (life > MAX_SESSION) throw new UsageError("expected --expires-in of at most 36h, found a longer time");
  const scope = { buckets: options.bucket, prefix: options.prefix, methods: methodsOf("s3", options) };
  const output = openSecretOutput(options, context.stdout);
  const secret = await sessionSecret({ folder, env: context.env });
  if (secret === undefined) throw new UsageError("expected stored keys, found none");
  const issuer = sessions((text) => createHmac("sha256", secret).update(text).digest(), randomBytes);
  const expiration = new Date(Date.now() + life * 1000);
  const { accessKeyId, secretAccessKey, sessionToken, ...issued } = issuer.issue({
    parent: key.credentials,
    scope,
    expiration,
  });
  const until = issued.expiration.toISOString();
  if (output.kind === "file") {
    const credentials = { accessKeyId, secretAccessKey, sessionToken };
    await writeSecret(output.path, { kind: "s3", credentials });
    const rows = [
      ["access key id", accessKeyId],
      ["until", until],
      ["secret", `written to ${output.path}; use it with ${secretFileHint(output.path, { kind: "s3" })}`],
    ];
    await print(
      context.stdout,
      options.json === true ? JSON.stringify({ AccessKeyId: accessKeyId, Expiration: until }) : table(rows),
    );
    return 0;
  }
  await print(
    context.stdout,
    options.json === true
      ? // The shape that `credential_process` of AWS's tools reads.
        JSON.stringify({
          Version: 1,
          AccessKeyId: accessKeyId,
          SecretAccessKey: secretAccessKey,
          SessionToken: sessionToken,
          Expiration: until,
        })
      : [
          `export AWS_ACCESS_KEY_ID=${accessKeyId}`,
          `export AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
          `export AWS_SESSION_TOKEN=${sessionToken}`,
          `# until ${until}`,
        ].join("\n"),
  );
  return 0;
}

async function accessKeyInUse(store: KeyStore, id: string): Promise<Extract<ActiveKey, { kind: "s3" }>> {
  const found = (await store.opened()).find(({ record }) => record.id === id);
  if (found?.record.kind !== "s3" || !isActive(found.record, new Date()))
    throw new CommandError(`expected an S3 access key in use, found no ${id}: see daypass keys list`);
  if (found.key?.kind !== "s3") throw unopened(found.record);
  return found.key;
}
