import { publishedKeySet } from "daypass/url";
import { duration, type ParsedArguments, parseArguments, word } from "../../arguments.ts";
import { type Command, CommandError, type Context, type ExitStatus, print, UsageError } from "../../command.ts";
import { didYouMean } from "../../nearest-name.ts";
import { type ActiveKey, hasEnded, isActive, type KeyRecord } from "../../state-folder/key-record.ts";
import { type KeyStore, keyStore, noSuchKey } from "../../state-folder/key-store.ts";
import { scopeText, urlKey } from "../../state-folder/scope.ts";
import {
  openSecretOutput,
  secretFields,
  secretFileHint,
  secretRows,
  writeSecret,
} from "../../state-folder/secret-output.ts";
import { expectStateExists, stateFolder } from "../../state-folder/state-folder.ts";
import { table } from "../../terminal-text.ts";
import { SCOPE_OPTIONS, scopeOf } from "./key-scope.ts";

const OPTIONS = {
  state: { type: "string" },
  label: { type: "string" },
  ed25519: { type: "boolean" },
  ...SCOPE_OPTIONS,
  overlap: { type: "string" },
  "expires-in": { type: "string" },
  "show-secret": { type: "boolean" },
  out: { type: "string" },
  json: { type: "boolean" },
} as const;

type Options = ParsedArguments<typeof OPTIONS>["values"];

const HELP = `daypass keys create [s3|url] [--ed25519] [scope] [--label TEXT]   create an S3 access key (default) or a Daypass URL key
daypass keys list                                                 list the keys, without secrets
daypass keys public                                               print the public Ed25519 keys as a JWK set
daypass keys rotate ID [--overlap 24h]                            create a successor with the same scope; the old key ends later
daypass keys revoke ID                                            end a key at once; a running gateway notices within a second
daypass keys session ID [--expires-in 1h] [scope]                 create temporary credentials, with the rights of the key or fewer

Scope of a new key (default: everything)
  --bucket NAME         S3: allowed buckets                       --origin ORIGIN   URL: allowed origins
  --prefix TEXT         allowed prefix of S3 keys or URL paths    --method METHOD   allowed methods
  --max-life TIME       longest lifetime of a URL                 --until INSTANT   end of the key and its URLs
Secret: shown once, when the key or session is created
  --out FILE            write it to a new file (mode 0600) for AWS_SHARED_CREDENTIALS_FILE or DAYPASS_KEY_FILE
  --show-secret         print it even if standard output is not a terminal
Other
  --state DIR           the gateway's state, or the folder it serves (default: DAYPASS_STATE, else ./.daypass)
  --json                one JSON object per key; for a session, the format of credential_process (with --show-secret)
Keys are encrypted with DAYPASS_MASTER_KEY, the file named by DAYPASS_MASTER_KEY_FILE, or a file in the state folder.`;

export const keysCommand: Command = {
  help: HELP,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, OPTIONS);
    const [action, argument, ...more] = positionals;
    if (more.length > 0) throw new UsageError(`keys ${action} takes at most one argument, not ${more.length + 1}`);
    const name = word("the action", action, Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]);
    const { run, options, takes } = ACTIONS[name];
    const known: readonly string[] = [...options, "state", "json"];
    const foreign = Object.keys(values).find((option) => !known.includes(option));
    if (foreign !== undefined)
      throw new UsageError(`--${foreign} is not an option of keys ${name}${didYouMean(foreign, known, "--")}`);
    if (takes === "none" && argument !== undefined)
      throw new UsageError(`keys ${name} takes no argument. Leave ${JSON.stringify(argument)} out`);
    if (takes === "id" && argument === undefined)
      throw new UsageError(`keys ${name} needs the id of a key, which daypass keys list shows`);
    const folder = stateFolder(values.state, context.env);
    if (name !== "create") expectStateExists(folder, values.state === undefined ? "Name it in --state" : undefined);
    const store = keyStore({ folder, env: context.env, clock: () => new Date() });
    return run({ store, folder, argument: argument ?? "s3", options: values, context });
  },
};

interface Action {
  readonly store: KeyStore;
  readonly folder: string;
  /** The kind of a key, "s3" by default, or its id. */
  readonly argument: string;
  readonly options: Options;
  readonly context: Context;
}

interface ActionEntry {
  readonly run: (action: Action) => Promise<ExitStatus>;
  readonly takes: "kind" | "id" | "none";
  /** The options of the action, without --state and --json. */
  readonly options: readonly (keyof Options)[];
}

const SECRET = ["show-secret", "out"] as const;
const SESSION_SCOPE = ["bucket", "prefix", "method"] as const;

const ACTIONS = {
  create: {
    run: create,
    takes: "kind",
    options: ["label", "ed25519", ...SESSION_SCOPE, "origin", "max-life", "until", ...SECRET],
  },
  list: { run: list, takes: "none", options: [] },
  public: { run: publicKeys, takes: "none", options: [] },
  rotate: { run: rotate, takes: "id", options: ["overlap", ...SECRET] },
  revoke: { run: revoke, takes: "id", options: [] },
  session: { run: issueSession, takes: "id", options: ["expires-in", ...SESSION_SCOPE, ...SECRET] },
} satisfies Readonly<Record<string, ActionEntry>>;

