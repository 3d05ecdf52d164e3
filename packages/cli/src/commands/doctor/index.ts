import { checked, oneArgument, pageOrigin, parseArguments } from "../../arguments.ts";
import { type Command, CommandError, print, UsageError } from "../../command.ts";
import { escapeControls } from "../../terminal-text.ts";
import { lineFields } from "../sign/options.ts";
import { isDirectoryBucket, s3Target } from "../sign/targets/s3.ts";
import type { BucketUnderTest } from "./bucket-under-test.ts";
import { addressing, credentialLifetime, crossOrigin, getMissing, objects, unlessUnanswered } from "./checks.ts";
import type { Finding, Verdict } from "./finding.ts";
import { firstRequest } from "./first-request.ts";

const MARKS: Readonly<Record<Verdict, string>> = {
  ok: "ok",
  warning: "WARNING",
  problem: "PROBLEM",
  skipped: "skipped",
};

export const doctorCommand: Command = {
  help: `daypass doctor s3://BUCKET [options]

Sends real requests to a bucket, and reports why presigned URLs do not work: network, clock, region,
signature, addressing, PUT and GET, CORS. Exit status 1 if there is a problem.

  --endpoint URL, --region NAME, --addressing path|virtual, --profile NAME     as for daypass sign
  --state DIR, --key ID   use a key from a gateway's state
  --origin ORIGIN       the page that will use the URLs: sends real preflights for it
  --read-only           write nothing (default: put, get and delete an object of 50 bytes)
  --json                print all findings as one object`,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, {
      endpoint: { type: "string" },
      region: { type: "string" },
      addressing: { type: "string" },
      profile: { type: "string" },
      state: { type: "string" },
      key: { type: "string" },
      origin: { type: "string" },
      "read-only": { type: "boolean" },
      json: { type: "boolean" },
    });
    const target = oneArgument(positionals, "the bucket is missing. Write s3://bucket");
    if (!/^s3:\/\/[^/]/.test(target))
      throw new UsageError(`the bucket is ${JSON.stringify(target)}. Write s3://bucket`);
    const { bucket, key } = s3Target.locate(target);
    if (typeof bucket !== "string" || key !== undefined)
      throw new UsageError(`the bucket is ${JSON.stringify(target)}. Write s3://bucket, without a key`);
    checked(values.origin, (text) => pageOrigin("--origin", text));
    if (isDirectoryBucket(bucket)) {
      throw new UsageError(
        `doctor does not check directory buckets such as ${bucket}. Sign a URL with the credentials of aws s3api create-session, and ask daypass explain why it is refused`,
      );
    }
    const { fields: found } = await s3Target.find(values, context);
    const line = { ...found, ...lineFields(values, s3Target.options) };
    const place = s3Target.complete?.(line, found) ?? line;
    if (place["region"] === undefined)
      throw new CommandError("the region is missing. Give --region, or set AWS_REGION");
    const endpoint = place["endpoint"];
    const command = `aws s3api put-bucket-cors --bucket ${bucket}${typeof endpoint === "string" ? ` --endpoint-url ${endpoint}` : ""} --cors-configuration file://cors.json`;
    const report = await examine({ bucket, place }, values);
    const hasProblem = report.findings.some(({ verdict }) => verdict === "problem");
    await print(
      context.stdout,
      values.json === true ? JSON.stringify({ ok: !hasProblem, ...report }) : reportText(report, command),
    );
    return hasProblem ? 1 : 0;
  },
};

interface Report {
  readonly findings: readonly Finding[];
  readonly contentSecurityPolicy?: string;
  readonly cors?: unknown;
}

async function examine(
  bucket: BucketUnderTest,
  options: { readonly origin?: string | undefined; readonly "read-only"?: boolean | undefined },
): Promise<Report> {
  const credentials = credentialLifetime(bucket, new Date());
  const { findings, target: reached } = await firstRequest(bucket);
  if (reached === undefined) return { findings: [credentials, ...findings] };
  const style = await addressing(reached);
  const works =
    options["read-only"] === true ? [await unlessUnanswered("get", getMissing(reached))] : await objects(reached);
  const { findings: pages, contentSecurityPolicy, cors } = await crossOrigin(reached, options.origin);
  return { findings: [credentials, ...findings, style, ...works, ...pages], contentSecurityPolicy, cors };
}

function reportText({ findings, contentSecurityPolicy, cors }: Report, command: string): string {
  return [
    ...findings.flatMap(({ check, verdict, sentence, fix }) => [
      `${MARKS[verdict].padEnd(8)} ${check.padEnd(12)} ${escapeControls(sentence)}`,
      ...(fix === undefined ? [] : [`${" ".repeat(22)}→ ${escapeControls(fix)}`]),
    ]),
    ...(contentSecurityPolicy === undefined
      ? []
      : [
          "",
          "For a page that uploads and downloads:",
          `  Content-Security-Policy: ${contentSecurityPolicy}`,
          `  ${command}`,
          JSON.stringify(cors, undefined, 2).replace(/^/gm, "  "),
        ]),
  ].join("\n");
}
