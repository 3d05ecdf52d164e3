import { type Finding, findingReader } from "./finding.ts";
import type { OnUnreadable, Source } from "./sources.ts";
import { countLines, textRegions } from "./text-regions.ts";
import { type RawUrl, urlsInText } from "./urls-in-text.ts";

/** The place of a finding. */
export interface Place {
  readonly file: string;
  /** From 1. Missing in a history, because `git log` does not number lines. */
  readonly line?: number | undefined;
  readonly commit?: string | undefined;
}

export interface PlacedFinding extends Finding {
  readonly place: Place;
}

export interface ScanOptions {
  readonly now: Date;
  readonly onUnreadable: OnUnreadable;
}

/** Finds the presigned URLs in texts, each once. */
export async function* scan(
  sources: AsyncIterable<Source>,
  { now, onUnreadable }: ScanOptions,
): AsyncGenerator<PlacedFinding> {
  const read = findingReader();
  // Most URLs of a log are not signed, and stack traces are the largest cost of these errors. Reflect.set() does not throw if
  // Node froze its objects.
  Reflect.set(Error, "stackTraceLimit", 0);
  for await (const source of sources) {
    try {
      yield* scanSource(source, (raw) => read(raw, now));
    } catch (error) {
      if (!isReadError(error)) throw error;
      onUnreadable(source.name, error);
    }
  }
}

/** An error of the file system, or of zlib for a damaged file. */
function isReadError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && ("syscall" in error || ("code" in error && /^Z_/.test(String(error.code))));
}

async function* scanSource(
  { name, chunks, isHistory }: Source,
  read: (raw: string) => Promise<Finding | undefined>,
): AsyncGenerator<PlacedFinding> {
  const placeOf = isHistory ? historyPlaces(name) : filePlaces(name);
  for await (const region of textRegions(chunks)) {
    const { line } = region;
    const text = isHistory ? withoutZeros(region.text) : region.text;
    const places = placeOf(text, line);
    for (const url of urlsInText(text)) {
      const finding = await read(url.raw);
      if (finding !== undefined) yield { ...finding, place: places(url) };
    }
    // The next region continues in the same commit and file.
    places({ index: text.length, raw: "" });
  }
}

/** Removes the zero bytes of UTF-16 files, because a history mixes them with UTF-8. */
function withoutZeros(text: string): string {
  return text.includes("\0") ? text.replace(/\0(?!commit [0-9a-f]{40})/g, "") : text;
}

/** Returns the place of each URL of one region. Must be called in text order. */
type Places = (url: RawUrl) => Place;

function filePlaces(file: string): (text: string, line: number) => Places {
  return (text, first) => {
    let line = first;
    let at = 0;
    return ({ index }) => {
      line += countLines(text, { from: at, to: index });
      at = index;
      return { file, line };
    };
  };
}

/** `git log` prints the commit before its changes, and the file before its lines. */
function historyPlaces(repository: string): (text: string) => Places {
  let place: Place = { file: repository };
  return (text) => {
    const marks = text.matchAll(/^(?:\0commit ([0-9a-f]{40,64})|\+\+\+ b\/(.*)|--- a\/(.*))$/gm);
    let mark = marks.next();
    return ({ index }) => {
      while (mark.done !== true && mark.value.index <= index) {
        const [, commit, added, removed] = mark.value;
        place = commit === undefined ? { ...place, file: added ?? removed ?? "" } : { file: "(message)", commit };
        mark = marks.next();
      }
      return place;
    };
  };
}
