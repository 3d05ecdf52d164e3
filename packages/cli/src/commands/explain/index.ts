import { type Cause, type Explanation, explain, explainForm, redactUrl } from "daypass/explain";
import {
  byteCount,
  checked,
  ipAddress,
  mapped,
  moment,
  oneArgument,
  type ParsedArguments,
  pageOrigin,
  pairs,
  parseArguments,
  requestMethod,
  sha256Hex,
  wholeNumber,
} from "../../arguments.ts";
import { type Command, type Context, print, UsageError } from "../../command.ts";
import { findAvailableKeys } from "../../credentials/available-keys.ts";
import { expectOneStdin, inputText } from "../../files.ts";
import { wireRequest } from "../../lines/request.ts";
import { explainKeys } from "../../lines/verifiers.ts";
import { escapeControls } from "../../terminal-text.ts";
import { causeText, explanationText } from "./explanation-text.ts";
import { type VerifiedExplanation, withStoredKey, withVerdict } from "./key-verdict.ts";
import { causeWithoutUrl, type PastedUrl, pageIn, pastedUrl } from "./pasted/signed-url.ts";

const OPTIONS = {
  error: { type: "string" },
  status: { type: "string" },
  method: { type: "string" },
  header: { type: "string", multiple: true },
  "sent-url": { type: "string" },
  "body-sha256": { type: "string" },
  "remote-address": { type: "string" },
  form: { type: "string" },
  "sent-form": { type: "string" },
  "file-name": { type: "string" },
  "file-size": { type: "string" },
  origin: { type: "string" },
  host: { type: "string", multiple: true },
  at: { type: "string" },
  state: { type: "string" },
  profile: { type: "string" },
  schemes: { type: "string" },
  reveal: { type: "boolean" },
  json: { type: "boolean" },
} as const;

type Options = ParsedArguments<typeof OPTIONS>["values"];

export const explainCommand: Command = {
  help: `daypass explain URL|TEXT|FILE.har|- [--error FILE] [--json] [--reveal]
daypass explain --form FILE|- [--sent-form FILE] [--error FILE]

Shows what a presigned URL or a signed upload form is, what it grants, binds and leaves open, when it really expires, and why a
server refuses it, the cause first. Nothing is sent. TEXT can be a log line, a line of a browser's console, a curl command, an
exception, a raw HTTP request, the output of curl -v or a HAR entry: its first signed URL is explained. - reads the text from
standard input. A curl command (a browser's "Copy as cURL"), a raw request and a HAR entry also give method and headers. An
error response without its URL is explained by its own text.

  --error FILE|-        the body of the error response (a store's XML, problem details, a proxy's page)
  --status 403          its status, if you do not have the body (a HEAD has none)
  --method GET          the method that was sent                  --header 'N: V'     a header that was sent
  --sent-url URL        the URL that was sent, if different       --body-sha256 HEX   the hash of the body that was sent
  --remote-address IP   the client's address, as the server saw it
  --host NAME           another name of the server, to try as the signed host
  --origin ORIGIN       the uploading page, for the CORS rule of a PUT or POST
  --at INSTANT          explain as if at this time                --reveal            show signatures and session tokens
  --json                print everything as one object
Form
  --form FILE|-         {"url":…,"fields":…} as printed by daypass sign and the SDKs, or an HTML form
  --sent-form FILE      the form that was posted, if different; in a list of fields, the entry "file" marks the file's position
  --file-name NAME      the posted file's name                    --file-size BYTES   the posted file's length, such as 64KiB
Keys
  --state DIR           the keys of a gateway's state; otherwise those of DAYPASS_KEY(_FILE) and of each cloud (--profile)
  --schemes FILE|-      more keys, of any scheme (oss, cos, swift, cloudfront, nginx, bunny, …): JSON, one entry or a list,
                        as in the schemes of a daypass verify --batch line:
                        {"scheme":"nginx","credentials":{"secret":"…"},"expression":"…"}`,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, OPTIONS);
    const { error, form, schemes } = values;
    expectOneStdin({
      URL: positionals[0],
      "--error": error,
      "--form": form,
      "--sent-form": values["sent-form"],
      "--schemes": schemes,
    });
    const { explanation, wanted = [] } =
      form === undefined
        ? await explainUrl(positionals, values, context)
        : { explanation: await explainAForm(form, { positionals, values }, context) };
    if (values.json === true) {
      await print(context.stdout, JSON.stringify(explanation));
      return 0;
    }
    if (!("scheme" in explanation)) {
      await print(context.stdout, causeText(explanation.cause));
      await print(context.stderr, "This is only the answer. With the URL, explain finds far more.");
      return 0;
    }
    await print(context.stdout, explanationText(explanation));
    if (wanted.length > 0) await print(context.stdout, `\nTo find out more, add ${wanted.join("; ")}.`);
    return 0;
  },
};

