import { stat } from "node:fs/promises";
import { isDaypassError } from "daypass";
import type { JsonObject } from "daypass/schemes";
import type { ExistingResults } from "../../batch/existing-results.ts";
import { resultsToResume, runBatch } from "../../batch/run.ts";
import { CommandError, type Context, type ExitStatus, UsageError } from "../../command.ts";
import { readError } from "../../files.ts";
import { answerWriter, signedForm } from "../../lines/answer-writer.ts";
import { csvReader } from "../../lines/csv.ts";
import { loadScheme } from "../../lines/line-scheme.ts";
import { escapeControls } from "../../terminal-text.ts";
import { formatOf, lineDefaults, type SignBatchArguments } from "./batch.ts";
import { type FindKeys, keyFinder, type LineDefaults, lineCompleter } from "./complete-line.ts";
import { bucketKeys, type SignListing } from "./listing/bucket-keys.ts";
import { folderKeys, type OnSkipped, servedBuckets, servedKeys } from "./listing/folder-keys.ts";
import { compareUtf8, type ListedObject, listedBlocks } from "./listing/listed-objects.ts";
import { lineFields } from "./options.ts";
import { loadTarget, refuseForeignOptions } from "./targets/index.ts";

/** The options of `sign --all`. */
export type SignAllArguments = SignBatchArguments & {
  readonly all: string;
  readonly "as-bucket"?: string | undefined;
};

/** The objects to sign, sorted by bucket and then by key. */
interface Listing {
  readonly scheme: string;
  /** The field of an object's name in lines of this scheme. */
  readonly name: "key" | "object";
  /** One of the buckets, and the prefix of all keys. */
  readonly bucket: string;
  readonly prefix: string;
  /** The objects after `after`. */
  objects(after: ListedObject | undefined): AsyncIterable<ListedObject>;
}

/** `daypass sign --all s3://bucket/prefix|gs://bucket/prefix|FOLDER`. */
export async function signAll(args: SignAllArguments, context: Context): Promise<ExitStatus> {
  if (args.format !== undefined)
    throw new UsageError("--format needs --batch. With --all, the format of the answers is --out-format");
  const defaults = await lineDefaults(args, undefined);
  const findKeys = keyFinder(args, context);
  let unnamed = 0;
  const onSkipped: OnSkipped = (path, reason) => {
    if (reason === "NAME_NOT_UTF8") unnamed += 1;
    const why = reason === "NAME_NOT_UTF8" ? "rename it: its name is not UTF-8" : "a gateway does not serve such names";
    context.stderr.write(`not signed: ${escapeControls(path)} (${reason}: ${why})\n`);
  };
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(args.all);
  const listing = isUrl ? bucketListing(args, defaults, findKeys) : await folderListing(args, onSkipped);
  const { scheme, name } = listing;
  const answers = { format: formatOf("--out-format", args["out-format"], args.out), echo: ["bucket", name] };
  const { header } = answerWriter(answers);
  const existing = await resultsToResume(args, signedForm(answers));
  const after = existing === undefined ? undefined : lastObject(existing, { header, name });
  let count = 0;
  const counted = async function* (objects: AsyncIterable<ListedObject>): AsyncGenerator<ListedObject> {
    for await (const object of objects) {
      count += 1;
      yield object;
    }
  };
  await expectSignable({ bucket: listing.bucket, [name]: `${listing.prefix}x` }, { ...defaults, scheme }, findKeys);
  const status = await runBatch(
    {
      job: { kind: "sign", answers, defaults: { ...defaults, scheme } },
      header,
      existing,
      done: () => undefined,
      findKeys,
      blocks: listedBlocks(counted(listing.objects(after)), name),
    },
    args,
    context,
  );
  // Report this, because a mistyped prefix would look like success.
  if (count === 0 && after === undefined)
    context.stderr.write(`nothing to sign: no object was found in ${escapeControls(args.all)}\n`);
  return unnamed > 0 ? 1 : status;
}

/** The object of the last complete result. The listing continues after it. */
function lastObject(
  { lastLine, lines }: ExistingResults,
  { header, name }: { readonly header: string | undefined; readonly name: string },
): ListedObject | undefined {
  if (lines === 0 || lastLine === header) return undefined;
  let last: JsonObject = {};
  try {
    last = header === undefined ? (JSON.parse(lastLine) as JsonObject) : csvReader(header)(lastLine);
  } catch {
    // The check below rejects it.
  }
  const { bucket, [name]: key } = last;
  if (typeof bucket === "string" && typeof key === "string") return { bucket, key };
  throw new CommandError(
    `the last line of --out has no bucket and ${name}, so it is not of sign --all. Choose another --out`,
  );
}

// The fields that reach a bucket. The other fields are for its objects.
const BUCKET_FIELDS = [
  "version",
  "region",
  "endpoint",
  "addressing",
  "universeDomain",
  "credentials",
  "credentialExpiry",
];
const LISTING_LIFETIME = 300;

