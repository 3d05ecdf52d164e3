import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../../../command.ts";
import { childText, serverXml } from "../../../server-xml.ts";
import { compareUtf8 } from "./listed-objects.ts";

/** Signs a GET of the bucket itself with these parameters. */
export type SignListing = (query: Readonly<Record<string, string>>) => Promise<SignedListing>;

/** A signed request for a listing. */
export interface SignedListing {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Options of {@link bucketKeys}. */
export interface BucketKeysOptions {
  readonly sign: SignListing;
  readonly prefix: string;
  /** The last key that was listed before. */
  readonly after: string | undefined;
}

/**
 * The keys of a bucket in order, in pages of at most 1,000.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export async function* bucketKeys({ sign, prefix, after }: BucketKeysOptions): AsyncGenerator<readonly string[]> {
  // A key may contain characters that XML does not allow, so ask the server to encode keys.
  const asked = { "list-type": "2", "encoding-type": "url", ...(prefix === "" ? {} : { prefix }) };
  const ask = (query: Readonly<Record<string, string>>): Promise<Page> => {
    const asking = sign({ ...asked, ...query }).then(page);
    // The loop awaits this promise later. Until then a rejection must not count as unhandled.
    asking.catch(() => undefined);
    return asking;
  };
  let last = after;
  let asking: Promise<Page> | undefined = ask(after === undefined ? {} : { "start-after": after });
  const tokens = new Set<string>();
  while (asking !== undefined) {
    const { nextToken, keys: listed }: Page = await asking;
    // radosgw repeats the last key of the page before.
    const keys = listed[0] === last ? listed.slice(1) : listed;
    for (const key of keys) {
      // Continuing after a key is correct only if the listing is sorted.
      if (!key.startsWith(prefix) || (last !== undefined && compareUtf8(last, key) >= 0)) {
        throw malformed(`has ${JSON.stringify(key)} after ${JSON.stringify(last)}, out of order or outside the prefix`);
      }
      last = key;
    }
    asking = undefined;
    if (nextToken !== undefined) {
      const token = nextToken;
      // Empty pages are allowed, but not a server that repeats them forever.
      if (token === "" || (keys.length === 0 && tokens.has(token)))
        throw malformed("has no token for the next page, or repeats one");
      if (keys.length === 0) tokens.add(token);
      // The next page loads while this one is signed.
      asking = ask({ "continuation-token": token });
    }
    yield keys;
  }
}

interface Page {
  /** `undefined` on the last page. */
  readonly nextToken: string | undefined;
  readonly keys: readonly string[];
}

async function page(signed: SignedListing): Promise<Page> {
  const { status, headers, body } = await fetchWithRetries(signed);
  const root = serverXml(body);
  if (status !== 200) throw refused(status, headers, root);
  if (root?.name !== "ListBucketResult") throw malformed(`is not a ListBucketResult but ${root?.name ?? "no XML"}`);
  const isEncoded = childText(root, "EncodingType") === "url";
  const contents = root.children.filter(({ name }) => name === "Contents");
  return {
    nextToken: childText(root, "IsTruncated") === "true" ? childText(root, "NextContinuationToken") : undefined,
    keys: contents.map((element) => (isEncoded ? decoded : String)(childText(element, "Key"))),
  };
}

// Some servers encode a space as a plus, as forms do.
function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", "%20"));
  } catch {
    throw malformed("has a key that is not in percent encoding");
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
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
    // Do not follow redirects: the signature is valid for this host only, and another host must not see it.
    response = await fetch(url, { headers, redirect: "manual", signal: AbortSignal.timeout(LIMIT_MS) });
  } catch (error) {
    throw unreachable(url, error);
  }
  const body = await limitedBody(response).catch((error: unknown) => {
    throw error instanceof CommandError ? error : unreachable(url, error);
  });
  return { status: response.status, headers: response.headers, body };
}

// 1,000 keys of 1,024 bytes, each three characters in percent encoding, and their XML.
const MAX_BODY_BYTES = 16 * 1024 * 1024;

async function limitedBody(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw malformed("has a page of more than 16 MB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refused(status: number, headers: Headers, root: ReturnType<typeof serverXml>): CommandError {
  const region = headers.get("x-amz-bucket-region");
  const code = root?.name === "Error" ? childText(root, "Code") : "";
  const message = root?.name === "Error" ? childText(root, "Message") : "";
  const hint =
    region !== null && status >= 300 && status < 400
      ? `The bucket is in ${region}: give --region ${region}`
      : "Check the bucket's name, and that the key may list it";
  return new CommandError(
    `the server answered ${status}${message === "" ? "" : ` (${message.slice(0, 200)})`} to the request for the bucket's listing. ${hint}`,
    /^[A-Za-z]{1,64}$/.test(code) ? code : "LISTING_REFUSED",
  );
}

function unreachable(url: string, error: unknown): CommandError {
  const { cause } = error as { readonly cause?: { readonly code?: string; readonly message?: string } };
  const found = cause?.code ?? cause?.message ?? (error as Error).message;
  return new CommandError(`${new URL(url).host} does not answer (${found}). Check --endpoint`, "UNREACHABLE");
}

function malformed(problem: string): CommandError {
  return new CommandError(
    `the server's listing ${problem}, so it cannot be trusted. Check --endpoint`,
    "MALFORMED_ANSWER",
  );
}
