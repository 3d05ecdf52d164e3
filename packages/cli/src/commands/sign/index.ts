import { isDaypassError } from "daypass";
import { oneArgument, parseArguments, word } from "../../arguments.ts";
import { BATCH_HELP, BATCH_OPTIONS, refuseBatchOptions, SIGN_BATCH_OPTIONS, withOutput } from "../../batch/options.ts";
import { type Command, CommandError, type Context, type ExitStatus, print, UsageError } from "../../command.ts";
import { FORMATS, format } from "./format.ts";
import { SIGN_OPTIONS, type SignOptions } from "./options.ts";
import { expectServed, folderWarnings, servedTarget } from "./served-target.ts";
import { signTarget } from "./sign-target.ts";

const HELP = `daypass sign TARGET [options]
daypass sign [TARGET] --batch FILE|- [--out FILE] [--workers N]
daypass sign --all s3://bucket/prefix|gs://bucket/prefix|FOLDER [--out FILE] [--workers N]

TARGET: s3://bucket/key, gs://bucket/object, az://account/container/blob, or https://host/path for a Daypass URL

Lifetime
  --expires-in TIME     90s, 12h, 7d (one target: default 15m)   --expires-at INSTANT  2026-01-02T03:04:05Z
  --stable-window TIME  return the same bytes within this window   --at INSTANT          sign as if at this time
Request
  --method GET          the method to sign; for a Daypass URL, repeat it for more methods
  --header 'N: V'       a header that the holder must send         --query N=V           a query parameter
  --content-type TYPE   bind the body's type                       --content-length N|MIN-MAX, 1kB-10MB
  --sha256 HEX          bind the body
  --response-cache-control, --response-content-{disposition,encoding,language,type}, --response-expires TEXT
s3://, gs://, az://
  --endpoint URL, --signature-version v4|v2|v4a|express (az://: the sv), --dot-segments (sign keys with . and .. segments)
  --resource bucket     sign for the bucket itself, such as a listing (az://: container)
s3:// and gs:// only
  --addressing path|virtual (gs://: bucket-bound)                  --field N=V           a field of --as html-form
s3:// only
  --region, --profile NAME, --clamp (shorten the URL's lifetime to that of its credentials)
az:// only
  --permissions rcwd…, --identifier POLICY, --protocol https, --prefix DIRECTORY/
https:// only
  --audience, --subject TEXT, --prefix SEGMENTS, --vary NAME, --nonce TEXT, --uses N, --create-only
  --max-expires-in TIME allow a lifetime over 7 days
  --ip CIDR (az:// too), --starts INSTANT (az:// and gs:// too)
Output
  --as url|curl|fetch|wget|html-form   --json  print everything as JSON, including the output of --as, the expiry,
                        what the URL binds and what it leaves open
Keys
  for the origin or --endpoint of a gateway that you run on this machine: the first key of its state
  --state DIR           use a key from a gateway's state (daypass serve, daypass keys)   --key ID  which one
  s3:// otherwise: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, then the shared profile files;
        for a bucket --x-s3 (express), the credentials of a CreateSession session
  gs://: the service account in GOOGLE_APPLICATION_CREDENTIALS, or in gcloud's application default credentials
  az://: AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY
  https:// otherwise: DAYPASS_KEY (a JWK) or DAYPASS_KEY_FILE

${BATCH_HELP}
  --format, --out-format jsonl|csv   default: csv for files named *.csv, else jsonl; a CSV needs a header row
  --defaults FILE       a JSON object with fields for all lines; the options above, and s3://bucket as TARGET, also set fields.
                        A line without credentials uses the keys that daypass sign would use;
                        a line without expiresIn and expiresAt is refused, so pass --expires-in for all
  --all s3://B/PREFIX   one line per object, as listed by the server
  --all FOLDER          one line per file: --as-bucket NAME, or --endpoint URL of the gateway that serves the folder`;

const SIGN_ALL_OPTIONS = { all: { type: "string" }, "as-bucket": { type: "string" } } as const;

