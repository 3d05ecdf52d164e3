import { stat } from "node:fs/promises";
import type { JsonObject } from "daypass/schemes";
import { answersToResume, runBatchCommand } from "../../batch/run.ts";
import type { StandingAnswers } from "../../batch/standing-answers.ts";
import { CommandError, type Context, type ExitStatus, UsageError } from "../../command.ts";
import { unreadable } from "../../input-text.ts";
import { answerWriter, signedForm } from "../../lines/answer-writer.ts";
import { csvReader } from "../../lines/csv.ts";
import { loadScheme } from "../../lines/line-scheme.ts";
import { folderKeys, type OnSkipped, servedBuckets, servedKeys } from "../../listing/folder-keys.ts";
import { keyBlocks, type ListedObject } from "../../listing/key-blocks.ts";
import { objectKeys, type SignListing } from "../../listing/object-keys.ts";
import { compareUtf8 } from "../../listing/utf8-order.ts";
import { printable } from "../../printable.ts";
import { formatOf, lineDefaults, type SignBatchArguments } from "./batch.ts";
import { type FindKeys, keyFinder, type LineDefaults, lineCompleter } from "./complete-line.ts";
import { expectSignable } from "./expect-signable.ts";

/** The options of `sign --all`. */
export type SignAllArguments = SignBatchArguments & {
  readonly all: string;
  readonly "as-bucket"?: string | undefined;
};

/** A place whose objects are listed, sorted by bucket and then by key. */
interface Listing {
  readonly scheme: string;
  /** What the scheme calls the name of an object. */
  readonly name: "key" | "object";
  /** A bucket of it, and how all its keys begin. */
  readonly bucket: string;
  readonly prefix: string;
  /** The objects behind `after`. */
  objects(after: ListedObject | undefined): AsyncIterable<ListedObject>;
}

/** `daypass sign --all s3://bucket/prefix`, `--all gs://bucket/prefix` or `--all FOLDER`: a listing is the manifest. */
export async function signAll(args: SignAllArguments, context: Context): Promise<ExitStatus> {
  if (args.format !== undefined) throw new UsageError("expected --format with --batch, found it with --all");
  const defaults = await lineDefaults(args, undefined);
  const findKeys = keyFinder(args, context);
  let unnamed = 0;
  const onSkipped: OnSkipped = (path, reason) => {
    if (reason === "NAME_NOT_UTF8") unnamed += 1;
    const why = reason === "NAME_NOT_UTF8" ? "rename it: its name is not UTF-8" : "a gateway does not serve such names";
    context.stderr.write(`not signed: ${printable(path)} (${reason}: ${why})\n`);
  };
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(args.all);
  const listing = isUrl ? bucketListing(args, defaults, findKeys) : await folderListing(args, onSkipped);
  const { scheme, name } = listing;
  const answers = { format: formatOf("--out-format", args["out-format"], args.out), echo: ["bucket", name] };
  const { header } = answerWriter(answers);
  const standing = await answersToResume(args, signedForm(answers));
  const after = standing === undefined ? undefined : lastObject(standing, { header, name });
  let count = 0;
  const counted = async function* (objects: AsyncIterable<ListedObject>): AsyncGenerator<ListedObject> {
    for await (const object of objects) {
      count += 1;
      yield object;
    }
  };
  await expectSignable({ bucket: listing.bucket, [name]: `${listing.prefix}x` }, { ...defaults, scheme }, findKeys);
  const status = await runBatchCommand(
    {
      job: { kind: "sign", answers, defaults: { ...defaults, scheme } },
      header,
      standing,
      done: () => undefined,
      findKeys,
      blocks: keyBlocks(counted(listing.objects(after)), name),
    },
    args,
    context,
  );
  // A prefix that was mistyped would look like work that is done.
  if (count === 0 && after === undefined)
    context.stderr.write(`nothing to sign: no object was found in ${printable(args.all)}\n`);
  return unnamed > 0 ? 1 : status;
}

/** The object of the last whole answer: a listing goes on behind it, whatever came or went before it. */
function lastObject(
  { lastLine, lines }: StandingAnswers,
  { header, name }: { readonly header: string | undefined; readonly name: string },
): ListedObject | undefined {
  if (lines === 0 || lastLine === header) return undefined;
  let last: JsonObject = {};
  try {
    last = header === undefined ? (JSON.parse(lastLine) as JsonObject) : csvReader(header)(lastLine);
  } catch {
    // It is no answer at all.
  }
  const { bucket, [name]: key } = last;
  if (typeof bucket === "string" && typeof key === "string") return { bucket, key };
  throw new CommandError(
    `expected answers of sign --all in --out, found a last line without bucket and ${name}: choose another --out`,
  );
}