/** The stores with ListObjectsV2, which the XML API of Cloud Storage also supports. */
const LISTED = [
  { start: "s3://", scheme: "s3", name: "key" },
  { start: "gs://", scheme: "gcs", name: "object" },
] as const;

function bucketListing(args: SignAllArguments, defaults: LineDefaults, findKeys: FindKeys): Listing {
  const [, start = "", bucket, prefix = ""] = /^([a-z0-9]+:\/\/)([^/]+)(?:\/(.*))?$/s.exec(args.all) ?? [];
  const listed = LISTED.find((entry) => entry.start === start);
  if (bucket === undefined || listed === undefined)
    throw new UsageError(
      `--all is ${JSON.stringify(args.all)}. Pass s3://bucket/prefix, gs://bucket/prefix or a folder`,
    );
  if (args["as-bucket"] !== undefined) throw new UsageError("--as-bucket is only for a folder. Leave it out");
  const { scheme, name } = listed;
  const sign: SignListing = async (query) => {
    const complete = await lineCompleter({ ...defaults, scheme }, findKeys).of(scheme);
    const whole = await complete({ scheme, bucket });
    const place = Object.fromEntries(BUCKET_FIELDS.filter((name) => name in whole).map((name) => [name, whole[name]]));
    const signLine = await (await loadScheme(scheme)).signer();
    const signed = await signLine({ ...place, scheme, bucket, resource: "bucket", query, expiresIn: LISTING_LIFETIME });
    if (!("headers" in signed)) throw new Error("the result is not a URL");
    return signed;
  };
  return {
    scheme,
    name,
    bucket,
    prefix,
    async *objects(after) {
      if (after !== undefined && (after.bucket !== bucket || !after.key.startsWith(prefix)))
        throw otherListing(args, after);
      for await (const keys of bucketKeys({ sign, prefix, after: after?.key })) {
        for (const key of keys) yield { bucket, key };
      }
    },
  };
}

/** The error for results of another listing. Continuing after them would skip objects. */
function otherListing({ all, "as-bucket": asBucket }: SignAllArguments, { bucket, key }: ListedObject): CommandError {
  const wanted = asBucket === undefined ? all : `${all} as the bucket ${asBucket}`;
  return new CommandError(
    `--out has an answer for ${JSON.stringify(key)} of ${bucket}, which is not in ${wanted}. Choose another --out`,
  );
}

async function folderListing(args: SignAllArguments, onSkipped: OnSkipped): Promise<Listing> {
  const folder = args.all;
  const found = await stat(folder).catch((error: unknown) => {
    throw readError("--all", folder, error);
  });
  if (!found.isDirectory()) throw new CommandError(`--all names ${folder}, which is a file. Name a folder or a bucket`);
  const asBucket = args["as-bucket"];
  if (asBucket === undefined && args.endpoint === undefined)
    throw new UsageError(
      "the bucket of the folder is unknown. Give --as-bucket NAME, or the --endpoint of the gateway that serves the folder",
    );
  return {
    scheme: "s3",
    name: "key",
    bucket: asBucket ?? "files",
    prefix: "",
    async *objects(after) {
      if (asBucket !== undefined) {
        if (after !== undefined && after.bucket !== asBucket) throw otherListing(args, after);
        for await (const key of folderKeys(folder, after?.key, onSkipped)) yield { bucket: asBucket, key };
        return;
      }
      const buckets = await servedBuckets(folder, onSkipped);
      if (after !== undefined && buckets.every(({ name }) => name !== after.bucket)) throw otherListing(args, after);
      for (const bucket of buckets) {
        const order = after === undefined ? 1 : compareUtf8(bucket.name, after.bucket);
        if (order < 0) continue;
        for await (const key of servedKeys(bucket, { after: order === 0 ? after?.key : undefined, onSkipped }))
          yield { bucket: bucket.name, key };
      }
    },
  };
}

/**
 * Signs a made-up object before the listing starts, so that a wrong key, region or lifetime fails the command instead of every line.
 */
async function expectSignable(
  object: JsonObject,
  defaults: LineDefaults & { readonly scheme: string },
  findKeys: FindKeys,
): Promise<void> {
  const { scheme, fields, options } = defaults;
  await refuseForeignOptions(options, scheme);
  const target = await loadTarget(scheme);
  if (target !== undefined) lineFields(options, target.options);
  if (target !== undefined && fields[target.secret] === undefined) {
    const found = await findKeys(scheme);
    if ("missing" in found) throw new CommandError(found.missing);
  }
  try {
    const complete = await lineCompleter(defaults, findKeys).of(scheme);
    const line = await complete({ scheme, ...object });
    if (line["expiresIn"] === undefined && line["expiresAt"] === undefined)
      throw new UsageError("the lifetime is missing. Give --expires-in or --expires-at");
    const sign = await (await loadScheme(scheme)).signer();
    await sign(line);
  } catch (error) {
    // The key may still cover some of the listed objects.
    const isPart = isDaypassError(error) && ["prefix", "bucket"].includes(String(error.details["rule"]));
    if (!isPart) throw error;
  }
}