export const signCommand: Command = {
  help: HELP,
  async run(args, context) {
    const { values: asked, positionals } = parseArguments(args, {
      ...SIGN_OPTIONS,
      ...BATCH_OPTIONS,
      ...SIGN_BATCH_OPTIONS,
      ...SIGN_ALL_OPTIONS,
      as: { type: "string" },
      json: { type: "boolean" },
    });
    const [target] = positionals;
    const served = servedTarget(target, asked, context.env);
    const values = served?.isFound === true ? { ...asked, state: served.state } : asked;
    const { batch, all } = values;
    if (batch !== undefined || all !== undefined) refuseSingleOptions(values);
    if (all !== undefined) {
      if (batch !== undefined || target !== undefined)
        throw new UsageError("sign takes one of a target, --batch and --all. Leave the others out");
      // Loads a large part of the gateway, to read folders.
      const { signAll } = await import("./all.ts");
      return signAll(withOutput({ ...values, all }), context);
    }
    if (batch !== undefined) {
      if (target !== undefined) oneArgument(positionals, "");
      const { signBatch } = await import("./batch.ts");
      return signBatch(withOutput({ ...values, batch }), target, context);
    }
    refuseBatchOptions(values, [...Object.keys(SIGN_BATCH_OPTIONS), "as-bucket"]);
    const one = oneArgument(positionals, "the target is missing. Name one, such as s3://bucket/key");
    if (served !== undefined) expectServed(served, values);
    return signOne(one, values, context, folderWarnings(served, one, values));
  },
};

/** Refuses options that a batch would ignore. */
function refuseSingleOptions({ as, batch, "as-bucket": bucket }: Readonly<Record<string, unknown>>): void {
  if (as !== undefined)
    throw new UsageError("--as needs one target. The answers to many are JSON Lines or CSV: use --out-format");
  if (batch !== undefined && bucket !== undefined)
    throw new UsageError("--as-bucket needs --all FOLDER. With --batch, give s3://bucket as the target");
}

type Output = SignOptions & { readonly as?: string | undefined; readonly json?: boolean | undefined };

const DEFAULT_LIFETIME = "15m";

async function signOne(
  target: string,
  options: Output,
  context: Context,
  warnings: readonly string[],
): Promise<ExitStatus> {
  const as = word("--as", options.as ?? "url", FORMATS);
  const isForm = as === "html-form";
  const signed = await signTarget(target, { options: withLifetime(options), isForm }, context).catch(
    rethrowWithOptions,
  );
  if (options.json === true) {
    // The object already contains the URL.
    const command = as === "url" ? {} : { [as]: format(signed, as) };
    // A spread copy does not have the getter `id`.
    const id = "id" in signed ? { id: signed.id } : {};
    const all = { warnings: [...signed.warnings, ...warnings] };
    await print(context.stdout, JSON.stringify({ ...signed, ...all, ...id, ...command }));
    return 0;
  }
  await print(context.stdout, format(signed, as));
  for (const warning of [...signed.warnings, ...warnings]) await print(context.stderr, `warning: ${warning}`);
  if (as === "url" && "headers" in signed) {
    for (const [name, value] of Object.entries(signed.headers))
      await print(context.stderr, `send the header  ${name}: ${value}`);
  }
  return 0;
}

/** Replaces advice of the library by options of this command. */
function rethrowWithOptions(error: unknown): never {
  if (!isDaypassError(error)) throw error;
  const message = error.message
    .replace("see dotSegments", "sign it anyway with --dot-segments")
    .replace(/resource: "(\w+)"/, "--resource $1")
    .replace("maxExpiresIn of the signer", "--max-expires-in")
    .replace(
      /^expiresIn is (\d+)\. Pass whole seconds from 1 to (\d+)/,
      "the lifetime is $1 s. Pass an --expires-in of at most $2s",
    )
    .replace(/ in the line, by (--region)/, " by $1")
    .replace("See credentialExpiry", "Ask for a shorter lifetime, or give --clamp to end the URL with them");
  throw message === error.message ? error : new CommandError(message, error.code);
}

function withLifetime(options: Output): Output {
  const hasLifetime = options["expires-in"] !== undefined || options["expires-at"] !== undefined;
  return hasLifetime ? options : { ...options, "expires-in": DEFAULT_LIFETIME };
}
