import { type BrowserUpload, type Explanation, explain } from "daypass/explain";
import { pairs, parseArguments } from "../arguments.ts";
import { type Command, CommandError, type Context, print, UsageError } from "../command.ts";
import { instant } from "../lines/instant.ts";
import { keysAtHand } from "../sign/keys-at-hand.ts";
import { mapped } from "../sign/options.ts";
import { readText } from "../state/files.ts";
import { table } from "../table.ts";

export const explainCommand: Command = {
  help: `daypass explain URL [--error FILE] [--json] [--reveal]

Tells what a presigned URL is, what it grants, binds and leaves open, when it really ends, and why a server refuses it.
Nothing is sent. The cause stands first.

  --error FILE|-        the body of the server's answer (S3's XML, or problem details)
  --method GET          the method that was sent                  --header 'N: V'     a header that was sent
  --sent-url URL        what was sent, where it is not the URL    --body-sha256 HEX   the hash of the body that was sent
  --host NAME           further names of the server, tried as the signed host
  --origin ORIGIN       the page that is to upload, for the CORS rule of a PUT or POST
  --at INSTANT          explain as if it were then                --reveal            show signatures and session tokens
  --state DIR           try the keys of a gateway's state; otherwise those of DAYPASS_KEY(_FILE) and of each cloud (--profile)
  --json                everything that was found, as one object`,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, {
      error: { type: "string" },
      method: { type: "string" },
      header: { type: "string", multiple: true },
      "sent-url": { type: "string" },
      "body-sha256": { type: "string" },
      origin: { type: "string" },
      host: { type: "string", multiple: true },
      at: { type: "string" },
      state: { type: "string" },
      profile: { type: "string" },
      reveal: { type: "boolean" },
      json: { type: "boolean" },
    });
    const [url, second] = positionals;
    if (url === undefined || second !== undefined)
      throw new UsageError(`expected one URL, found ${positionals.length}: quote it, a shell cuts it at &`);
    const { s3, gcs, azure, url: urlKeys } = await keysAtHand(values, context);
    const now = mapped(values.at, (text) => instant("--at", text)) ?? new Date();
    const explanation = await explain(url, {
      request: {
        method: values.method,
        url: values["sent-url"],
        headers: singleValues(pairs("--header", values.header, ":")),
        bodySha256: values["body-sha256"],
      },
      errorBody: values.error === undefined ? undefined : await errorBody(values.error, context),
      keys: [...s3, ...gcs, ...azure, ...urlKeys],
      hosts: values.host,
      origin: values.origin,
      reveal: values.reveal,
      clock: () => now,
    });
    await print(context.stdout, values.json === true ? JSON.stringify(explanation) : explanationText(explanation));
    // S3 signs the method and does not write it down, so that nobody can tell whether this is an upload.
    if (values.json !== true && explanation.grants.methods === undefined && values.method === undefined)
      await print(context.stderr, "With --method PUT it tells what a page needs to upload with this URL, too.");
    return 0;
  },
};

const MAX_ERROR_BYTES = 1024 * 1024;

async function errorBody(path: string, { stdin }: Context): Promise<string> {
  if (path !== "-") {
    const text = await readText(path);
    if (text === undefined) throw new CommandError(`expected --error to name a file, found none at ${path}`);
    return text;
  }
  let text = "";
  stdin.setEncoding("utf8");
  for await (const chunk of stdin) {
    text += chunk;
    if (text.length > MAX_ERROR_BYTES)
      throw new CommandError("expected an error body of at most 1 MB on standard input");
  }
  return text;
}

function singleValues(headers: ReturnType<typeof pairs>): Readonly<Record<string, string>> | undefined {
  if (headers === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : value.join(", ")]),
  );
}

function explanationText(explanation: Explanation): string {
  const { cause, summary, signedBy, grants, binds, leavesOpen, mustSend, traps, mayEndEarlier } = explanation;
  const { signedAt, startsAt, endsAt } = explanation;
  const rows = [
    ["scheme", explanation.scheme],
    ["signed by", signedBy],
    ["grants", `${grants.methods?.join(", ") ?? "one method, which the URL does not tell,"} on ${grants.resource}`],
    ...(signedAt === undefined ? [] : [["signed at", signedAt.toISOString()]]),
    ...(startsAt === undefined ? [] : [["starts at", startsAt.toISOString()]]),
    ...(endsAt === undefined
      ? []
      : [["ends at", `${endsAt.toISOString()}${mayEndEarlier === undefined ? "" : `, or earlier: ${mayEndEarlier}`}`]]),
    ["binds", binds.join(", ")],
    ["leaves open", leavesOpen.join(", ")],
    ...mustSend.map(({ name, value }) => ["must send", `${name}: ${value ?? "(the URL does not tell the value)"}`]),
    ...traps.map(({ name, text }) => ["trap", `${name}: ${text}`]),
  ];
  return [
    ...(cause === undefined
      ? []
      : [cause.sentence, `→ ${cause.fix}`, ...cause.evidence.map((line) => `  ${line}`), ""]),
    summary,
    table(rows.map((row) => ["", ...row])),
    ...(explanation.browser === undefined ? [] : ["", browserText(explanation.browser)]),
  ].join("\n");
}

/** What a page needs to upload: to be pasted. */
export function browserText({ contentSecurityPolicy, cors, corsIsSetBy }: BrowserUpload): string {
  return [
    "For an upload by a page:",
    `  Content-Security-Policy: ${contentSecurityPolicy}`,
    `  CORS rule, set by ${corsIsSetBy}:`,
    JSON.stringify(cors, undefined, 2).replace(/^/gm, "  "),
  ].join("\n");
}