async function create({ store, argument, options, context }: Action): Promise<ExitStatus> {
  const kind = word("the kind of key", argument, ["s3", "url"]);
  if (options.ed25519 === true && kind === "s3") throw new UsageError("--ed25519 is only for keys create url");
  const scope = scopeOf(kind, options);
  const algorithm = kind === "s3" ? "AWS4-HMAC-SHA256" : options.ed25519 === true ? "Ed25519" : "HS256";
  return createAndShow(options, context, () => store.create({ algorithm, scope, label: options.label }));
}

async function rotate({ store, argument, options, context }: Action): Promise<ExitStatus> {
  const overlap = duration("--overlap", options.overlap ?? "24h");
  // Report an unknown id before a missing --out.
  if ((await store.list()).every((record) => record.id !== argument)) throw noSuchKey(argument);
  return createAndShow(options, context, () => store.rotate(argument, overlap));
}

async function revoke({ store, argument, options, context }: Action): Promise<ExitStatus> {
  const record = await store.revoke(argument);
  await print(context.stdout, options.json === true ? JSON.stringify(record) : `revoked ${record.id}`);
  return 0;
}

async function issueSession(action: Action): Promise<ExitStatus> {
  // Loads the gateway.
  const { session } = await import("./session.ts");
  return session(action.argument, action);
}

async function list({ store, options, context }: Action): Promise<ExitStatus> {
  const now = new Date();
  const records = await withStates(store, now, context);
  if (options.json === true) {
    for (const record of records) await print(context.stdout, JSON.stringify(record));
    return 0;
  }
  const rows = records.map((record) => [
    record.id,
    record.algorithm,
    record.state,
    record.createdAt.slice(0, 10),
    scopeText(record.scope),
    record.label ?? "",
  ]);
  await print(context.stdout, table([["ID", "ALGORITHM", "STATE", "CREATED", "SCOPE", "LABEL"], ...rows]));
  return 0;
}

/** Prints the public keys for other verifiers, including rotated keys until their overlap ends. */
async function publicKeys({ store, context }: Action): Promise<ExitStatus> {
  const keys = (await store.active()).flatMap((key) => (key.kind === "url" ? [urlKey(key)] : []));
  const set = publishedKeySet(keys);
  // Print the empty set too, so that verifiers drop the last revoked key.
  if (set.keys.length === 0)
    await print(context.stderr, "There is no Ed25519 key: create one with daypass keys create url --ed25519.");
  await print(context.stdout, JSON.stringify(set));
  return 0;
}

/** Adds the state of each key. A row that cannot be decrypted may have been edited. Without the master key this is not checked. */
async function withStates(
  store: KeyStore,
  now: Date,
  { stderr }: Context,
): Promise<readonly (KeyRecord & { readonly state: string })[]> {
  const unchecked = async (error: unknown) => {
    if (!(error instanceof CommandError)) throw error;
    const records = await store.list();
    await print(stderr, `could not check whether the keys can be decrypted: ${error.message}`);
    return records.map((record) => ({ record, key: undefined, isChecked: false }));
  };
  const checked = async () => (await store.opened()).map((row) => ({ ...row, isChecked: true }));
  return (await checked().catch(unchecked)).map(({ record, key, isChecked }) => ({
    ...record,
    state: isChecked && key === undefined && record.revokedAt === undefined ? "does not open" : stateOf(record, now),
  }));
}

/** Creates a key and outputs its secret. Checks the output first. */
async function createAndShow(options: Options, context: Context, make: () => Promise<ActiveKey>): Promise<ExitStatus> {
  const output = await openSecretOutput(options, context.stdout);
  const key = await make();
  if (output.kind === "file") await writeSecret(output.path, key);
  const { stdout } = context;
  if (options.json === true) {
    await print(stdout, JSON.stringify({ ...key.record, ...(output.kind === "print" ? secretFields(key) : {}) }));
    return 0;
  }
  const rows = [
    [key.kind === "s3" ? "access key id" : "key id", key.record.id],
    ...(output.kind === "print"
      ? secretRows(key).map(([name, value]) => [name, `${value}   (shown only once)`])
      : [["secret", `written to ${output.path}; use it with ${secretFileHint(output.path, key)}`]]),
    ["scope", scopeText(key.record.scope)],
  ];
  await print(stdout, table(rows));
  return 0;
}

function stateOf(record: KeyRecord, now: Date): string {
  if (record.revokedAt !== undefined) return "revoked";
  if (!isActive(record, now)) return "retired";
  if (hasEnded(record, now)) return "ended";
  return record.retiresAt === undefined ? "active" : `until ${record.retiresAt.slice(0, 16)}Z`;
}