const FORM_OPTIONS = ["sent-form", "file-name", "file-size"] as const;
const URL_OPTIONS = ["status", "method", "header", "sent-url", "body-sha256", "remote-address", "host"] as const;

interface Explained {
  readonly explanation: VerifiedExplanation | { readonly cause: Cause };
  /** What would tell more, in words. */
  readonly wanted?: readonly string[];
}

async function explainUrl(positionals: readonly string[], values: Options, context: Context): Promise<Explained> {
  const text = oneArgument(positionals, "the URL is missing. Give it in quotes, or - for standard input");
  const foreign = FORM_OPTIONS.find((name) => values[name] !== undefined);
  if (foreign !== undefined) throw new UsageError(`--${foreign} needs --form. Leave it out for a URL`);
  checked(values.method, (text) => requestMethod("--method", text));
  checked(values["remote-address"], (text) => ipAddress("--remote-address", text));
  checked(values["body-sha256"], (text) => sha256Hex("--body-sha256", text));
  const { available, errorBody, ...shared } = await common(values, context);
  const isFile = text === "-" || /^[^\s?]+\.har$/i.test(text);
  const given = isFile ? await inputText(text === "-" ? "the URL" : "the HAR file", text, context) : text;
  const cause = await causeWithoutUrl(given);
  if (cause !== undefined) return { explanation: { cause } };
  const pasted = await pastedUrl(given);
  const { url, isPart, method } = pasted;
  if (isPart) context.stderr.write(`Found in the text: ${escapeControls(foundText(pasted))}\n`);
  const headers = sentHeaders(pasted.headers, singleValues(pairs("--header", values.header, ":")));
  const answer = {
    errorBody: errorBody ?? pasted.errorBody,
    status: mapped(values.status, (text) => wholeNumber("--status", text, STATUSES)) ?? pasted.status,
  };
  const explanation = await explain(url, {
    ...shared,
    ...answer,
    origin: shared.origin ?? headers?.["origin"] ?? pageIn(given),
    request: {
      method: values.method ?? method,
      url: values["sent-url"],
      headers,
      bodySha256: values["body-sha256"],
      remoteAddress: values["remote-address"],
    },
    hosts: values.host,
  });
  const now = shared.clock();
  const record = available.records.get(explanation.signedBy);
  const told = await withVerdict(withStoredKey(explanation, record, now), record, async () => {
    const signed = explanation.mustSend.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]));
    const { searchParams } = new URL(url);
    const [granted] = explanation.grants.methods ?? [];
    const remoteAddress = values["remote-address"];
    // The request as it was sent, not as it was signed.
    const sent = {
      url: values["sent-url"] ?? url,
      method: values.method ?? method ?? granted ?? "GET",
      headers: sentHeaders(Object.fromEntries(signed), headers),
      ...(remoteAddress === undefined ? {} : { remoteAddress }),
    };
    const { verifyWithKeys } = await import("../verify/available-verifiers.ts");
    return verifyWithKeys(wireRequest(sent), available, {
      now,
      // The explanation states subject and audience itself, so they are taken as proven.
      subject: searchParams.get("dp-subject") ?? undefined,
      audience: searchParams.get("dp-audience") ?? undefined,
    });
  });
  const { errorBody: body, status = 0 } = answer;
  // S3 signs the method without writing it into the URL, so an upload looks like a download.
  const isOpen =
    told.browser === undefined && told.grants.methods === undefined && (values.method ?? method) === undefined;
  const isAlone = body === undefined && status === 0;
  const isDone = status >= 200 && status < 300;
  if (isDone) return { explanation: { ...told, cause: undefined } };
  if (!isAlone && told.cause !== undefined && told.cause.isGuess !== true) return { explanation: told };
  return {
    explanation: told,
    wanted: [
      ...(body === undefined ? ["the body of the answer (--error FILE) or its status (--status 403)"] : []),
      ...(isOpen ? ["the method that was sent (--method PUT also shows what a page needs to upload)"] : []),
      ...(shared.keys.length === 0 ? ["a key (--schemes FILE, --state DIR, or where daypass sign finds it)"] : []),
    ],
  };
}