// What a line needs to reach a bucket. The other fields are for the objects.
const PLACE = ["version", "region", "endpoint", "addressing", "universeDomain", "credentials", "credentialExpiry"];
const LISTING_LIFE = 300;

/** The stores whose buckets are listed by ListObjectsV2. Cloud Storage's XML API has taken it over. */
const LISTED = [
  { start: "s3://", scheme: "s3", name: "key" },
  { start: "gs://", scheme: "gcs", name: "object" },
] as const;

function bucketListing(args: SignAllArguments, defaults: LineDefaults, findKeys: FindKeys): Listing {
  const [, start = "", bucket, prefix = ""] = /^([a-z0-9]+:\/\/)([^/]+)(?:\/(.*))?$/s.exec(args.all) ?? [];
  const listed = LISTED.find((entry) => entry.start === start);
  if (bucket === undefined || listed === undefined)
    throw new UsageError(
      `expected --all s3://bucket/prefix, gs://bucket/prefix or a folder, found ${JSON.stringify(args.all)}`,
    );
  if (args["as-bucket"] !== undefined)
    throw new UsageError("expected --as-bucket with a folder, found it with a bucket");
  const { scheme, name } = listed;
  const sign: SignListing = async (query) => {
    const complete = await lineCompleter({ ...defaults, scheme }, findKeys).of(scheme);
    const whole = await complete({ scheme, bucket });
    const place = Object.fromEntries(PLACE.filter((name) => name in whole).map((name) => [name, whole[name]]));
    const signLine = await (await loadScheme(scheme)).signer();
    const signed = await signLine({ ...place, scheme, bucket, query, expiresIn: LISTING_LIFE });
    if (!("headers" in signed)) throw new Error("expected a URL");
    return signed;
  };
  return {
    ...{ scheme, name, bucket, prefix },
    async *objects(after) {
      if (after !== undefined && (after.bucket !== bucket || !after.key.startsWith(prefix))) throw foreign(args, after);
      for await (const keys of objectKeys({ sign, prefix, after: after?.key })) {
        for (const key of keys) yield { bucket, key };
      }
    },
  };
}

/** The refusal of answers that are of another listing: to go on behind them would pass over objects. */
function foreign({ all, "as-bucket": asBucket }: SignAllArguments, { bucket, key }: ListedObject): CommandError {
  const wanted = asBucket === undefined ? all : `${all} as the bucket ${asBucket}`;
  return new CommandError(
    `expected in --out answers for ${wanted}, found ${JSON.stringify(key)} of ${bucket}: choose another --out`,
  );
}

async function folderListing(args: SignAllArguments, onSkipped: OnSkipped): Promise<Listing> {
  const folder = args.all;
  const found = await stat(folder).catch((error: unknown) => {
    throw unreadable("--all to name a bucket or a folder", folder, error);
  });
  if (!found.isDirectory()) throw new CommandError(`expected a folder, found a file at ${folder}`);
  const asBucket = args["as-bucket"];
  if (asBucket === undefined && args.endpoint === undefined)
    throw new UsageError(
      "expected --as-bucket NAME, or the --endpoint of the gateway that serves the folder; found neither",
    );
  return {
    ...{ scheme: "s3", name: "key", bucket: asBucket ?? "files", prefix: "" },
    async *objects(after) {
      if (asBucket !== undefined) {
        if (after !== undefined && after.bucket !== asBucket) throw foreign(args, after);
        for await (const key of folderKeys(folder, after?.key, onSkipped)) yield { bucket: asBucket, key };
        return;
      }
      const buckets = await servedBuckets(folder, onSkipped);
      if (after !== undefined && buckets.every(({ name }) => name !== after.bucket)) throw foreign(args, after);
      for (const bucket of buckets) {
        const order = after === undefined ? 1 : compareUtf8(bucket.name, after.bucket);
        if (order < 0) continue;
        for await (const key of servedKeys(bucket, { after: order === 0 ? after?.key : undefined, onSkipped }))
          yield { bucket: bucket.name, key };
      }
    },
  };
}
