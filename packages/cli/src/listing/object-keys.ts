import { isUtf8 } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../command.ts";
import { compareUtf8 } from "./utf8-order.ts";
import { childText, parseXml, type XmlElement } from "./xml.ts";

/** Signs a GET of the bucket itself with these parameters. */
export type SignListing = (query: Readonly<Record<string, string>>) => Promise<SignedListing>;

export interface SignedListing {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ObjectKeysOptions {
  readonly sign: SignListing;
  readonly prefix: string;
  /** Keys up to this one have been seen. */
  readonly after: string | undefined;
}

/**
 * The keys of a bucket in order, a page of at most a thousand at a time.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export async function* objectKeys({ sign, prefix, after }: ObjectKeysOptions): AsyncGenerator<readonly string[]> {
  // XML cannot hold every character that a key can: the server is asked to encode them.
  const asked = { "list-type": "2", "encoding-type": "url", ...(prefix === "" ? {} : { prefix }) };
  const ask = (query: Readonly<Record<string, string>>): Promise<Page> => {
    const asking = sign({ ...asked, ...query }).then(page);
    // Whoever asks for the next page sees the error; until then it is not an unhandled one.
    asking.catch(() => undefined);
    return asking;
  };
  let last = after;
  let asking: Promise<Page> | undefined = ask(after === undefined ? {} : { "start-after": after });
  const tokens = new Set<string>();
  while (asking !== undefined) {
    const { root, keys: listed }: Page = await asking;
    // radosgw begins with the key that it was told to begin behind.
    const keys = listed[0] === last ? listed.slice(1) : listed;
    for (const key of keys) {
      // Resuming behind a key is right only in a listing that is sorted.
      if (!key.startsWith(prefix) || (last !== undefined && compareUtf8(last, key) >= 0)) {
        throw malformed(
          `keys below the prefix in ascending order, found ${JSON.stringify(key)} behind ${JSON.stringify(last)}`,
        );
      }
      last = key;
    }
    asking = undefined;
    if (childText(root, "IsTruncated") === "true") {
      const token = childText(root, "NextContinuationToken");
      // Pages without keys are allowed; a server that turns in a circle is not.
      if (token === "" || (keys.length === 0 && tokens.has(token)))
        throw malformed("a token for the next page, found none or the same again");
      if (keys.length === 0) tokens.add(token);
      // Asked for while this page is signed.
      asking = ask({ "continuation-token": token });
    }
    yield keys;
  }
}

interface Page {
  readonly root: XmlElement;
  readonly keys: readonly string[];
}

async function page(signed: SignedListing): Promise<Page> {
  const { status, headers, body } = await fetchWithRetries(signed);
  if (status !== 200) throw refused(status, headers, body);
  const root = parseXml(body);
  if (root.name !== "ListBucketResult") throw malformed(`a ListBucketResult, found ${root.name}`);
  const isEncoded = childText(root, "EncodingType") === "url";
  const contents = root.children.filter(({ name }) => name === "Contents");
  return { root, keys: contents.map((element) => (isEncoded ? decoded : String)(childText(element, "Key"))) };
}

// A space may come as a plus, as in a form.
function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", "%20"));
  } catch {
    throw malformed("keys in percent encoding, found another");
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

const TRIES = 4;
const FIRST_WAIT_MS = 200;
const LIMIT_MS = 60_000;

async function fetchWithRetries(signed: SignedListing): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    const answer = await fetchOnce(signed).catch((error: unknown) => {
      if (tries === TRIES || (error as CommandError).code !== "UNREACHABLE") throw error;
      return undefined;
    });
    const isBusy = answer === undefined || answer.status === 429 || answer.status >= 500;
    if (answer !== undefined && (!isBusy || tries === TRIES)) return answer;
    await sleep(FIRST_WAIT_MS * 2 ** (tries - 1));
  }
}

async function fetchOnce({ url, headers }: SignedListing): Promise<Answer> {
  let response: Response;
  try {
    // The signature is for this host: following a redirect could only fail, or show the URL to a stranger.
    response = await fetch(url, { headers, redirect: "manual", signal: AbortSignal.timeout(LIMIT_MS) });
  } catch (error) {
    throw unreachable(url, error);
  }
  const body = await limitedText(response).catch((error: unknown) => {
    throw error instanceof CommandError ? error : unreachable(url, error);
  });
  return { status: response.status, headers: response.headers, body };
}

// A thousand keys of 1024 bytes, each three characters long in percent encoding, and what stands around them.
const MAX_BODY_BYTES = 16 * 1024 * 1024;

async function limitedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw malformed("a page of at most 16 MB, found more");
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (!isUtf8(body)) throw malformed("UTF-8, found other bytes");
  return body.toString("utf8");
}

function refused(status: number, headers: Headers, body: string): CommandError {
  const region = headers.get("x-amz-bucket-region");
  let root: XmlElement | undefined;
  try {
    root = parseXml(body);
  } catch {
    // A proxy's page, or none at all: the status has to do.
  }
  const code = root?.name === "Error" ? childText(root, "Code") : "";
  const message = root?.name === "Error" ? childText(root, "Message") : "";
  const hint =
    region !== null && status >= 300 && status < 400 ? `: the bucket is in ${region}, give --region ${region}` : "";
  return new CommandError(
    `expected the bucket's listing, found ${status}${message === "" ? "" : ` (${message.slice(0, 200)})`}${hint}`,
    /^[A-Za-z]{1,64}$/.test(code) ? code : "LISTING_REFUSED",
  );
}

function unreachable(url: string, error: unknown): CommandError {
  const { cause } = error as { readonly cause?: { readonly code?: string; readonly message?: string } };
  const found = cause?.code ?? cause?.message ?? (error as Error).message;
  return new CommandError(
    `expected an answer from ${new URL(url).host}, found ${found}: check --endpoint`,
    "UNREACHABLE",
  );
}

function malformed(rest: string): CommandError {
  return new CommandError(`expected ${rest}: the server's listing cannot be trusted`, "MALFORMED_ANSWER");
}