/** The request found in a text, without signature and header values. */
function foundText({ url, method, headers = {} }: PastedUrl): string {
  const names = Object.keys(headers);
  const sent = names.length === 0 ? "" : `, sent with ${names.join(", ")}`;
  return `${[method, redactUrl(url)].join(" ").trim()}${sent}`;
}

type SentHeaders = Readonly<Record<string, string>> | undefined;

/** The headers of the pasted text, overridden by the options. */
function sentHeaders(pasted: SentHeaders, given: SentHeaders): SentHeaders {
  if (pasted === undefined || given === undefined) return given ?? pasted;
  const names = Object.keys(given).map((name) => name.toLowerCase());
  return { ...Object.fromEntries(Object.entries(pasted).filter(([name]) => !names.includes(name))), ...given };
}

async function explainAForm(
  path: string,
  { positionals, values }: { readonly positionals: readonly string[]; readonly values: Options },
  context: Context,
): Promise<Explanation> {
  if (positionals.length > 0) throw new UsageError("--form and a URL are both given. Leave one out");
  const foreign = URL_OPTIONS.find((name) => values[name] !== undefined);
  if (foreign !== undefined) throw new UsageError(`--${foreign} is not for a form. Leave it out`);
  const { formFromText } = await import("./form-text.ts");
  const read = async (option: string, from: string) => formFromText(option, await inputText(option, from, context));
  const sent = values["sent-form"] === undefined ? {} : await read("--sent-form", values["sent-form"]);
  const fileSize = mapped(values["file-size"], (text) => byteCount("--file-size", text, LENGTHS));
  const { available, ...shared } = await common(values, context);
  const explanation = await explainForm(await read("--form", path), {
    ...shared,
    sent: { ...sent, fileName: values["file-name"], fileSize },
  });
  return withStoredKey(explanation, available.records.get(explanation.signedBy), shared.clock());
}

const STATUSES = { min: 100, max: 599 };
const LENGTHS = { min: 0, max: Number.MAX_SAFE_INTEGER };

/** The options that URLs and forms share. */
async function common(values: Options, context: Context) {
  const { error, origin, reveal } = values;
  checked(origin, (text) => pageOrigin("--origin", text));
  const now = mapped(values.at, (text) => moment("--at", text)) ?? new Date();
  const available = await findAvailableKeys({ ...values, now, retired: true }, context);
  const { s3, gcs, azure, url, entries } = available;
  return {
    errorBody: error === undefined ? undefined : await inputText("--error", error, context),
    keys: [...s3, ...gcs, ...azure, ...url, ...(await explainKeys(entries))],
    origin,
    reveal,
    available,
    clock: () => now,
  };
}

function singleValues(headers: ReturnType<typeof pairs>): Readonly<Record<string, string>> | undefined {
  if (headers === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : value.join(", ")]),
  );
}
